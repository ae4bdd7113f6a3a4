# shellcheck shell=bash
about "DAHDI's own driver on the software card: every module, calls, samples both ways, faults"
within 600
own_modules dahdi wctdm
programs ringback-lab-guest/lab-guest
card --modules fxs,fxo,empty,fxo --time-scale 2
