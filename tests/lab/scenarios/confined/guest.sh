#!/bin/sh
. /lib/lab.sh

run modprobe ringback
ls -d /sys/bus/pci/drivers/ringback/0000:*/iommu_group || fail 'the card has no IOMMU before it'
run lab-guest kmod-access confined
run ringback device
grep -q 'confined by IOMMU group' /run/output || fail 'ringback does not say that the card is confined'
run lab-guest kmod-works
run lab-guest kmod-stale
unload ringback
