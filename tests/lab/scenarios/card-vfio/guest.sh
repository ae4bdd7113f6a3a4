#!/bin/sh
. /lib/lab.sh

# The virtual IOMMU remaps no interrupts; VFIO requires the administrator to accept that.
run modprobe vfio_iommu_type1 allow_unsafe_interrupts=1
run modprobe vfio-pci

for device in /sys/bus/pci/devices/*; do
    [ "$(cat "$device/vendor" "$device/device" | tr '\n' ' ')" != '0xe159 0x0001 ' ] || card=$device
done
[ -n "${card-}" ] || fail 'the machine has no card'
[ -e "$card/iommu_group" ] || fail 'the card has no IOMMU group'
echo vfio-pci >"$card/driver_override"
echo "${card##*/}" >/sys/bus/pci/drivers_probe
[ "$(basename "$(readlink "$card/driver")")" = vfio-pci ] || fail 'the card is not bound to vfio-pci'

run ringback lines --card "pci:${card##*/}"
run ringback demo --card "pci:${card##*/}" --far /dev/virtio-ports/far
echo "${card##*/}" >/sys/bus/pci/drivers/vfio-pci/unbind
