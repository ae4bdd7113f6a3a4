# shellcheck shell=bash
# The guest's file system: busybox, the modules and programs that a scenario names, its script.

# make_initramfs FOLDER RELEASE GUEST_SCRIPT: leaves FOLDER/initramfs.
# Uses the scenario's modules, own_modules and programs.
make_initramfs() {
    local folder=$1 release=$2 script=$3 fs=$1/fs program built
    rm -rf "$fs"
    mkdir -p "$fs"/{bin,dev,etc,lib,proc,run,sbin,sys,tmp,usr/bin,usr/sbin}
    cp "$root/usr/bin/busybox" "$fs/bin/busybox"
    (cd "$fs/bin" && ./busybox --install .)
    install -m 755 "$lab/guest-root/init" "$fs/init"
    cp "$lab/guest-root/lab.sh" "$fs/lib/lab.sh"
    cp "$script" "$fs/scenario.sh"
    add_modules "$fs" "$release" "$folder/modules.log"
    for program in "${programs[@]}"; do
        built=$(built_program "$program" "$folder/build.log")
        add_program "$fs" "${program#*/}" "$built"
    done
    (cd "$fs" && find . | from_root "$root" bin/cpio --quiet -o -H newc -R 0:0) >"$folder/initramfs"
    rm -rf "$fs"
}

# With what they depend on.
add_modules() {
    local fs=$1 release=$2 log=$3 name file files path depends depend
    local from=$root/usr/lib/modules/$release to=$fs/lib/modules/$release
    local wanted=("${modules[@]}")
    mkdir -p "$to/own"
    for name in "${own_modules[@]}"; do
        file=$(own_module "$name" "$release" "$log")
        cp "$file" "$to/own/"
        IFS=, read -ra depends <<<"$(from_root "$root" sbin/modinfo -F depends "$file")"
        for depend in "${depends[@]}"; do
            [[ " ${own_modules[*]} " == *" $depend "* ]] || wanted+=("$depend")
        done
    done
    cp "$from"/modules.{builtin,builtin.modinfo,order} "$to/"
    for name in "${wanted[@]}"; do
        files=$(module_files "$from" "$name")
        for path in $files; do
            file=$to/${path%.xz}
            [ ! -e "$file" ] || continue
            mkdir -p "$(dirname "$file")"
            case $path in
            *.xz) from_root "$root" bin/xz -dc "$from/$path" >"$file" ;;
            *) cp "$from/$path" "$file" ;;
            esac
        done
    done
    from_root "$root" sbin/depmod -b "$fs" "$release"
}

# module_files FOLDER NAME: the module's file and those of what it depends on; nothing where it is
# part of the kernel.
module_files() {
    local pattern=${2//[-_]/[-_]}
    sed -n "s|^\(\(.*/\)\?$pattern\.ko[^:]*\): *|\1 |p" "$1/modules.dep" | tr -s ' ' '\n' |
        grep . || grep -q "/$pattern\.ko$" "$1/modules.builtin" ||
        give_up "${1##*/} has no module $2"
}

# add_program FOLDER NAME FILE: with the libraries it needs.
add_program() {
    local fs=$1 library
    # Without the lines of the sources, which are most of a program: a guest unpacks at most half of
    # the memory that its kernel and this file leave.
    strip --strip-debug -o "$fs/bin/$2" "$3"
    while read -r library; do
        [ ! -e "$fs$library" ] || continue
        mkdir -p "$fs$(dirname "$library")"
        cp -L "$library" "$fs$library"
    done < <(ldd "$3" | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/" { print $1 }')
}
