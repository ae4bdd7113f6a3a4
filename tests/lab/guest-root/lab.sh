#!/bin/sh
# Functions for the scenarios' scripts in the guest, which run under `sh -eu`.

# busybox has it.
# shellcheck disable=SC3040
set -o pipefail

# fail REASON...: ends the scenario with a reason that the person at the terminal reads.
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

# unload MODULE: once nobody uses it. The kernel closes the files of a ring that is gone a moment
# after its process has ended.
unload() {
    wait_for 20 "end of the use of $1" grep -q "^$1 [0-9]* 0 " /proc/modules
    run rmmod "$1"
}
