#!/bin/sh
. /lib/lab.sh

uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

run modprobe vfio_iommu_type1
run modprobe mtty
echo "$uuid" >/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create
wait_for 10 'VFIO group' [ -e "/sys/bus/mdev/devices/$uuid/iommu_group" ]
run lab-guest mtty-loopback
run lab-guest mtty-line
echo 1 >"/sys/bus/mdev/devices/$uuid/remove"
unload mtty
