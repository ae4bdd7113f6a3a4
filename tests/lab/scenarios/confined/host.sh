# shellcheck shell=bash
about 'a card that an IOMMU confines is given to the group ringback without another right'
on 6.1 6.12 newest
within 120
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
machine -machine kernel-irqchip=off -device intel-iommu,intremap=off,caching-mode=on
kernel_arguments intel_iommu=on
