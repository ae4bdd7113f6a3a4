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
talking() {
    lab-guest far state | grep -q '"state":"talking"'
}
run lab-guest far subscriber 5550100 add
run lab-guest far subscriber 5550100 answer-after 1
ringback call 3 5550100 --card shim:/dev/uio0 >/run/call 2>&1 &
caller=$!
wait_for 120 conversation talking
kill -KILL $caller
wait "$caller" || true
run lab-guest kmod-left
run ringback lines --card shim:/dev/uio0

# The card vanishes below its program, and another is plugged in.
hold
run lab-guest far fault removal on
wait "$holder" || true
grep -q 'ended with -19' /run/forever || fail 'nobody noticed the removal'
echo 1 >"$(readlink -f /sys/class/uio/uio0/device)/remove"
run lab-guest far fault removal off
echo 1 >/sys/bus/pci/rescan
run lab-guest kmod-left
unload ringback
