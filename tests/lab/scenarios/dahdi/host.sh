# shellcheck shell=bash
about "DAHDI's own driver on the software card: every module, calls, samples both ways, faults"
within 600
own_modules dahdi wctdm
programs ringback-lab-guest/lab-guest
# wctdm acknowledges at once, as the chip's specification wants it.
card --modules fxs,fxo,empty,fxo --fault strict-acknowledgment
# wctdm frees its DMA memory right after it has told the card to stop.
no_posted_writes
