#!/bin/sh
. /lib/lab.sh

run modprobe ringback
run lab-guest kmod-allocations
unload ringback
