#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetch a Debian kernel and a static busybox of another architecture.
#
# usage: fetch.sh DEBIAN-ARCH SUITE KERNEL-METAPACKAGE OUT-DIR
# writes OUT-DIR/kernel.deb, OUT-DIR/busybox.deb and OUT-DIR/versions.
# SUITE is a Debian release, or "host" for the one this machine runs.
#
# apt's own client does it, in a private apt root: nothing is installed here
# and the machine's own package lists and architectures stay as they are. The
# sources are the machine's own, so that its mirrors and proxies are used, cut
# down to Debian's and checked against Debian's keyring.
set -eu

arch=$1 suite=$2 meta=$3
mkdir -p "$4"
out=$(realpath "$4")
root=$out/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die()
{
	echo "fetch.sh: $*" >&2
	exit 1
}

# One fetch at a time: the folder may be shared by several work trees.
exec 9>"$out/lock"
flock 9
if [ -s "$out/kernel.deb" ] && [ -s "$out/busybox.deb" ]; then
	exit 0
fi

# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die "this machine's release has no code name: not a Debian?"
[ -r $keyring ] || die "$keyring is missing (package debian-archive-keyring)"
if [ "$suite" = host ]; then
	suite=$codename
fi

rm -rf "$root"
mkdir -p "$root/lists/partial" "$root/archives/partial" "$root/none"
: >"$root/status"

# The machine's sources of its own release, main only, moved to the suite asked for.
apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
	'Created-By: Packages' | sort -u |
	sed -n -E "s,^([^ ]*) ($codename|stable|oldstable)(|-updates|-security) main\$,deb [signed-by=$keyring] \1 $suite\3 main,p" \
		>"$root/sources.list"
[ -s "$root/sources.list" ] || die "apt knows no Debian source of $codename on this machine"

# How the machine reaches its mirrors (proxies, time-outs) holds here too.
{
	apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
	cat <<EOF
Dir::State "$root";
Dir::State::lists "$root/lists";
Dir::State::status "$root/status";
Dir::Cache "$root";
Dir::Cache::archives "$root/archives";
Dir::Etc "$root/none";
Dir::Etc::parts "$root/none";
Dir::Etc::sourcelist "$root/sources.list";
Dir::Etc::sourceparts "$root/none";
Dir::Etc::preferencesparts "$root/none";
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
EOF
} >"$root/apt.conf"
export APT_CONFIG="$root/apt.conf"

# A mirror in the middle of an update may lack one list: the others will do.
apt-get -qq update || echo "fetch.sh: going on with the package lists that could be had" >&2
# The metapackage depends on the kernel of the day.
kernel=$(apt-cache depends --important "$meta" | sed -n 's/^ *Depends: \(linux-image-.*\)$/\1/p')
[ -n "$kernel" ] || die "$meta names no kernel"
(cd "$root/archives" && apt-get -qq download "$kernel" busybox-static)

mv "$root"/archives/busybox-static_*.deb "$out/busybox.deb"
mv "$root"/archives/"$kernel"_*.deb "$out/kernel.deb"
for deb in kernel busybox; do
	dpkg-deb --showformat '${Package} ${Version} ${Architecture}\n' -W "$out/$deb.deb"
done >"$out/versions"
rm -rf "$root"
