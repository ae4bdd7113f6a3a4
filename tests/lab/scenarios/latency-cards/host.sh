# shellcheck shell=bash
about "the benchmark on QEMU's edu device and on mtty, through VFIO: every way is timed"
within 300
modules vfio-pci vfio_iommu_type1
own_modules mtty
programs ringback-cli/ringback ringback-lab-guest/lab-guest
kernel_arguments intel_iommu=on cryptomgr.notests
machine -machine kernel-irqchip=off -device intel-iommu,intremap=off -device edu
