#!/bin/sh
# Only errors go to the console, because the module makes the kernel warn as well.
dmesg -n 4
modprobe kasan_test_module || true
