#!/bin/sh
. /lib/lab.sh

# Times have to be guest instructions here; this checks that they are.
run lab-guest counting

# The result is about 3000: 2700 without the requests that end, of which 1800 are for the 32 samples
# of a tick in each direction. The tracepoints that measure it are included.
run modprobe ringback
run lab-guest kmod-interrupt 3300
unload ringback
