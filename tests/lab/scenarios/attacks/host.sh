# shellcheck shell=bash
about 'what users of some files of ringback, or of none, must not get by them, without an IOMMU'
on 6.1 6.12 newest
debug_on debug rt
within 300
own_modules ringback
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
