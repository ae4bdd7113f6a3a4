#!/bin/sh
. /lib/lab.sh

tracing=/sys/kernel/tracing
card=/sys/class/uio/uio0/device

# far_port: the file that leads to the card's far ends.
far_port() {
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name")" != far ] || echo "/dev/${port##*/}"
    done
}

# request FUNCTION: the ids that the function's requests had.
request() {
    sed -n "s/.*\"event\":\"submitted\",\"id\":\([0-9]*\),\"function\":\"$1\".*/\1/p" /run/demo
}

run modprobe ringback
wait_for 20 'UIO device' [ -e /dev/uio0 ]
[ "$(cat /sys/class/uio/uio0/name)" = ringback ] || fail 'the UIO device is of another module'
run ringback lines --card shim:/dev/uio0
far=$(far_port)
[ -n "$far" ] || fail 'no way to the far ends'

# Completions of the ring, with the user_data of each.
echo 8192 >$tracing/buffer_size_kb
echo 1 >$tracing/events/io_uring/io_uring_complete/enable
if ! ringback demo --json --card shim:/dev/uio0 --far "$far" >/run/demo 2>/run/errors; then
    grep -v '"event":"digit"' /run/demo
    lab-guest far state
    fail "the demo failed: $(tail -n 1 /run/errors)"
fi
echo 0 >$tracing/events/io_uring/io_uring_complete/enable
grep -E '"event":"(check|summary)"' /run/demo
grep -q '"event":"summary".*"ok":true' /run/demo || fail 'the demo says it was not well'

# The digits of lineDial, four of 80 ms and as much silence after each, were one WRITE under its id.
id=$(request lineDial)
[ -n "$id" ] || fail 'the demo made no request lineDial'
write=$(printf 'user_data 0x8[0-9a-f]{7}%08x, result 5120,' "$id")
found=$(grep -cE "$write" $tracing/trace || true)
grep -E "$write" $tracing/trace | head -n 3
[ "$found" = 1 ] || fail "$found WRITEs of 5120 samples have completed under id $id of lineDial"
# The conversation's sound was played by WRITEs as well, and dropped tones ended at once.
grep -qE 'user_data 0x8[0-9a-f]{7}00000000, result -125,' $tracing/trace ||
    fail 'no tone was dropped'

for counter in ticks missed underruns overruns aborts; do
    echo "$counter: $(cat $card/$counter)"
done
[ "$(cat $card/ticks)" -gt 10000 ] || fail 'the card has hardly ticked'
[ "$(cat $card/overruns)" = 0 ] || fail 'samples that came in were not fetched'
[ "$(cat $card/aborts)" = 0 ] || fail 'the card could not reach memory'

# The same card, with its samples moved by the program.
run ringback lines --card uio:/dev/uio0
unload ringback
