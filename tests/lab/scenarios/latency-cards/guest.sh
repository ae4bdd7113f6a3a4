#!/bin/sh
. /lib/lab.sh

uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

# time_ways CARD: every way is timed on it.
time_ways() {
    echo "run: ringback bench latency --card $1"
    ringback bench latency --card "$1" --rounds 1 --json >/run/latency.json 2>/run/progress ||
        fail "$1: $(tail -n 1 /run/progress)"
    run lab-guest latency-ways /run/latency.json
}

# The virtual IOMMU remaps no interrupts; VFIO requires the administrator to accept that.
run modprobe vfio_iommu_type1 allow_unsafe_interrupts=1
run modprobe vfio-pci
for card in /sys/bus/pci/devices/*; do
    [ "$(cat "$card/vendor" "$card/device" | tr '\n' ' ')" != '0x1234 0x11e8 ' ] || edu=${card##*/}
done
[ -n "${edu-}" ] || fail 'the machine has no edu device'
run ringback device bind "$edu" --to vfio-pci
time_ways "pci:$edu"

run modprobe mtty
echo "$uuid" >/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create
wait_for 10 'VFIO group' [ -e "/sys/bus/mdev/devices/$uuid/iommu_group" ]
time_ways "mdev:$uuid"
echo 1 >"/sys/bus/mdev/devices/$uuid/remove"
unload mtty
