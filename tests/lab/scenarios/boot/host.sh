# shellcheck shell=bash
about 'the machine itself: three kernels start, load a module, and switch off'
on 6.1 6.12 newest
modules uio_pci_generic
