#!/bin/sh
. /lib/lab.sh

# hold: a program has everything, with the line off-hook and requests under way.
hold() {
    rm -f /run/forever
    lab-guest kmod-forever >/run/forever &
    holder=$!
    wait_for 60 'running program' grep -q running /run/forever
}

# gone: the program has ended by a signal, and not because it found something wrong.
gone() {
    status=0
    wait "$holder" || status=$?
    [ $status -gt 128 ] || fail "the program ended by itself: $(tail -n 1 /run/forever)"
}

run modprobe ringback
for signal in KILL KILL TERM; do
    hold
    ! rmmod ringback 2>/dev/null || fail 'the module was removed under use'
    kill -$signal $holder
    gone
    run lab-guest kmod-left
done

# Ringback's own program, in the middle of a call.
far_line() {
    lab-guest far state | grep -q "\"state\":\"$1\""
}
# talk OPTION...
talk() {
    ringback call 3 5550100 --card shim:/dev/uio0 "$@" >/run/call 2>&1 &
    caller=$!
    wait_for 120 conversation far_line talking
    # The caller hears the sound of the telephone that answers.
    run lab-guest far subscriber 5550100 tone 1000 2000
    wait_for 60 'answer at our side' grep -q ' connected' /run/call
}
run lab-guest far subscriber 5550100 add
run lab-guest far subscriber 5550100 answer-after 1
talk
kill -KILL $caller
wait "$caller" || true
run lab-guest kmod-left
run ringback lines --card shim:/dev/uio0

# unplug, plug_in: the card is pulled out without notice to the kernel, and plugged in again.
unplug() {
    run lab-guest far fault removal on
}
plug_in() {
    echo 1 >"$(readlink -f /sys/class/uio/uio0/device)/remove"
    run lab-guest far fault removal off
    echo 1 >/sys/bus/pci/rescan
    wait_for 20 'UIO device' [ -e /dev/uio0 ]
}

# ended PROGRAM LOG: checks that the program has printed that the card is gone and what to do, and
# has ended by itself.
ended() {
    status=0
    wait "$1" || status=$?
    cat "$2"
    [ $status = 7 ] || fail "ringback ended with status $status, not 7: $(tail -n 1 "$2")"
    grep -q '^ringback: .*:/dev/uio0 was removed.*; seat it ' "$2" ||
        fail "ringback did not say what to do: $(tail -n 1 "$2")"
    ! grep -q panicked "$2" || fail 'ringback has panicked'
}

# The card vanishes below its program, and is plugged in again.
hold
unplug
wait "$holder" || true
grep -q 'ended with -19' /run/forever ||
    fail "nobody noticed the removal: $(tail -n 1 /run/forever)"
plug_in
run lab-guest kmod-left

# The same below Ringback's own: in a conversation, and while it moves samples and waits for calls.
talk
unplug
ended $caller /run/call
! ringback lines --card shim:/dev/uio0 >/run/lines 2>&1 || fail 'a card that is gone has lines'
grep 'seat it' /run/lines || fail "ringback did not say what to do: $(tail -n 1 /run/lines)"
plug_in
ringback monitor --card uio:/dev/uio0 >/run/monitor 2>&1 &
monitor=$!
wait_for 120 'monitor' grep -q 'end with Ctrl-C' /run/monitor
unplug
ended $monitor /run/monitor
plug_in
talk --hangup-after 1
wait "$caller" || fail "the card that was plugged in again makes no call: $(tail -n 1 /run/call)"
wait_for 60 'end of the call at the exchange' far_line idle
unload ringback
