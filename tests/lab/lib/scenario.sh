# shellcheck shell=bash
# A scenario is a folder: host.sh describes the machine that it needs, guest.sh runs in it.
#
# host.sh may also define before_boot and after_power_off, which run on the host with the scenario's
# folder as their argument; a failure of theirs is the scenario's.

# The functions that host.sh may call.
about() { about=$1; }
on() { kernels=("$@"); }
# The kernels of `make lab-debug` on which it runs.
debug_on() { debug_kernels=("$@"); }
within() { deadline=$1; }
modules() { modules=("$@"); }
own_modules() { own_modules=("$@"); }
programs() { programs=("$@"); }
kernel_arguments() { kernel_arguments=("$@"); }
# For scenarios that test the lab itself: a pass is a failure whose cause matches.
must_fail() { must_fail=$1; }
# The machine's clock counts the guest's instructions, see machine.sh.
counts_instructions() { counts=yes; }
machine() { machine+=("$@"); }
card() { has_card=yes card_options=("$@"); }
# How many times slower than the machine's clock the card's is, instead of 2: a machine is slow.
time_scale() { time_scale=$1; }
# With SEEDS in the environment, the long form of the conformance suite with so many fresh seeds.
conforms_whole() {
    [ -n "${SEEDS-}" ] || return 0
    kernel_arguments+=("SEEDS=$SEEDS" "SEED=$(date +%s)")
    deadline=5400
}
# For drivers that free the card's memory without having read back that it has stopped.
no_posted_writes() { unposted=true; }

# load_scenario NAME: reads its host.sh, and forgets the scenario that was read before.
load_scenario() {
    before_boot() { :; }
    after_power_off() { :; }
    about='' kernels=(6.12) debug_kernels=() deadline=60 must_fail='' counts=''
    modules=() own_modules=() programs=() kernel_arguments=() machine=() beside=() sockets='' unposted=false
    has_card='' card_options=() time_scale=2
    [ -r "$lab/scenarios/$1/host.sh" ] || give_up "there is no scenario $1" "list them: run --list"
    # shellcheck source=/dev/null
    source "$lab/scenarios/$1/host.sh"
}

all_scenarios() {
    cat "$lab/scenarios/order"
}

# run_scenario NAME KERNEL FOLDER: fails with the cause in FOLDER/reason.
run_scenario() {
    local name=$1 kernel=$2 folder=$3 release status=0 slowness
    trap 'stop_beside; unplug_card' EXIT
    trap 'exit 143' TERM
    load_scenario "$name"
    slowness=$(slowness "$kernel")
    deadline=$((deadline * slowness)) time_scale=$((time_scale * slowness))
    # The kernel gives it to the guest's programs as a variable.
    [ "$slowness" = 1 ] || kernel_arguments+=("SLOWNESS=$slowness")
    release=$(kernel_release "$root" "$kernel")
    [ -z "$has_card" ] || plug_card "$folder"
    make_initramfs "$folder" "$release" "$lab/scenarios/$name/guest.sh"
    before_boot "$folder"
    run_machine "$folder" "$release" "$deadline" || status=$?
    if [ -n "$must_fail" ]; then
        verdict "$folder" "$status" "$deadline" >"$folder/reason" &&
            echo 'it passed, and had to fail' >"$folder/reason"
        grep -q -e "$must_fail" "$folder/reason"
    else
        verdict "$folder" "$status" "$deadline" >"$folder/reason"
    fi
    after_power_off "$folder"
}
