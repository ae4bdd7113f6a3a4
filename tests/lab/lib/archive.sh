# shellcheck shell=bash
# Where packages come from: the archive that the host's own apt uses, with the host's own settings
# for reaching it.

# archive_address SUITE: the first address in the host's apt configuration that carries the suite.
archive_address() {
    command -v apt-get >/dev/null ||
        give_up "the lab takes QEMU and kernels from a Debian archive, and there is no apt here" \
            "run it on Debian or in a Debian container"
    local addresses address found
    addresses=$(apt-get indextargets --format "\$(CREATED_BY) \$(RELEASE) \$(COMPONENT) \$(REPO_URI)" |
        awk '$1 == "Packages" && $3 == "main" && $2 !~ /-security$/ { sub("/$", "", $4); print $4 }' |
        sort -u)
    [ -n "$addresses" ] ||
        give_up "apt has no archive configured" "add one to /etc/apt/sources.list.d"
    found=$(mktemp)
    # Without the redirection of stdin, a helper that asks a question would read the list.
    while read -r address; do
        case $address in http://* | https://*) ;; *) continue ;; esac
        if /usr/lib/apt/apt-helper -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
            download-file "$address/dists/$1/InRelease" "$found" </dev/null >/dev/null 2>&1; then
            rm -f "$found"
            printf '%s\n' "$address"
            return
        fi
    done <<<"$addresses"
    rm -f "$found"
    give_up "no archive of this host's apt carries Debian $1, or none answers: ${addresses//$'\n'/, }" \
        "check the network and proxy (apt-get update has to work), or add a Debian archive to apt"
}

# How the host's apt reaches the network, for an apt elsewhere.
archive_settings() {
    apt-config dump --no-empty --format '%F "%v";%n' |
        grep -E '^Acquire::(https?::Proxy(::|  *")|Check-|Retries)' || true
}

# The proxy for programs that are not apt.
archive_proxy() {
    local proxy=
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    printf '%s\n' "${http_proxy:-$proxy}"
}
