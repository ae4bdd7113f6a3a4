# shellcheck shell=bash
# Prints messages on the terminal. Results go to stdout, everything else to stderr.

progress() {
    printf 'lab: %s\n' "$*" >&2
}

# give_up CAUSE [CURE]: ends the lab, or the scenario where one is running.
give_up() {
    printf 'lab: %s\n' "$1" >&2
    [ -z "${2-}" ] || printf 'lab: %s\n' "$2" >&2
    exit 1
}

# step LOG TEXT COMMAND...: runs a command that takes a while. Its output goes to the log, whose end
# is shown if it fails.
step() {
    local log=$1 text=$2 began=$SECONDS
    shift 2
    progress "$text ..."
    # This is never called as a condition, because set -e would then be off inside the command.
    set +e
    (
        set -e
        "$@"
    ) >>"$log" 2>&1 </dev/null
    local status=$?
    set -e
    if [ "$status" = 0 ]; then
        progress "$text took $((SECONDS - began)) s"
        return
    fi
    progress "$text failed"
    tail -n 15 "$log" | sed 's/^/     | /' >&2
    give_up "all of it is in $log"
}
