# shellcheck shell=bash
# Programs of this workspace that scenarios run, in the guest or beside it.

# built_program PACKAGE/PROGRAM LOG: builds it and prints where it is.
built_program() {
    local package=${1%/*} program=${1#*/} folder
    folder=$(cd "$tree" && cargo metadata --locked --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    # Says so only where it takes long: a program that is there is soon checked.
    if [ -e "$folder/release/$program" ]; then
        build_program "$package" "$program" >"$2" 2>&1 || {
            tail -n 15 "$2" >&2
            give_up "$program does not build; all of it is in $2"
        }
    else
        step "$2" "building $program" build_program "$package" "$program"
    fi
    printf '%s\n' "$folder/release/$program"
}

build_program() {
    (cd "$tree" && cargo build --locked --release --package "$1" --bin "$2")
}
