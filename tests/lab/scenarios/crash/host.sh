# shellcheck shell=bash
about 'programs that are killed while they hold the card: lines on-hook, requests ended, a card that works'
debug_on debug rt
within 400
own_modules ringback
programs ringback-cli/ringback ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
