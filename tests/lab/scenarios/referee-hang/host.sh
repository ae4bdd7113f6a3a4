# shellcheck shell=bash
about 'the lab ends a machine that does not end'
within 15
must_fail 'no end within 15 s'
