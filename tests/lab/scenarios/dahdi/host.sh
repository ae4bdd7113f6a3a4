# shellcheck shell=bash
about "DAHDI's own driver on the software card: every module, calls, samples both ways, faults"
within 600
own_modules dahdi wctdm
programs ringback-lab-guest/lab-guest
card --modules fxs,fxo,empty,fxo
# wctdm frees its DMA memory right after it has told the card to stop.
no_posted_writes
