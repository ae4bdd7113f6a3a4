#!/bin/sh
# The module makes the kernel warn as well; its errors alone are for the console.
dmesg -n 4
modprobe kasan_test_module || true
