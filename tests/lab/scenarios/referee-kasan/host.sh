# shellcheck shell=bash
about "the lab notices a use of memory that is nobody's"
on
debug_on debug
modules kasan_test_module
must_fail 'the kernel complained: .*BUG: KASAN'
