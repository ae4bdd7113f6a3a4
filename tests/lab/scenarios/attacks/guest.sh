#!/bin/sh
. /lib/lab.sh

run modprobe ringback
# First, because it checks for the taint that opening the card as root leaves.
run lab-guest kmod-access unconfined
run lab-guest kmod-addresses
run lab-guest kmod-left-bytes
run lab-guest kmod-fsync
run lab-guest kmod-behind-others
run lab-guest kmod-stale
run lab-guest kmod-works
# Last: the port of the far ends may not survive it.
run lab-guest kmod-sleep-without
unload ringback
