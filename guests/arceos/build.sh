#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Build ArceOS guests: one configuration (CPUs, features), any of its programs.
#
# usage: build.sh ARCH CPUS FEATURES SUFFIX OUT-DIR WORK-DIR APP...
# writes OUT-DIR/arceos-APP SUFFIX.bin, flat and stripped.  FEATURES may be "".
# The tool chain is Debian's, called by its full path: a rustup on PATH has
# another version and none of the library sources we need.
set -eu

arch=$1 cpus=$2 features=$3 suffix=$4 out=$(realpath -m "$5") work=$(realpath -m "$6")
shift 6
here=$(dirname "$(realpath "$0")")

# The board of each architecture, and the layout of upstream's configuration
# files: 16 MiB, entered where `entry_point` says.
case $arch in
aarch64)
	triple=aarch64-unknown-none-softfloat
	platform=aarch64-qemu-virt crate=axplat-aarch64-qemu-virt
	layout="kernel-base-paddr=0x4008_0000
		kernel-base-vaddr=0xffff_0000_4008_0000
		phys-memory-size=0x100_0000"
	;;
riscv64)
	triple=riscv64gc-unknown-none-elf
	platform=riscv64-qemu-virt crate=axplat-riscv64-qemu-virt
	layout="phys-memory-size=0x100_0000"
	;;
x86_64)
	triple=x86_64-unknown-none
	platform=x86-pc crate=axplat-x86-pc
	layout="phys-memory-size=0x100_0000"
	;;
*)
	echo "build.sh: unknown architecture $arch" >&2
	exit 2
	;;
esac

# rustc wants the linker by this name; Debian's lld takes its flavour from
# the -flavor option that rustc passes.
mkdir -p "$work/bin" "$out"
ln -sf /usr/bin/lld "$work/bin/rust-lld"

export PATH="$work/bin:/usr/bin:/bin"
export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
export CARGO_TARGET_DIR="$work/target"
export AX_LOG=info AX_TARGET="$triple" AX_MODE=release
export AX_CONFIG_PATH="$work/axconfig-$cpus.toml"
export RUSTFLAGS="-Clink-arg=-T$work/target/$triple/release/linker_$platform.lds \
	-Clink-arg=-no-pie -Clink-arg=-znostart-stop-gc"
unset RUSTC_WRAPPER RUSTUP_TOOLCHAIN CARGO_BUILD_TARGET MAKEFLAGS MFLAGS CARGO_MAKEFLAGS || true

# ArceOS leaves its linker script and its configuration in the target folder
# under fixed names, so builds of two configurations take turns.
exec 9>"$work/lock"
flock 9

# shellcheck disable=SC2086 # the layout is a list of words
python3 "$here/axconfig.py" "$here/Cargo.toml" "$triple" "$crate" \
	"$AX_CONFIG_PATH" max-cpu-num="$cpus" $layout

bins=
for app in "$@"; do
	bins="$bins --bin $app"
done
# shellcheck disable=SC2086 # a list of words
$CARGO build --quiet --release --locked --manifest-path "$here/Cargo.toml" \
	--target "$triple" -Zbuild-std=core,alloc --features "$features" $bins

for app in "$@"; do
	llvm-objcopy --strip-all -O binary \
		"$CARGO_TARGET_DIR/$triple/release/$app" "$out/arceos-$app$suffix.bin.tmp"
	chmod 644 "$out/arceos-$app$suffix.bin.tmp"
	mv "$out/arceos-$app$suffix.bin.tmp" "$out/arceos-$app$suffix.bin"
done
