# shellcheck shell=bash
# The folder outside the tree in which everything that is fetched or built once stays: a fresh clone
# finds it again. It can be deleted at any time.
#
# A lab that fills the folder holds its lock exclusively; a lab that uses it holds a shared lock.
# Everything is built under another name and renamed when it is complete.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringback-lab

# The folder's name is a hash of the recipe's code, so that a changed recipe gets a new folder.
root_key() {
    declare -f build_root list_packages find_kernels install_packages |
        cat - <(printf '%s\n' "${kernel_suites[@]}") | sha256sum | cut -c 1-12
}

# Prepares the root, sets `root`, and keeps the cache in use until the lab ends.
open_cache() {
    mkdir -p "$cache" || give_up "can't make $cache" "set XDG_CACHE_HOME to a folder with 4 GB of room"
    exec {cache_lock}>"$cache/lock"
    root=$cache/root-$(root_key)
    wait_for_cache -s
    until [ -e "$root" ] && check_root "$root"; do
        wait_for_cache -x
        # Another lab may have built it meanwhile.
        if ! check_root "$root" 2>/dev/null; then fill_cache; fi
        wait_for_cache -s
    done
    touch "$root/lab-kernels" 2>/dev/null || true
}

wait_for_cache() {
    flock -n "$1" "$cache_lock" && return
    progress "another lab is preparing $cache; waiting for it"
    flock "$1" "$cache_lock"
}

fill_cache() {
    local free
    progress "preparing $cache, once"
    as_root rm -rf "$root" "$cache"/filling.*
    free=$(df --output=avail -k "$cache" | tail -n 1)
    [ "$free" -gt 4000000 ] ||
        give_up "$cache has room for $((free / 1024)) MB, 4 GB are needed" \
            "make room, or set XDG_CACHE_HOME to another folder"
    # The roots of recipes that were not used for two weeks.
    find "$cache" -maxdepth 2 -name lab-kernels -mtime +14 -printf '%h\n' |
        while read -r old; do as_root rm -rf "$old"; done
    local filling=$cache/filling.$$
    build_root "$filling" "$cache/prepare.log"
    check_root "$filling" ||
        give_up "the system in $filling is not what scenarios need" "see $cache/prepare.log"
    as_root mv "$filling" "$root"
}
