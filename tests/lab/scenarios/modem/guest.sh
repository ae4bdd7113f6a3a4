#!/bin/sh
. /lib/lab.sh

# ends STATUS COMMAND...: the scenario fails if the command ends with another status.
ends() {
    wanted=$1 status=0
    shift
    echo "run: $*"
    "$@" >/run/output 2>&1 || status=$?
    cat /run/output
    [ "$status" = "$wanted" ] || fail "$*: status $status, not $wanted"
}

# says TEXT: checks that the last command has printed the text.
says() {
    grep -q -- "$1" /run/output || fail "it did not say '$1'"
}

# The virtual IOMMU remaps no interrupts; VFIO requires the administrator to accept that.
run modprobe vfio_iommu_type1 allow_unsafe_interrupts=1
run modprobe vfio-pci

run ringback device
serial=$(ringback device --json | grep '"vendor":"1b36","device":"0002"' | sed 's/.*"address":"\([^"]*\)".*/\1/')
[ -n "$serial" ] || fail 'the machine has no pci-serial'
card=/sys/bus/pci/devices/$serial
holder() {
    [ -e "$card/driver" ] && basename "$(readlink "$card/driver")"
}
[ "$(holder)" = serial ] || fail "the kernel's driver for serial ports does not hold pci-serial"
ends 0 ringback device bind "$serial" --to vfio-pci --dry-run
says "echo $serial > $card/driver/unbind"
[ "$(holder)" = serial ] || fail 'a dry run has changed the driver'
ends 2 ringback device bind "$serial" --to uio_pci_generic
says 'I/O ports'
# The port is not taken from a program that has it open.
terminal=$(find "$card/" -maxdepth 5 -path '*/tty/ttyS*' -name 'ttyS*' | sed -n 's|.*/||; 1p')
[ -n "$terminal" ] || fail 'pci-serial has no terminal'
# shellcheck disable=SC2217
sleep 1000 <"/dev/$terminal" &
holds=$!
is_open() {
    [ "$(readlink "/proc/$holds/fd/0")" = "/dev/$terminal" ]
}
wait_for 20 "user of $terminal" is_open
ends 1 ringback device bind "$serial" --to vfio-pci
says "in use by sleep (process $holds, /dev/$terminal)"
kill "$holds"
wait "$holds" || true
ends 0 ringback device bind "$serial" --to vfio-pci
says "use it with --card pci:$serial"
[ "$(holder)" = vfio-pci ] || fail 'pci-serial is not bound to vfio-pci'

ends 0 ringback lines --card "pci:$serial"
says 'modem .*answers'
run lab-guest modem-calls
# A program that dies leaves the modem on-line. The next start gets the modem back to commands.
lab-guest modem-forever >/run/forever &
forever=$!
wait_for 60 'connection' grep connected /run/forever
ends 1 ringback device release "$serial"
says "in use by lab-guest (process $forever"
kill -9 $forever
wait $forever || true
run lab-guest modem-again

echo 'as it was sent' >/run/letter
ends 0 ringback call 0 100 --card "pci:$serial" --send /run/letter --receive /run/answer --hangup-after 5
cmp /run/letter /run/answer || fail 'what came back is not what was sent'
ends 3 ringback call 0 101 --card "pci:$serial"
says '101 is busy'
ends 4 ringback call 0 106 --card "pci:$serial"
says 'NO CARRIER'
# It calls back.
ends 0 ringback answer 0 --card "pci:$serial" --timeout 60 --hangup-after 1
says 'connected'

ends 0 ringback device release "$serial"
[ "$(holder)" = serial ] || fail 'pci-serial is not back with its driver'
