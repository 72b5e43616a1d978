# SPDX-License-Identifier: MIT
# Sourced by scripts/bootstrap and scripts/fetch-*: packages of other Debian suites. Their index and
# their files are checked against the Debian archive keys like the system's own, but live in a
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

# private_apt FOLDER MIRROR SUITE...: reads the suites' index, that of sources with kind=deb-src;
# afterwards "${apt[@]}" is an apt-get that knows these suites and nothing else, and believes that no
# package is installed.
private_apt() {
    local folder=$1 mirror=$2 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    shift 2
    [ -r "$keyring" ] || { echo "$keyring is missing (package debian-archive-keyring)" >&2; return 1; }
    mkdir -p "$folder"/{lists/partial,cache/archives/partial,none}
    : >"$folder/status"
    printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
        "${kind:-deb}" "$mirror" "$*" "$keyring" >"$folder/list.sources"
    apt=(apt-get -qq -o "Dir::Etc::SourceList=$folder/list.sources"
        -o "Dir::Etc::SourceParts=$folder/none" -o "Dir::Etc::PreferencesParts=$folder/none"
        -o "Dir::State::Lists=$folder/lists" -o "Dir::State::status=$folder/status"
        -o "Dir::Cache=$folder/cache"
        -o Debug::NoLocking=1 -o APT::Update::Post-Invoke-Success::=true)
    [ "$(id -u)" = 0 ] && apt+=(-o APT::Sandbox::User=root)
    quietly "${apt[@]}" update
}

# unpack PREFIX SUITE PACKAGE...: these and all that they need, down to the C library, as no package
# counts as installed, below PREFIX/root, in place of what was there. Afterwards `version PACKAGE`
# says which, and "$private" is a folder for the rest of the script. Calls the script's own `die`.
unpack() {
    local prefix=$1 suite=$2 mirror deb
    shift 2
    command -v dpkg-deb >/dev/null || die "needs a Debian system"
    mirror=$(. /etc/os-release && mirror_of "${VERSION_CODENAME:-}")
    [ -n "$mirror" ] || die "apt's sources name no Debian mirror"
    private=$(mktemp -d)
    trap 'rm -rf "$private"' EXIT
    private_apt "$private" "$mirror" "$suite" || die "could not read the index of $suite (see above)"
    quietly "${apt[@]}" install --download-only -y --no-install-recommends "$@" ||
        die "could not fetch it from $suite (see above)"
    rm -rf "$prefix"
    mkdir -p "$prefix/root"
    for deb in "$private"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$prefix/root"; done
}
version() { dpkg-deb -f "$(echo "$private/cache/archives/$1"_*.deb)" Version; }
