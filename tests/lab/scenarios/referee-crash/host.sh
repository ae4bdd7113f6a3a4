# shellcheck shell=bash
about 'the lab notices a kernel that dies'
must_fail 'the kernel complained: .*Kernel panic'
