# shellcheck shell=bash
about "QEMU's pci-serial, an AT modem behind it: binding to vfio-pci, calls, data, the ends of calls"
within 400
modules vfio-pci vfio_iommu_type1
programs ringback-lab-guest/lab-guest ringback-cli/ringback
kernel_arguments intel_iommu=on

before_boot() {
    local modem
    modem=$(built_program ringback-lab-modem/lab-modem "$1/modem-build.log")
    rm -f "$1/modem.sock"
    machine -machine kernel-irqchip=off -device intel-iommu,intremap=off
    machine -chardev "socket,id=modem,path=$1/modem.sock,server=on,wait=off"
    machine -device pci-serial,chardev=modem
    start_beside "$1/modem.log" "$modem" "$1/modem.sock"
}
