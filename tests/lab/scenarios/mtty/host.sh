# shellcheck shell=bash
about "the kernel's sample device mtty under VFIO: text looped back as requests; a modem line on it"
within 240
modules vfio_iommu_type1
own_modules mtty
programs ringback-lab-guest/lab-guest
