#!/bin/sh
. /lib/lab.sh

# Blocks of memory that the module has.
memory() {
    grep -c mailbox_probe /proc/vmallocinfo || true
}

# Slow enough that requests pile up, fast enough that 100 000 end soon: 64 answers in 5 ms.
run modprobe uio_dummy period=5000
[ "$(cat /sys/class/uio/uio0/name)" = uio_dummy ] || fail 'no UIO device uio_dummy'
case $(cat /sys/class/uio/uio0/maps/map0/addr) in
0xffff*) fail 'everybody can read where the kernel has the memory' ;;
esac
[ "$(memory)" != 0 ] || fail "the module's memory can't be seen"
run lab-guest mailbox-flood
unload uio_dummy

# One tick a second: what is requested now is outstanding for a while.
run modprobe uio_dummy period=1000000
run lab-guest mailbox-trace
run lab-guest mailbox-removal
unload uio_dummy

# A driver that dies leaves a device that the next one can use.
run modprobe uio_dummy
lab-guest mailbox-forever >/run/forever &
wait_for 20 'running mailbox' grep running /run/forever
sleep 0.5
kill -9 $!
wait $! || true
unload uio_dummy
run modprobe uio_dummy
run lab-guest mailbox-reopen
unload uio_dummy

# Opened before UIO has registered it to the end.
lab-guest mailbox-early 15 >/run/early 2>&1 &
early=$!
while kill -0 $early 2>/dev/null; do
    modprobe uio_dummy || fail 'the module could not be loaded under its openers'
    sleep 0.02
    wait_for 20 'end of the use' rmmod uio_dummy
done
wait $early || fail "an early opener: $(tail -n 1 /run/early)"
cat /run/early

for _ in $(seq 20); do
    modprobe uio_dummy || fail 'the module could not be loaded again'
    rmmod uio_dummy || fail 'the module could not be removed again'
done
[ -z "$(ls /sys/class/uio)" ] || fail 'a UIO device is left'
[ "$(memory)" = 0 ] || fail 'the module left memory behind'
