# shellcheck shell=bash
about 'the module ringback by its files alone: samples, requests, every way that they end'
on 6.1 6.12 newest
debug_on debug rt
within 300
own_modules ringback
modules virtio_rng
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
# A device beside the card that has the same interrupt line: slots with the same rest of 4 share one.
kernel_arguments pci=nomsi
machine -device virtio-rng-pci,addr=0x6
# What the module does not know by itself: a card of another maker, and no card at all.
machine -device edu,addr=0xb
# And one whose BAR1 is smaller than a page.
machine -device rtl8139,addr=0xc,romfile=
before_boot() {
    local program
    program=$(built_program ringback-cli/ringback "$1/build.log")
    start_beside "$1/second.log" "$program" softcard --vfio-user "$sockets/second" \
        --modules fxs,fxs,fxs --time-scale "$time_scale"
    wait_for_socket "$sockets/second"
    machine -device "{\"driver\":\"vfio-user-pci\",\"addr\":\"9\",\"x-pci-sub-vendor-id\":4660,\"x-pci-sub-device-id\":22136,\"socket\":{\"type\":\"unix\",\"path\":\"$sockets/second\"}}"
}
