#!/bin/sh
. /lib/lab.sh

run modprobe no-such-module
