# shellcheck shell=bash
# The software card in the machine, for scenarios that say `card`.
#
# The guest's memory is shared with it. The guest's /dev/virtio-ports/far leads to the card's far ends:
# `lab-guest far COMMAND`, `ringback demo --far`.

# plug_card FOLDER: starts the card beside the machine, and gives the machine its slot and the port.
plug_card() {
    local folder=$1 program
    program=$(built_program ringback-cli/ringback "$folder/build.log")
    # A socket's path has to be short, and that of the folder need not be.
    sockets=$(mktemp -d)
    start_beside "$folder/card.log" "$program" -v softcard --vfio-user "$sockets/card" \
        --control "$sockets/far" --time-scale "$time_scale" "${card_options[@]}"
    wait_for_socket "$sockets/far" || {
        tail -n 3 "$folder/card.log" >&2
        give_up "the software card does not start: see $folder/card.log"
    }
    modules+=(virtio_pci virtio_console)
    machine+=(-machine memory-backend=ram
        -object "memory-backend-memfd,id=ram,size=512M,share=on"
        -device "{\"driver\":\"vfio-user-pci\",\"x-no-posted-writes\":$unposted,\"socket\":{\"type\":\"unix\",\"path\":\"$sockets/card\"}}"
        -device virtio-serial-pci -chardev "socket,id=far,path=$sockets/far"
        -device 'virtserialport,chardev=far,name=far')
}

# Sockets go with the program that made them; what is left is an empty folder.
unplug_card() {
    [ -z "$sockets" ] || rm -rf "$sockets"
}

wait_for_socket() {
    local tenth
    for ((tenth = 0; tenth < 100; tenth++)); do
        [ ! -S "$1" ] || return 0
        sleep 0.1
    done
    return 1
}
