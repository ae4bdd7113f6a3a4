#!/bin/sh
. /lib/lab.sh

# The virtual IOMMU remaps no interrupts; VFIO requires the administrator to accept that.
run modprobe vfio_iommu_type1 allow_unsafe_interrupts=1
run modprobe vfio-pci

for card in /sys/bus/pci/devices/*; do
    [ "$(cat "$card/vendor" "$card/device" | tr '\n' ' ')" != '0x1234 0x11e8 ' ] || edu=$card
done
[ -n "${edu-}" ] || fail 'the machine has no edu device'
[ -e "$edu/iommu_group" ] || fail 'the edu device has no IOMMU group'
echo vfio-pci >"$edu/driver_override"
echo "${edu##*/}" >/sys/bus/pci/drivers_probe
[ "$(basename "$(readlink "$edu/driver")")" = vfio-pci ] || fail 'the edu device is not bound to vfio-pci'

run lab-guest edu-vfio-intx
run lab-guest edu-vfio-msi
run lab-guest edu-vfio-intx
echo "${edu##*/}" >/sys/bus/pci/drivers/vfio-pci/unbind
