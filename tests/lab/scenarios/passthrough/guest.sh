#!/bin/sh
. /lib/lab.sh

run modprobe ringback
ls -d /sys/bus/pci/drivers/ringback/0000:*/iommu_group || fail 'the card has no IOMMU before it'
run lab-guest kmod-access unconfined
run ringback device
grep -q 'not confined.*group' /run/output || fail 'ringback does not say that the card is not confined'
run lab-guest kmod-works
unload ringback
