# shellcheck shell=bash
about "Ringback's provider on the kernel's sample device mtty keeps the contract of TSPI"
within 400
modules vfio_iommu_type1
own_modules mtty
programs ringback-cli/ringback ringback-capi-tsp/libringback_tsp.so
conforms_whole
