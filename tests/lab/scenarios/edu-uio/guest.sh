#!/bin/sh
. /lib/lab.sh

run modprobe uio_pci_generic
echo '1234 11e8' >/sys/bus/pci/drivers/uio_pci_generic/new_id
wait_for 10 /dev/uio0 [ -e /dev/uio0 ]
run lab-guest edu-uio
