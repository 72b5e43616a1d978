# SPDX-License-Identifier: MIT
# Sourced by scripts/bootstrap and scripts/fetch-rivals: packages of other Debian suites. Their index
# and their files are checked against the Debian archive keys like the system's own, but live in a
# private folder: the system's apt configuration and package set stay as they are.

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}

# The mirror that the system itself uses for the suite $1, whatever form its sources have.
mirror_of() {
    apt-get indextargets --format '$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' |
        awk -F'|' -v suite="$1" '$2 == suite && $3 == "main" { print $1; exit }'
}

# private_apt FOLDER MIRROR SUITE...: reads the suites' index; afterwards "${apt[@]}" is an apt-get
# that knows these suites and nothing else, and believes that no package is installed.
private_apt() {
    local folder=$1 mirror=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    shift 2
    [ -r "$keyring" ] || { echo "$keyring is missing (package debian-archive-keyring)" >&2; return 1; }
    mkdir -p "$folder"/{lists/partial,cache/archives/partial,none}
    : >"$folder/status"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "$mirror" "$*" "$keyring" >"$folder/list.sources"
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$folder/list.sources"
        -o "Dir::Etc::SourceParts=$folder/none" -o "Dir::Etc::PreferencesParts=$folder/none"
        -o "Dir::State::Lists=$folder/lists" -o "Dir::State::status=$folder/status"
        -o "Dir::Cache=$folder/cache"
        -o Debug::NoLocking=1 -o APT::Update::Post-Invoke-Success::=true)
    [ "$(id -u)" = 0 ] && apt+=(-o APT::Sandbox::User=root)
    quietly "${apt[@]}" update
}
