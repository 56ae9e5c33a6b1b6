#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: deps.sh GROUP
#
# Sees to it that the programs and libraries of a group are there.  Each line of
# the list is: group, Debian package, and how to see that it is there already
# (a program, a file pattern, or py:MODULE), whoever put it there.  What lacks is
# installed by apt when we are root on a Debian; otherwise it is printed, and the
# build stops.
set -eu
group=$1
python=${PYTHON:-/usr/bin/python3}

list() {
	cat <<-'END'
		host	gcc			gcc
		host	libc6-dev		/usr/include/stdio.h
		host	python3			/usr/bin/python3
		third	python3			/usr/bin/python3
		third	python3-pip		py:pip
		third	ca-certificates		/etc/ssl/certs/ca-certificates.crt
		aarch64	gcc-aarch64-linux-gnu	aarch64-linux-gnu-gcc
		riscv64	gcc-riscv64-linux-gnu	riscv64-linux-gnu-gcc
		disk	dosfstools		mkfs.fat
		disk	mtools			mcopy
		run-aarch64	qemu-system-arm	qemu-system-aarch64
		run-riscv64	qemu-system-misc	qemu-system-riscv64
		run-x86_64	qemu-system-x86	qemu-system-x86_64
		debug	gdb-multiarch		gdb-multiarch
		format	clang-format		clang-format
		lint	clang			clang
		lint	clang-tidy		clang-tidy
		unit	libcmocka-dev		/usr/include/cmocka.h
		unit	libasan8		/usr/lib/*/libasan.so.8
		unit	libubsan1		/usr/lib/*/libubsan.so.1
		unit	device-tree-compiler	dtc
		fuzz	clang			clang
		fuzz	llvm			llvm-symbolizer
		fuzz	libclang-rt-14-dev	/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
		toml	golang-go		go
		pytest	python3-pytest		py:pytest
		pytest	python3-pexpect		py:pexpect
		pytest	python3-pytest-xdist	py:xdist
		pytest	python3-tomli		py:tomli
		pytest	device-tree-compiler	dtc
		guests	python3			/usr/bin/python3
		guests	ca-certificates		/etc/ssl/certs/ca-certificates.crt
		guests	debian-archive-keyring	/usr/share/keyrings/debian-archive-keyring.gpg
		guests	xz-utils		xz
		guests	lld			/usr/bin/lld
		guests	llvm			/usr/bin/llvm-objcopy
		guests	gcc			gcc
		guests	libc6-dev		/usr/include/stdio.h
		guests	cargo-web		/usr/share/doc/cargo-web
		guests	cargo-web		/usr/share/doc/libstd-rust-web-1.9[6-9]
		guests	rustc-web		/usr/share/doc/libstd-rust-web-1.9[6-9]
		guests	rust-web-src		/usr/share/doc/rust-web-src
		guests	rust-web-src		/usr/share/doc/libstd-rust-web-1.9[6-9]
	END
}

is_there() {
	case $1 in
	py:*)	"$python" -c "import ${1#py:}" 2>/dev/null ;;
	/*)	# a pattern: there when it matches a file
		set -- $1
		[ -e "$1" ] ;;
	*)	command -v "$1" >/dev/null ;;
	esac
}

# One at a time: make -j asks for several groups at once, and apt has one lock.
if command -v flock >/dev/null; then
	mkdir -p build/deps
	exec 9>build/deps/lock
	flock 9
fi

# missing [GROUP]: the packages that lack, of one group or of all
missing() {
	list | while read -r g package probe; do
		if [ "$g" = "${1:-$g}" ] && ! is_there "$probe"; then
			echo "$package"
		fi
	done | sort -u | tr '\n' ' '
}
missing=$(missing "$group")
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "This machine lacks what \`$group' needs. On Debian 12, as root:" >&2
	echo "    apt-get install $missing" >&2
	echo "or, for all targets and architectures:" >&2
	echo "    apt-get install $(missing)" >&2
	exit 1
fi

echo "Installing for \`$group': $missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
	if ! "$@" >"$log" 2>&1; then
		cat "$log" >&2
		echo "$* failed" >&2
		exit 1
	fi
}
# A fresh machine has no package lists; old ones name packages that are gone.  Each
# update passes through `partial'.
if [ -z "$(find /var/lib/apt/lists/partial -maxdepth 0 -mmin -1440 2>/dev/null)" ]; then
	quietly apt-get -q update
fi
# shellcheck disable=SC2086 # a list of words on purpose
quietly apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
	install --no-install-recommends $missing

# Where a file tells the version: apt may know an older one only.
missing=$(missing "$group")
if [ -n "$missing" ]; then
	echo "apt-get has these only in a version that is too old: $missing" >&2
	exit 1
fi
