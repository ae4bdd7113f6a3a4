# shellcheck shell=bash
about 'calls between two exchange lines on the module, placed, answered, flashed and hung up in ten countries'
within 600
own_modules ringback
programs ringback-lab-guest/lab-guest
card --modules fxo,fxo
