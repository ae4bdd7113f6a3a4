# shellcheck shell=bash
# Kernel modules that no kernel package has: Ringback's own, samples of the kernel's source, DAHDI.
#
# They are compiled inside the root and kept in the cache by the hash of what they are made of.

# own_module NAME RELEASE LOG: prints the path of NAME.ko for that kernel, building it if needed.
own_module() {
    local name=$1 release=$2 log=$3 set key built
    case $name in
    ringback | uio_dummy)
        set=shim
        [ -d "$tree/kmod-shim" ] || give_up "there is no kmod-shim folder in this tree"
        key=$(cd "$tree/kmod-shim" && find . -name '*.[ch]' -o -name Kbuild -o -name Makefile |
            LC_ALL=C sort | xargs sha256sum | sha256sum)
        ;;
    mtty)
        set=mtty
        key=$(sha256sum "$root"/usr/src/linux-source-6.12.tar.xz)
        ;;
    dahdi | wctdm)
        set=dahdi
        # Fetched once, whatever its version is then.
        key=''
        ;;
    *) give_up "the lab does not know where the module $name comes from" "add it to own_modules.sh" ;;
    esac
    key=$({ echo "$key" && declare -f build_modules "${set}_source" "${set}_make"; } | sha256sum)
    built=$cache/modules/$set-$release-${key:0:12}
    [ -e "$built" ] || step "$log" "building the kernel modules ($set) for $release" \
        build_modules "$set" "$release" "$built"
    [ -e "$built/$name.ko" ] || give_up "the build of $set for $release made no $name.ko" "see $log"
    printf '%s\n' "$built/$name.ko"
}

# build_modules SET RELEASE FOLDER: leaves the set's .ko files in the folder. Ends its subshell.
build_modules() {
    local set=$1 release=$2 built=$3 work inside
    work=$(as_root mktemp -d "$root/build/XXXXXXXX")
    inside=${work#"$root"}
    # shellcheck disable=SC2064
    trap "as_root rm -rf '$work'" EXIT
    as_root chmod 755 "$work"
    "${set}_source" "$work"
    "${set}_make" "$inside" "$release"
    as_root mkdir -p "$work/built"
    as_root find "$work" -maxdepth 1 -name '*.ko' -exec cp -t "$work/built" {} +
    as_root mkdir -p "$cache/modules"
    # Another lab may have been faster; its modules are the same.
    as_root mv -T "$work/built" "$built" 2>/dev/null || [ -e "$built" ]
}

# The newest kernel wants a sparse that only sid has, and packages of headers leave checkpatch out. Both
# are kept in the root.
shim_source() {
    as_root cp -r "$tree/kmod-shim/." "$1"
    [ -e "$root/opt/checkpatch" ] || {
        as_root mkdir "$1/source"
        # Spelling and the like are lists beside the script.
        in_root "$root" tar -C "${1#"$root"}/source" -xJf /usr/src/linux-source-6.12.tar.xz \
            --strip-components 2 --occurrence linux-source-6.12/scripts/checkpatch.pl \
            linux-source-6.12/scripts/{spelling.txt,const_structs.checkpatch}
        as_root mv -T "$1/source" "$root/opt/checkpatch" 2>/dev/null || [ -e "$root/opt/checkpatch" ]
    }
    [ -e "$root/opt/sparse" ] || {
        from_sid "$1" sparse
        as_root mv "$1/apt/usr/bin/sparse" "$root/opt/sparse"
    }
}

# Ours are built with every warning an error, with checkpatch, and with sparse: that of sid, as long as
# it runs on the root's libraries.
shim_make() {
    local sparse=/opt/sparse
    in_root "$root" "$sparse" --version || sparse=sparse
    in_root "$root" make -C "$1" KVER="$2" CHECK="$sparse" \
        CHECKPATCH=/opt/checkpatch/checkpatch.pl check
}

mtty_source() {
    # Inside the root, which has xz; the host may not.
    in_root "$root" tar -C "${1#"$root"}" -xJf /usr/src/linux-source-6.12.tar.xz --strip-components 3 \
        linux-source-6.12/samples/vfio-mdev/mtty.c
    echo 'obj-m := mtty.o' | as_root tee "$1/Kbuild"
}

mtty_make() {
    in_root "$root" make -C "/lib/modules/$2/build" M="$1" modules
}

# from_sid FOLDER PACKAGE: unpacks a package that only sid has in FOLDER/apt. Sid's package list is kept
# apart, so that nothing else of it gets into the root.
from_sid() {
    local folder=$1 package=$2 apt=${1#"$root"}/apt address options
    address=$(archive_address sid)
    as_root mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache"
    echo "deb $address sid main" | as_root tee "$folder/apt/sources.list"
    options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache")
    in_root "$root" apt-get "${options[@]}" update
    # shellcheck disable=SC2016
    in_root "$root" sh -ec 'cd "$1" && package=$2; shift 2; apt-get "$@" download "$package"; dpkg-deb -x *.deb .' \
        sh "$apt" "$package" "${options[@]}"
}

# DAHDI's source, unchanged.
dahdi_source() {
    need_program bzip2 bzip2
    from_sid "$1" dahdi-source
    as_root tar -C "$1" -xjf "$1/apt/usr/src/dahdi.tar.bz2" --strip-components 2
}

# Only what is needed of it: the whole does not build on newer kernels.
dahdi_make() {
    in_root "$root" make -C "/lib/modules/$2/build" M="$1/drivers/dahdi" \
        DAHDI_INCLUDE="$1/include" DAHDI_BUILD_ALL='' CONFIG_DAHDI=m CONFIG_DAHDI_WCTDM=m modules
    as_root mv "$root$1"/drivers/dahdi/{dahdi,wctdm}.ko "$root$1/"
}
