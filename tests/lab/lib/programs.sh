# shellcheck shell=bash
# Programs of this workspace that scenarios run, in the guest or beside it.

# All of them: what they share is built once if they are built together.
packages=(ringback-cli ringback-capi-tsp ringback-lab-guest ringback-lab-modem)

# built_program PACKAGE/PROGRAM LOG: builds it and prints where it is.
built_program() {
    local program=${1#*/} folder
    [[ " ${packages[*]} " == *" ${1%/*} "* ]] ||
        give_up "the lab does not build ${1%/*}" "add it to programs.sh"
    folder=$(cd "$tree" && cargo metadata --locked --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    # Says so only where it takes long: a program that is there is soon checked.
    if [ -e "$folder/release/$program" ]; then
        build_programs >"$2" 2>&1 || {
            tail -n 15 "$2" >&2
            give_up "$program does not build; all of it is in $2"
        }
    else
        step "$2" 'building the programs' build_programs
    fi
    printf '%s\n' "$folder/release/$program"
}

build_programs() {
    local package selected=()
    for package in "${packages[@]}"; do selected+=(--package "$package"); done
    (cd "$tree" && cargo build --locked --release "${selected[@]}" --bins --lib)
}
