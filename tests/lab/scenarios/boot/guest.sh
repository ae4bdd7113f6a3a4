#!/bin/sh
. /lib/lab.sh

uname -a
[ "$(nproc)" = 2 ] || fail "$(nproc) processors instead of 2"
run modprobe uio_pci_generic
[ -d /sys/bus/pci/drivers/uio_pci_generic ] || fail "uio_pci_generic did not register"
run rmmod uio_pci_generic
