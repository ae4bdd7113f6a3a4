# shellcheck shell=bash
about 'the benchmark on uio_dummy, in guest instructions: the whole path of a request against a blocking read'
within 450
counts_instructions
# Without this the kernel tests its ciphers for seconds, on the only processor.
kernel_arguments cryptomgr.notests
own_modules uio_dummy
programs ringback-cli/ringback ringback-lab-guest/lab-guest
