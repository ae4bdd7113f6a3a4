# shellcheck shell=bash
about "QEMU's edu device under vfio-pci with a virtual IOMMU: factorials and DMA, INTx and MSI"
on 6.1 6.12 newest
within 150
modules vfio-pci vfio_iommu_type1
programs ringback-lab-guest/lab-guest
kernel_arguments intel_iommu=on
machine -machine kernel-irqchip=off -device intel-iommu,intremap=off -device edu
