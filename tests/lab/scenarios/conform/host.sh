# shellcheck shell=bash
about "Ringback's provider on the module ringback keeps the contract of TSPI: ringback conform"
within 600
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest ringback-capi-tsp/libringback_tsp.so
card
conforms_whole
