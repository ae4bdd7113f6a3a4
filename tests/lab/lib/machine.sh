# shellcheck shell=bash
# One virtual machine: q35, two processors, software emulation. A machine that counts has one
# processor, and its clock moves by 1 ns with every instruction of the guest, so that its times are
# counts of instructions, the same in every run. While the guest idles, the clock jumps to its next
# timer.
#
# The first serial line is the console, the second carries nothing but the scenario's result.

# run_machine FOLDER RELEASE SECONDS: boots FOLDER/initramfs and waits until the machine is off.
# Leaves console.log, result and qemu.log. 124 if it had to be stopped at its deadline.
# Uses the scenario's machine, kernel_arguments and counts.
run_machine() {
    local folder=$1 release=$2 seconds=$3
    rm -f "$folder"/{console.log,result,qemu.log}
    # tsc=reliable: without it the guest takes the emulated clock for unstable, and each reading of
    # the time costs a trap.
    # no_timer_check: without it a guest that gets no processor while it counts ten ticks does not
    # boot.
    local arguments=(console=ttyS0 loglevel=6 panic=-1 oops=panic tsc=reliable no_timer_check
        "${kernel_arguments[@]}")
    local processors=(-accel 'tcg,thread=multi' -smp 2)
    [ -z "$counts" ] || processors=(-accel 'tcg,thread=single' -smp 1 -icount 'shift=0,sleep=off')
    # In a process group of its own, so that after Ctrl-C this script ends everything in order. QEMU
    # looks for its modules where Debian has them; those of the host's QEMU would not fit this one.
    QEMU_MODULE_DIR="$root/usr/lib/x86_64-linux-gnu/qemu" timeout --kill-after=5 "$seconds" \
        "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
        "$root/usr/bin/qemu-system-x86_64" \
        -L "$root/usr/share/seabios" -L "$root/usr/share/qemu" \
        -nodefaults -no-user-config -display none -no-reboot \
        -machine q35 "${processors[@]}" -m 512 \
        -serial "file:$folder/console.log" -serial "file:$folder/result" \
        -kernel "$root/boot/vmlinuz-$release" -initrd "$folder/initramfs" \
        -append "${arguments[*]}" "${machine[@]}" >"$folder/qemu.log" 2>&1 </dev/null &
    beside+=($!)
    local status=0
    wait $! || status=$?
    unset 'beside[-1]'
    return "$status"
}

# start_beside LOG COMMAND...: a program on the host that lives as long as the scenario.
start_beside() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null &
    beside+=($!)
}

stop_beside() {
    local process
    for process in "${beside[@]}"; do
        kill "$process" 2>/dev/null || true
    done
    for process in "${beside[@]}"; do
        wait "$process" 2>/dev/null || true
    done
    beside=()
}
