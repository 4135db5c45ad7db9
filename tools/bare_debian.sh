#!/usr/bin/env bash
# Prove the README on a machine that has nothing: make a minimal Debian 12, clone this repository's
# HEAD into it, install what the README's prerequisite line names, then `make demo && make test`.
#
#   sudo tools/bare_debian.sh [FOLDER]      FOLDER (default: a temporary one) must not exist yet
#
# Nothing says where packages come from: the Debian mirror is read from this machine's apt, the Python
# index from its pip. What they name on this machine's disk is mounted, read-only, at the same place.
set -euo pipefail
cd "$(dirname "$0")/.."
(( EUID == 0 )) || { echo "bare_debian: needs root, for debootstrap, mount and chroot" >&2; exit 1; }

bare=${1:-$(mktemp -d -u "${TMPDIR:-/var/tmp}/bare-debian.XXXXXX")}
release=bookworm
prerequisites=$(grep -oEm1 'apt-get install [a-z0-9 .+-]+' README.md)
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release" | head -n 1)
: "${mirror:?this machine has no apt source for Debian $release}"

command -v debootstrap >/dev/null || apt-get --quiet=2 install --no-install-recommends debootstrap
[[ ! -e $bare ]] || { echo "bare_debian: $bare exists" >&2; exit 1; }
mkdir -p "$bare"

mounts=()
leave() {
    for (( i = ${#mounts[@]} - 1; i >= 0; i-- )); do umount "${mounts[i]}"; done
    rm -rf --one-file-system "$bare"
}
trap leave EXIT

give() {  # what this machine has at $1, at the same path inside: a folder read-only, a file as a copy
    if [[ -d $1 && ! -e $bare$1 ]]; then
        mkdir -p "$bare$1"
        mount --bind --options ro "$1" "$bare$1"
        mounts+=("$bare$1")
    elif [[ -f $1 ]]; then
        mkdir -p "$bare${1%/*}"
        cp "$1" "$bare$1"
    fi
}

echo "== Debian $release in $bare"
debootstrap --variant=minbase "$release" "$bare" "$mirror" >"$bare.log" || { tail "$bare.log"; exit 1; }
rm "$bare.log"
for kind in proc:proc devpts:dev/pts tmpfs:dev/shm; do
    mount -t "${kind%:*}" none "$bare/${kind#*:}"
    mounts+=("$bare/${kind#*:}")
done
give /etc/resolv.conf
give /etc/hosts
apt-config dump | grep -E '^Acquire::(Check|http|https)' >"$bare/etc/apt/apt.conf.d/90host" || true

kept=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true)
while IFS= read -r setting; do kept+=("$setting"); done < <(env | grep -iE '^(PIP_|https?_proxy=|no_proxy=)' || true)
inside() { chroot "$bare" env -i "${kept[@]}" bash -euc "$1" </dev/null; }

echo "== $prerequisites"
inside "apt-get --quiet=2 update; DEBIAN_FRONTEND=noninteractive ${prerequisites/install/--yes --quiet=2 install} >/dev/null"

# After the packages, so that these files are this machine's. An index folder comes with its parent,
# since its pages point to files beside it.
for file in $(python3 -m pip config debug | sed -nE 's/^  (.+), exists: True$/\1/p'); do give "$file"; done
for place in $(python3 -m pip config list | grep -oE "(file://)?/[^' ]+"); do
    place=$(realpath -m "${place#file://}")
    give "${place%/simple}"
done

echo "== make demo && make test"
git clone --quiet . "$bare/root/reelway"
inside "cd /root/reelway; time make demo && time make test"
