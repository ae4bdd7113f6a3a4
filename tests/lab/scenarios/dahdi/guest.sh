#!/bin/sh
. /lib/lab.sh

# says TEXT: whether the kernel has said so since `forget`.
says() {
    dmesg | grep -qF -e "$1"
}

# said TEXT ...: the kernel has said all of it.
said() {
    for text in "$@"; do
        says "$text" || fail "the driver did not say '$text'"
    done
}

# says_within TEXT: waits until the kernel has said so.
says_within() {
    wait_for 120 "message '$1'" says "$1"
}

forget() {
    dmesg -c >/dev/null
}

far() {
    run lab-guest far "$@"
}

load() {
    forget
    run modprobe wctdm
}

run modprobe dahdi auto_assign_spans=1
load
said 'Freshmaker version: 73' 'Freshmaker passed register test' \
    'Module 0: Installed -- AUTO FXS/DPO' \
    'Module 1: Installed -- AUTO FXO (FCC mode)' \
    'Module 2: Not installed' \
    'Module 3: Installed -- AUTO FXO (FCC mode)' \
    'Found a Wildcard TDM: Wildcard TDM400P REV E/F (3 modules)'
run lab-guest dahdi-telephone
run lab-guest dahdi-incoming
run lab-guest dahdi-outgoing

# A module that loses its registers, and one whose transistors get too hot, are set up again.
forget
far fault part-reset:0 on
says_within 'Ouch, part reset, quickly restoring reality (0)'
far fault part-reset:0 off
run lab-guest dahdi-hook
far fault power-alarm:0 on
says_within 'Power alarm on module 1, resetting!'
far fault power-alarm:0 off
run lab-guest dahdi-hook

# The driver stops at an aborted bus cycle, and works again when it is loaded again.
forget
far fault target-abort on
says_within 'PCI Target abort'
far fault target-abort off
unload wctdm
load
forget
far fault master-abort on
says_within 'TDM PCI Master abort'
far fault master-abort off
unload wctdm

far fault no-power:0 on
far fault no-iso-link:1 on
load
said 'DID YOU REMEMBER TO PLUG IN THE HD POWER CABLE TO THE TDM400P??' \
    'Module 0: FAILED FXS (FCC)' \
    'VoiceDAA did not bring up ISO link properly!' \
    'Module 1: Not installed' \
    'Module 3: Installed -- AUTO FXO (FCC mode)'
unload wctdm
far fault no-power:0 off
far fault no-iso-link:1 off

# Nothing of it is left behind: neither in the driver nor in the card.
load
said 'Found a Wildcard TDM: Wildcard TDM400P REV E/F (3 modules)'
run lab-guest dahdi-hook
unload wctdm
run lab-guest dahdi-silent
unload dahdi
