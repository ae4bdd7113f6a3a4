# shellcheck shell=bash
# The kernels of `make lab-debug`: `debug`, which checks itself, and `rt`, Debian's PREEMPT_RT.
#
# They are added to the root when they are wanted first: the one is built there from Debian's
# source, with the options of debug-kernel.config; the other is fetched. Both look like the root's
# other kernels then, so that everything else in the lab treats them as such.

# A hash of the recipe's code and the options, in the names of their list and of the built release.
debug_key() {
    declare -f add_debug_packages build_debug_kernel | cat - "$lab/debug-kernel.config" | sha256sum |
        cut -c 1-8
}

# The factor by which the time limits of a scenario are longer than on the other kernels.
slowness() {
    case $1 in
    debug) echo 6 ;;
    rt) echo 2 ;;
    *) echo 1 ;;
    esac
}

# Adds them to the root if they are not there. The cache is open.
open_debug_kernels() {
    local key list log=$cache/prepare-debug.log
    key=$(debug_key)
    list=$root/lab-kernels-debug-$key
    # Another lab may be building them.
    exec {debug_lock}>"$cache/lock-debug"
    flock -n "$debug_lock" || {
        progress "another lab is building the debug kernel; waiting for it"
        flock "$debug_lock"
    }
    if [ ! -e "$list" ]; then
        progress "adding the debug kernels to $cache, once"
        wait_for_cache -x
        step "$log" "fetching the PREEMPT_RT kernel and what a build of another needs" \
            add_debug_packages
        wait_for_cache -s
        step "$log" "building the debug kernel (15 to 60 minutes)" build_debug_kernel "-debug-$key" "$list"
    fi
    exec {debug_lock}>&-
}

rt_release() {
    in_root "$root" apt-cache depends linux-image-rt-amd64 |
        sed -n 's/^ *Depends: linux-image-\([0-9].*\)/\1/p'
}

add_debug_packages() {
    local release
    in_root "$root" apt-get update
    release=$(rt_release)
    [ -n "$release" ] || give_up "the archive has no PREEMPT_RT kernel for amd64" "try again when it has"
    in_root "$root" apt-get -y install --target-release trixie-backports \
        bc bison flex libelf-dev "linux-image-$release" "linux-headers-$release"
    in_root "$root" apt-get clean
}

# build_debug_kernel SUFFIX LIST: the suffix ends its release. The list is written when all is
# there. Ends its subshell.
build_debug_kernel() {
    local suffix=$1 list=$2 work inside release option make
    work=$(as_root mktemp -d "$root/build/XXXXXXXX")
    inside=${work#"$root"}
    # shellcheck disable=SC2064
    trap "as_root rm -rf '$work'" EXIT
    as_root rm -rf "$root"/{boot/vmlinuz,usr/lib/modules/,usr/src/linux-headers}*-debug-* \
        "$root"/lab-kernels-debug-*
    in_root "$root" tar -C "$inside" -xJf /usr/src/linux-source-6.12.tar.xz --strip-components 1
    as_root cp "$lab/debug-kernel.config" "$work/wanted"
    make=(in_root "$root" nice -n 10 make -C "$inside" -j "$(nproc)" "LOCALVERSION=$suffix")
    "${make[@]}" KCONFIG_ALLCONFIG=wanted allnoconfig
    while read -r option; do
        grep -qxF "$option" "$work/.config" || give_up "this source does not let $option be set"
    done < <(grep ^CONFIG_ "$work/wanted")
    "${make[@]}" bzImage modules
    release=$(cat "$work/include/config/kernel.release")
    "${make[@]}" modules_install
    # Without objects and sources of its own, of which there are 3 GB.
    "${make[@]}" run-command "KBUILD_RUN_COMMAND=\$(srctree)/scripts/package/install-extmod-build \
        /usr/src/linux-headers-$release"
    as_root ln -sfn "/usr/src/linux-headers-$release" "$root/usr/lib/modules/$release/build"
    as_root cp "$work/arch/x86/boot/bzImage" "$root/boot/vmlinuz-$release"
    printf '%s\n' "debug $release" "rt $(rt_release)" | as_root tee "$list"
}
