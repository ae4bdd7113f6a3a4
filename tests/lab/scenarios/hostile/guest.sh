#!/bin/sh
. /lib/lab.sh

# everything_for SECONDS SEED: programs on all files at once, some of them killed, and the driver
# unbound and bound again below them.
everything_for() {
    seconds=$1 seed=$2
    programs=
    for n in 1 2 3 4; do
        lab-guest hostile-files "$seed$n" "$seconds" &
        programs="$programs $!"
    done
    lab-guest hostile-registers "$seed" "$seconds" &
    programs="$programs $!"
    lab-guest hostile-files "${seed}5" "$seconds" &
    sleep $((seconds / 3))
    kill -9 $! || true
    (cd /sys/class/uio/uio0/device && grep . ticks missed underruns overruns aborts) || true
    card=$(basename "$(readlink /sys/bus/pci/drivers/ringback/0000:*)")
    for way in unbind bind; do
        echo "$card" >"/sys/bus/pci/drivers/ringback/$way" || fail "no $way"
        sleep 1
    done
    for program in $programs; do
        wait "$program" || fail 'a program did not come to its end'
    done
}

run modprobe ringback
ls -d /sys/bus/pci/drivers/ringback/0000:*/iommu_group || fail 'the card has no IOMMU before it'
run lab-guest kmod-memory
everything_for 15 1
run lab-guest kmod-works
everything_for 15 2
run lab-guest kmod-works
run lab-guest kmod-memory
unload ringback
[ -z "$(ls /sys/class/uio)" ] || fail 'a UIO device is left'
[ ! -e /dev/ringback0p0 ] || fail 'a port is left'
