# shellcheck shell=bash
about "QEMU's edu device under uio_pci_generic: factorials by INTx, and its removal"
on 6.1 6.12 newest
within 120
modules uio_pci_generic
programs ringback-lab-guest/lab-guest
machine -device edu
