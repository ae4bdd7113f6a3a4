# shellcheck shell=bash
about "what an interrupt of ringback's costs with four ports in use: instructions, no allocation, and how long the lock is held"
within 200
counts_instructions
# Without this the kernel tests its ciphers for seconds, on the only processor.
kernel_arguments cryptomgr.notests
own_modules ringback
programs ringback-lab-guest/lab-guest
card --modules fxs,fxs,fxs,fxo
