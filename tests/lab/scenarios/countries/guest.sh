#!/bin/sh
. /lib/lab.sh

run modprobe ringback
wait_for 20 'UIO device' [ -e /dev/uio0 ]
run lab-guest countries shim:/dev/uio0
unload ringback
