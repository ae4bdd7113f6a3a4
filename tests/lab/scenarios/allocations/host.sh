# shellcheck shell=bash
about 'each allocation that the module ringback makes fails once: errors, nothing left, a card that works'
on
debug_on debug
within 300
own_modules ringback
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
