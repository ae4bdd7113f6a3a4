# shellcheck shell=bash
about "Ringback on the software card under vfio-pci with a virtual IOMMU: the calls of the demo"
within 600
modules vfio-pci vfio_iommu_type1
programs ringback-cli/ringback ringback-lab-guest/lab-guest
kernel_arguments intel_iommu=on
machine -machine kernel-irqchip=off -device intel-iommu,intremap=off,caching-mode=on
card
