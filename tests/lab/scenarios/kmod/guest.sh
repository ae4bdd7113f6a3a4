#!/bin/sh
. /lib/lab.sh

run modprobe ringback
run modprobe virtio_rng
grep -q 'ringback, virtio\|virtio.*, ringback' /proc/interrupts || fail 'nobody shares the interrupt'
head -c 100000 /dev/hwrng >/dev/null &
run lab-guest kmod-ports
run lab-guest kmod-control
run lab-guest kmod-samples
run lab-guest kmod-telephone
run lab-guest kmod-counters
run lab-guest kmod-requests
run lab-guest kmod-nonblocking
run lab-guest kmod-last-user
run lab-guest kmod-faults
run lab-guest kmod-unbind
run lab-guest kmod-removal
unload ringback
run modprobe ringback
# Last: the port of the far ends may not survive it.
run lab-guest kmod-sleep
unload ringback
