# shellcheck shell=bash
# The lab's own Debian: QEMU, three kernels with their headers, compilers, busybox.
#
# It is a folder. The host runs single programs of it where they lie (from_root), compilers run
# inside it (in_root).

# The newest kernel that Debian backports and the two that stable releases carry.
kernel_suites=("6.1 bookworm" "6.12 trixie" "newest trixie-backports")

# in_root FOLDER COMMAND...: as root, inside the folder, with none of the caller's environment.
in_root() {
    local root=$1
    shift
    # /proc for objtool; in a mount namespace, so that nothing stays mounted.
    # INITRD: the kernels' packages need not make an initramfs, the lab makes its own.
    # shellcheck disable=SC2016
    as_root unshare --mount sh -c \
        'mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
        DEBIAN_FRONTEND=noninteractive INITRD=No "$@"
}

# from_root FOLDER PROGRAM ARGUMENTS...: on the host, with the folder's libraries. Needs no root.
from_root() {
    local root=$1 program=$2
    shift 2
    "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
        "$root/usr/$program" "$@"
}

# build_root FOLDER LOG: all of it, from nothing.
build_root() {
    local root=$1 log=$2 address proxy
    need_program debootstrap debootstrap
    address=$(archive_address trixie)
    progress "packages come from $address (as this host's apt is configured)"
    proxy=$(archive_proxy)
    step "$log" "fetching the base system" \
        as_root env http_proxy="$proxy" debootstrap --variant=minbase trixie "$root" "$address"
    step "$log" "fetching the package lists" list_packages "$root" "$address"
    find_kernels "$root"
    step "$log" "fetching QEMU, compilers and three kernels (500 MB; a few minutes)" \
        install_packages "$root"
    as_root mkdir -p "$root/build"
}

list_packages() {
    local root=$1 address=$2 suite
    for suite in bookworm trixie trixie-backports; do
        printf 'deb %s %s main\n' "$address" "$suite"
    done | as_root tee "$root/etc/apt/sources.list"
    {
        archive_settings
        # The folder need not survive a power failure, so nothing is synced.
        cat <<'END'
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Dpkg::Options { "--force-unsafe-io"; };
END
    } | as_root tee "$root/etc/apt/apt.conf.d/90lab"
    # What reaching the archive may take: names, passwords, certificates.
    local file
    for file in resolv.conf hosts apt/auth.conf apt/auth.conf.d ssl/certs/ca-certificates.crt; do
        if [ -e "/etc/$file" ]; then
            as_root mkdir -p "$root/etc/$(dirname "$file")"
            as_root cp -rL "/etc/$file" "$root/etc/$(dirname "$file")/"
        fi
    done
    in_root "$root" apt-get update
}

# Writes lab-kernels: a line "NAME RELEASE" per kernel.
find_kernels() {
    local root=$1 line name suite version release
    for line in "${kernel_suites[@]}"; do
        read -r name suite <<<"$line"
        version=$(in_root "$root" apt-cache madison linux-image-amd64 |
            awk -F' *[|] *' -v "suite= $suite/main " '$3 " " ~ suite && !found++ { print $2 }')
        release=$(in_root "$root" apt-cache show "linux-image-amd64=$version" |
            sed -n 's/^Depends:.* linux-image-\([0-9][^ ,]*\).*/\1/p')
        [ -n "$release" ] ||
            give_up "the archive has no kernel for amd64 in $suite" "try again when it has"
        printf '%s %s\n' "$name" "$release"
    done | as_root tee "$root/lab-kernels" >/dev/null
}

install_packages() {
    local root=$1 packages=() release
    while read -r _ release; do
        packages+=("linux-image-$release" "linux-headers-$release")
    done <"$root/lab-kernels"
    # All from backports where it has them: QEMU's are needed, and kernels' tools go with them.
    in_root "$root" apt-get -y install --target-release trixie-backports \
        qemu-system-x86 busybox-static cpio gcc initramfs-tools kmod linux-source-6.12 make sparse \
        xz-utils "${packages[@]}"
    in_root "$root" apt-get clean
}

# check_root FOLDER: whether what scenarios need is there and runs; names what is not.
check_root() {
    local root=$1 name release kernels=0 file
    from_root "$root" bin/qemu-system-x86_64 -device help | grep vfio-user-pci >/dev/null || {
        progress "its QEMU does not run, or is older than 10.1 (no vfio-user-pci)"
        return 1
    }
    while read -r name release; do
        for file in boot/vmlinuz-$release usr/lib/modules/$release/modules.dep \
            usr/src/linux-headers-$release/Makefile; do
            [ -r "$root/$file" ] || {
                progress "it has no $file"
                return 1
            }
        done
        kernels=$((kernels + 1))
    done <"$root/lab-kernels"
    [ "$kernels" = "${#kernel_suites[@]}" ]
}

# kernel_release FOLDER NAME: what `uname -r` says on the kernel of that name.
kernel_release() {
    cat "$1"/lab-kernels* | awk -v "name=$2" '$1 == name { print $2 }'
}
