#!/bin/sh
. /lib/lab.sh

run modprobe ringback
run modprobe virtio_rng
grep -q 'ringback, virtio\|virtio.*, ringback' /proc/interrupts || fail 'nobody shares the interrupt'
run lab-guest kmod-allocations
unload ringback
