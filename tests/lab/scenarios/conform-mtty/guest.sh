#!/bin/sh
. /lib/lab.sh

uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

run modprobe vfio_iommu_type1
run modprobe mtty
echo "$uuid" >/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create
wait_for 10 'VFIO group' [ -e "/sys/bus/mdev/devices/$uuid/iommu_group" ]
# Nobody can make its far end do something.
echo exit 0 >/run/far
export RINGBACK_CARD="mdev:$uuid"
keeps functions:B3 refusals:N8 close-call:N6
keeps_in_the_long_form versions:D15 close-line:D1 shutdown:D12 calls:N8 calls-back:N8 slow:N8 locks:N8 overlap:D12 reuse:D12 phones:D12 \
    chance:D12 chance-slow:D12 chance-back:D12 threads:D12
echo 1 >"/sys/bus/mdev/devices/$uuid/remove"
unload mtty
