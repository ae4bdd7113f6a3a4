# shellcheck shell=bash
about 'ringback call on the module ringback that moves the samples itself, by UIO: sound both ways'
within 300
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest
# The card is not slowed, because with UIO the driver calculates by the clock what it has missed.
card
time_scale 1
