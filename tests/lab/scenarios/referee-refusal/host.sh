# shellcheck shell=bash
about 'a failing command in the guest fails the scenario, with its words'
must_fail 'modprobe: .*no-such-module'
