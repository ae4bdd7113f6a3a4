# shellcheck shell=bash
# The programs that the host must have, and how to run commands as root on it.

# debootstrap and chroot are not in every user's path.
PATH=$PATH:/usr/sbin:/sbin

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        give_up "$1 needs root, and there is no sudo" "run the lab as root"
    fi
}

need_host() {
    [ "$(uname -sm)" = "Linux x86_64" ] ||
        give_up "the lab's machines run what is built here, on x86-64 Linux; this is $(uname -sm)"
    command -v cargo >/dev/null ||
        give_up "there is no cargo to build the test programs with" "install Rust (rustup.rs)"
}

# need_program PROGRAM PACKAGE: installs a Debian package if the program is missing.
need_program() {
    command -v "$1" >/dev/null && return
    command -v apt-get >/dev/null || give_up "$1 is missing" "install the package $2"
    progress "installing $2"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$2" >/dev/null ||
        give_up "the package $2 could not be installed" "run: apt-get update; apt-get install $2"
}
