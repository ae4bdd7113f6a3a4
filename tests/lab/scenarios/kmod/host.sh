# shellcheck shell=bash
about 'the module ringback by its files alone: samples, requests, every way that they end'
on 6.1 6.12 newest
within 300
own_modules ringback
modules virtio_rng
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo --time-scale 2
# A device beside the card that has the same interrupt line: slots with the same rest of 4 share one.
kernel_arguments pci=nomsi
machine -device virtio-rng-pci,addr=0x6
