#!/bin/sh
# Functions for the scenarios' scripts in the guest, which run under `sh -eu`.

# busybox has it.
# shellcheck disable=SC3040
set -o pipefail

# fail REASON...: ends the scenario with a reason that is printed on the terminal.
fail() {
    echo "$*" >/run/reason
    echo "fail: $*"
    exit 1
}

# run COMMAND...: the scenario fails, with the command's last line, if the command does.
run() {
    echo "run: $*"
    if ! "$@" 2>&1 | tee /run/output; then
        fail "$1: $(tail -n 1 /run/output)"
    fi
}

# wait_for SECONDS WHAT CONDITION...: until the condition holds, or the scenario fails. It may take
# longer on a kernel that is slow.
wait_for() {
    seconds=$(($1 * ${SLOWNESS:-1})) what=$2
    shift 2
    tenths=$((seconds * 10))
    until "$@" >/dev/null 2>&1; do
        [ $tenths -gt 0 ] || fail "no $what within $seconds s"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

# unload MODULE: unloads it once it is not in use: the kernel closes the files of a ring a moment
# after the ring's process has ended.
unload() {
    wait_for 20 "end of the use of $1" grep -q "^$1 [0-9]* 0 " /proc/modules
    run rmmod "$1"
}

# make_mtty: makes a device of the kernel's sample module mtty; its UUID is then in $uuid.
make_mtty() {
    uuid=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001
    run modprobe vfio_iommu_type1
    run modprobe mtty
    echo "$uuid" >/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create
    wait_for 10 'VFIO group' [ -e "/sys/bus/mdev/devices/$uuid/iommu_group" ]
}

# remove_mtty: removes that device and the module.
remove_mtty() {
    echo 1 >"/sys/bus/mdev/devices/$uuid/remove"
    unload mtty
}

# keeps SCENARIO:KEY...: in these scenarios of `ringback conform`, Ringback's provider on the card
# RINGBACK_CARD breaks no rule, and the rule with this key is among those that had an occasion. What
# the far end is asked for is done by /run/far, and what has to be done before a scenario by
# /run/before, if that is there.
keeps() {
    for one in "$@"; do
        [ ! -e /run/before ] || run sh /run/before
        run ringback conform /bin/libringback_tsp.so --jobs 1 --scenario "${one%:*}" \
            --seed "${SEED:-1}" --seeds "${SEEDS:-1}" --far 'sh /run/far'
        grep -q "^${one#*:} *kept" /run/output ||
            fail "scenario ${one%:*} of the suite gave no occasion for rule ${one#*:}"
    done
}

# keeps_in_the_long_form SCENARIO:KEY...: the same, where the lab was started with SEEDS.
keeps_in_the_long_form() {
    [ -z "${SEEDS-}" ] || keeps "$@"
}
