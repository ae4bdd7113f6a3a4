# shellcheck shell=bash
about 'each allocation that the module ringback makes fails once: errors, nothing left, a card that works'
on
debug_on debug
within 300
own_modules ringback
programs ringback-lab-guest/lab-guest
modules virtio_rng
card --modules fxs,fxs,fxs,fxo
# A device beside the card keeps their interrupt line in use while the module is not bound. The kernel
# warns when it removes a line from /proc/irq for which an allocation has failed (Linux 6.12). Slots
# with the same rest of 4 share a line.
kernel_arguments pci=nomsi
machine -device virtio-rng-pci,addr=0x6
