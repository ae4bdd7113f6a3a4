#!/bin/sh
. /lib/lab.sh

run modprobe ringback
wait_for 20 'UIO device' [ -e /dev/uio0 ]
run lab-guest sound-call uio:/dev/uio0
run ringback lines --card uio:/dev/uio0
unload ringback
