#!/bin/sh
. /lib/lab.sh

make_mtty
run lab-guest mtty-loopback
run lab-guest mtty-line
remove_mtty
