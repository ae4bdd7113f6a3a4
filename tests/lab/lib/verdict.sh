# shellcheck shell=bash
# Whether a machine's run is a pass, and if not, why.
#
# It passes if the guest's script said so and the kernel complained about nothing.

# What a kernel says when something is wrong with it, or with what a module did to it.
complaints=(
    'BUG:' 'BUG [a-z]' 'Oops' 'WARNING:' 'UBSAN:' 'KASAN:' 'KFENCE:' 'KCSAN:' 'Kernel panic' 'Call Trace:'
    'general protection fault' 'unable to handle' 'double fault' 'invalid opcode' 'divide error'
    'segfault at' 'traps: .* trap '
    'INFO: task .* blocked for more than' 'INFO: possible' 'INFO: trying to register'
    'possible circular locking' 'inconsistent lock state' 'bad unlock balance' 'held lock'
    'detected stall' 'self-detected stall' 'RCU grace-period' 'soft lockup' 'hard LOCKUP'
    'scheduling while atomic' 'sleeping function called'
    'nobody cared' 'Disabling IRQ' 'DMAR: .*fault reason' 'DMAR: DRHD: handling fault'
    'list_add corruption' 'list_del corruption' 'refcount_t:' 'page allocation failure'
    'Out of memory' 'oom-kill' 'kmem_cache_destroy' 'objects remaining' 'Bad page' 'Bad rss'
    'ODEBUG:' 'DEBUG_LOCKS_WARN_ON' 'lockdep is turned off' 'Fixing recursive fault'
    'NOHZ tick-stop error' 'RT throttling activated'
    'unreferenced object' 'remove_proc_entry: .* leaking' 'sysfs: cannot create duplicate'
    'uninitialized object' 'DMA-API: .*:' 'unsafe DMA' 'Freeing .* with .* mappings'
)

# Bits of /proc/sys/kernel/tainted: machine check, bad page, died, warned, locked up.
bad_taint=$((1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14))

# complaint CONSOLE: the first line in which the kernel complains.
complaint() {
    local pattern
    pattern=$(printf '|%s' "${complaints[@]}")
    grep -a -m 1 -E "^\[ *[0-9.]+\].*(${pattern:1})" "$1"
}

# verdict FOLDER STATUS SECONDS: prints why the run failed; nothing, and success, if it did not.
# STATUS is run_machine's.
verdict() {
    local folder=$1 status=$2 seconds=$3 line outcome taint reason
    if line=$(complaint "$folder/console.log" 2>/dev/null); then
        printf 'the kernel complained: %s\n' "${line%$'\r'}"
        return 1
    fi
    case $status in
    0) ;;
    124 | 137)
        printf 'no end within %s s\n' "$seconds"
        return 1
        ;;
    *)
        printf 'QEMU failed: %s\n' "$(tail -n 1 "$folder/qemu.log")"
        return 1
        ;;
    esac
    # A line "pass TAINT" or "fail TAINT REASON", and nothing else.
    read -r outcome taint reason < <(tr -d '\r' <"$folder/result") || true
    if [ "$outcome" = pass ] && [[ $taint =~ ^[0-9]+$ ]] && [ $((taint & bad_taint)) = 0 ]; then
        return 0
    elif [ "$outcome" = pass ]; then
        printf 'the kernel is tainted: %s\n' "$taint"
    elif [ "$outcome" = fail ]; then
        printf '%s\n' "$reason"
    else
        printf 'the machine went off without a result\n'
    fi
    return 1
}
