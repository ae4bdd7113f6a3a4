# shellcheck shell=bash
about 'programs that do what they like with the files of ringback, behind a virtual IOMMU'
debug_on debug rt
within 300
own_modules ringback
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
# Whatever addresses are written to the card, it reaches only what the kernel has mapped for it.
machine -machine kernel-irqchip=off -device intel-iommu,intremap=off,caching-mode=on
kernel_arguments intel_iommu=on
