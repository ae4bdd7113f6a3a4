# shellcheck shell=bash
about "the module and Ringback's driver on the software card: the demo's calls, by the char devices"
within 600
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest
card
