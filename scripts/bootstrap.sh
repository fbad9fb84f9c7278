#!/bin/bash
# Installs what building and testing needs, where it is missing; does nothing, offline and as any user, when all is there.
#
#   scripts/bootstrap.sh [PACKAGE...]     Debian packages wanted besides the usual ones
#
# Exit codes: 0 everything is there; 69 something is missing that cannot be installed here (the message says what).
set -euo pipefail

unavailable() {
    printf 'bootstrap: %s\n' "$@" >&2
    exit 69
}

# --------------------------------------------------------------------- Swift

needs_swift="needs Swift 6.3 or newer: see https://www.swift.org/install/linux (swiftly install 6.3.1)"
command -v swift >/dev/null || unavailable "there is no swift in PATH; this project $needs_swift"
found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
[[ -n $found ]] || unavailable "'swift --version' does not say a version; this project $needs_swift"
if ((${found%%.*} < 6 || ${found%%.*} == 6 && ${found#*.} < 3)); then
    unavailable "swift in PATH is version $found; this project $needs_swift"
fi

# ------------------------------------------------------------- other systems

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    if pkg-config --exists gnutls nettle 2>/dev/null; then exit 0; fi
    unavailable "this is no Debian or Ubuntu: install these packages by hand and start again" \
        "  Fedora: sudo dnf install gnutls-devel nettle-devel openssl-devel pkgconf-pkg-config gnutls-utils openssl curl python3 gcc-c++ git" \
        "  Arch:   sudo pacman -S gnutls nettle openssl pkgconf curl python gcc git"
fi

# -------------------------------------------------------------------- Debian

is_installed() {
    local status
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) && [[ $status == installed ]]
}

missing=()
for package in libgnutls28-dev nettle-dev libssl-dev pkg-config gnutls-bin openssl softhsm2 curl python3 python3-pycurl ca-certificates g++ git "$@"; do
    is_installed "$package" && continue
    # Newer systems have pkgconf in its place.
    [[ $package == pkg-config ]] && command -v pkg-config >/dev/null && continue
    missing+=("$package")
done
((${#missing[@]})) || exit 0

by_hand="install them by hand: apt-get install ${missing[*]}"
if ((EUID == 0)); then
    as_root=(env)
elif command -v sudo >/dev/null; then
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    [[ -t 0 ]] || as_root+=(-n)
    as_root+=(env)
else
    unavailable "missing packages: ${missing[*]}" "neither root nor sudo is available; $by_hand"
fi
echo "bootstrap: installing ${missing[*]}" >&2
install() {
    "${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >&2
}
# The lists may be new enough, and the network may be down: only the result counts.
install install --yes --no-install-recommends "${missing[@]}" 2>/dev/null && exit 0
install update || true
install install --yes --no-install-recommends "${missing[@]}" || unavailable "missing packages: ${missing[*]}" "$by_hand"
