#!/bin/sh
. /lib/lab.sh

run modprobe ringback
run modprobe virtio_rng
grep -q 'ringback, virtio\|virtio.*, ringback' /proc/interrupts || fail 'nobody shares the interrupt'
head -c 100000 /dev/hwrng >/dev/null &

# Cards by new_id. For a device that is no such card, the module logs why, and leaves nothing
# behind.
driver=/sys/bus/pci/drivers/ringback
second=0000:00:09.0
[ ! -e /dev/ringback1p0 ] || fail 'the module takes a card that it does not know'
echo 'e159 0001 1234 5678' >$driver/new_id
wait_for 20 'second card' [ -e /dev/ringback1p3 ]
[ -e "$driver/$second" ] || fail 'another card was bound'
export CARD=1
run lab-guest kmod-ports
run lab-guest kmod-samples
export CARD=0
run lab-guest kmod-works
echo 'e159 0001 1234 5678' >$driver/remove_id
echo $second >$driver/unbind
[ ! -e /dev/ringback1p0 ] || fail 'a port of the second card is left'
dmesg -c >/dev/null
echo '1234 11e8' >$driver/new_id
dmesg | grep -q "BAR1 is not a Tiger320's registers" || fail 'nobody says what edu lacks'
[ ! -e "$driver/0000:00:0b.0" ] || fail 'edu is bound'
[ "$(ls /sys/class/uio)" = uio0 ] || fail 'there is a UIO device for edu'
echo '1234 11e8' >$driver/remove_id
# Its registers (BAR1) have 256 bytes, so that their page could contain another device's as well.
echo '10ec 8139' >$driver/new_id
dmesg | grep -q 'share a page of 4096 bytes with something else' ||
    fail 'nobody says that registers share a page'
[ ! -e "$driver/0000:00:0c.0" ] || fail 'a card is bound whose registers share a page'
[ "$(ls /sys/class/uio)" = uio0 ] || fail 'there is a UIO device for it'
echo '10ec 8139' >$driver/remove_id

run lab-guest kmod-ports
run lab-guest kmod-control
run lab-guest kmod-samples
run lab-guest kmod-idle
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
