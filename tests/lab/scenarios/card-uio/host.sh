# shellcheck shell=bash
about 'ringback call on the module ringback that moves the samples itself, by UIO: sound both ways'
within 300
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest
# Not slowed: by UIO the clock tells the driver what it has missed.
card --time-scale 1
