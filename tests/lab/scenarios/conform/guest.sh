#!/bin/sh
. /lib/lab.sh

# The far end of the card: who is called answers, and what ringback conform asks for happens.
for command in 'subscriber 5550100 add' 'subscriber 5550100 answer-after 1' \
    'subscriber 5550199 add' 'telephone 0 answer-after 1' 'telephone 1 answer-after 1'; do
    # shellcheck disable=SC2086
    run lab-guest far $command
done
cat >/run/far <<'END'
case $RINGBACK_FAR in
ring) lab-guest far subscriber 5550199 call 102 ;;
remove) lab-guest far fault removal on ;;
esac
END

# Subscribers hang up some time after a call, or never; the next scenario would find them busy.
cat >/run/before <<'END'
set -e
for number in 5550100 5550199; do
    lab-guest far subscriber $number on-hook
done
END

run modprobe ringback
wait_for 20 'UIO device' [ -e /dev/uio0 ]
export RINGBACK_CARD=shim:/dev/uio0
keeps functions:F1 incoming:N14
keeps_in_the_long_form versions:D15 calls:D17 calls-back:D17 slow:D17 locks:D17 refusals:N8 \
    overlap:D7 reuse:T4 no-room:N15 close-call:N6 close-line:D1 shutdown:D12 phones:D12 \
    chance:D12 chance-slow:D12 chance-back:D12 threads:D12
# The card is gone then.
keeps removal:D13
