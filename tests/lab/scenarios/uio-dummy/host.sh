# shellcheck shell=bash
about 'the driver under real UIO: 100 000 requests, removal, kill -9, ids in the ring'
on 6.1 6.12 newest
within 180
own_modules uio_dummy
programs ringback-lab-guest/lab-guest
