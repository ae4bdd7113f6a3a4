# shellcheck shell=bash
about "the lab notices memory that a module leaks"
on
debug_on debug
modules kmemleak-test
must_fail 'memory was left that nothing points to'
