#!/bin/sh
# Installs the clients that the conformance runs take from Debian. Does nothing, quickly, when they are present.
#   setup-debian.sh PACKAGE...
# Ends with 0 when every package is installed, 3 when this is not Debian (or a system derived from it), 1 with the reason otherwise.
set -eu

if [ ! -e /etc/debian_version ] || ! command -v dpkg-query >/dev/null; then
  echo "not a Debian system: the packages $* cannot be installed here" >&2
  exit 3
fi

missing() {
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
  done
}

absent=$(missing "$@")
[ -n "$absent" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "missing Debian packages: $absent(and there is no apt-get to install them with)" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  else
    echo "missing Debian packages: $absent- install them as root: apt-get install --no-install-recommends $absent" >&2
    exit 1
  fi
fi

# Suites run side by side: the lock timeout makes the second one wait for the first instead of failing.
install() {
  # shellcheck disable=SC2086 # the list is meant to be split
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=180 install -y -qq --no-install-recommends $absent >"$log" 2>&1 </dev/null
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! install; then
  $as_root apt-get -o DPkg::Lock::Timeout=180 update -qq >>"$log" 2>&1 || true
  if ! install; then
    echo "missing Debian packages: $absent- apt-get could not install them:" >&2
    tail -n 20 "$log" >&2
    exit 1
  fi
fi
