#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Run the aarch64 guests on QEMU itself, without the hypervisor: when one fails in
# a VM, this tells whose fault it is.
#
# usage: native.sh FOLDER    checks all guests of the folder (build/guests/aarch64)
#        native.sh FOLDER arceos-APP | linux ["COMMAND LINE" [QEMU OPTION...]]
# The second form is on your terminal, Ctrl-A x ends it.
set -eu

dir=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Seconds: a guest that hangs must not hang us; on a terminal, people decide.
limit=60
[ $# -eq 0 ] || limit=0

qemu()
{
	timeout --foreground "$limit" qemu-system-aarch64 -M virt,gic-version=2 -cpu cortex-a72 -nographic -nic none "$@"
}

arceos()
{
	local app=$1 cpus=1
	shift
	case $app in
	*-smp) cpus=2 ;;
	esac
	# QEMU would put an arm64 Image at a multiple of 2 MiB. Without the magic it
	# takes the file for an old flat one, which goes to 0x4008_0000.
	cp "$dir/$app.bin" "$tmp/$app"
	printf '\0\0\0\0' | dd of="$tmp/$app" bs=1 seek=56 conv=notrunc status=none
	qemu -smp $cpus -m 128 -kernel "$tmp/$app" "$@"
}

linux()
{
	local cmdline=${1:-}
	[ $# -eq 0 ] || shift
	qemu -smp 2 -m 256 -kernel "$dir/linux-Image" -initrd "$dir/initramfs.cpio.gz" \
		-append "console=ttyAMA0 $cmdline" "$@"
}

if [ $# -gt 0 ]; then
	case $1 in
	linux) shift && linux "$@" ;;
	*) arceos "$@" ;;
	esac
	exit
fi

# expect NAME TEXT FUNCTION...: the guest ends by itself and has printed the text.
failed=
expect()
{
	local name=$1 text=$2
	shift 2
	"$@" </dev/null >"$tmp/out" 2>&1 || true
	if grep -q -e "$text" "$tmp/out"; then
		echo "native $name: ok"
	else
		cat "$tmp/out"
		echo "native $name: FAILED, never said: $text"
		failed=y
	fi
}

for smp in "" -smp; do
	expect "arceos-hello$smp" 'Shutting down' arceos "arceos-hello$smp"
	expect "arceos-multitask$smp" '^multitask: .*: ok' arceos "arceos-multitask$smp"
	expect "arceos-hypercall$smp" '^hypercall: .*: ok' arceos "arceos-hypercall$smp"
done
expect linux '^axtest: all ok' linux 'loglevel=4 axtest=online:2,interrupts,timer,hotplug,mem:16,rtc'
[ -z "$failed" ]
