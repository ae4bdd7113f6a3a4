#!/bin/sh
. /lib/lab.sh

make_mtty
export RINGBACK_CARD="mdev:$uuid"
# Its far end can't be controlled.
echo exit 0 >/run/far
keeps functions:B3 refusals:N8 close-call:N6
keeps_in_the_long_form versions:D15 close-line:D1 shutdown:D12 calls:N8 calls-back:N8 slow:N8 \
    locks:N8 overlap:D12 reuse:D12 phones:D12 chance:D12 chance-slow:D12 chance-back:D12 threads:D12
remove_mtty
