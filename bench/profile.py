#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make profile`: instructions by function for one exit of each kind, and for boot.

QEMU logs each instruction's address (-singlestep -d exec,nochain); the guest's own
function tells what an exit was for.  The last exit of each kind is shown.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys

import machine

PC = re.compile(rb"^Trace (\d+): \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.M)
# The guest's functions (bench/<arch>/entry.S) whose exits are shown, by run.
RUNS = {
    "quiet": ["op_psci_version", "op_hypercall", "op_read", "op_read_bits", "op_write_bits",
              "op_read_uart", "op_sgi", "op_deadline_busy", "op_deadline_wfi"],
    "pair1": ["op_pingpong", "pong"],
}
TOP = 25


class Symbols:
    """The functions of an ELF file, by address."""

    def __init__(self, nm, elf, load):
        out = subprocess.run([nm, "--defined-only", elf], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
        pairs = sorted((int(a, 16) + load, name) for a, kind, name in map(str.split, out.splitlines())
                       if kind in "tTwW" and not name.startswith("$"))
        self.address = [a for a, _ in pairs]
        self.name = [n for _, n in pairs]

    def of(self, pc):
        i = bisect.bisect_right(self.address, pc) - 1
        return self.name[i] if i >= 0 else hex(pc)


def addresses(argv):
    """(core, address) of every instruction that the run executes."""
    read, write = os.pipe()
    qemu = subprocess.Popen(argv + ["-singlestep", "-d", "exec,nochain", "-D", f"/dev/fd/{write}"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            pass_fds=[write])
    os.close(write)
    rest = b""
    with open(read, "rb", buffering=0) as log:
        while block := log.read(1 << 20):
            block = rest + block
            cut = block.rfind(b"\n") + 1
            rest = block[cut:]
            for m in PC.finditer(block, 0, cut):
                yield int(m.group(1)), int(m.group(2), 16)
    if qemu.wait() != 0:
        sys.exit(f"QEMU ended with status {qemu.returncode}")


def show(title, counts, symbols):
    by_function = collections.Counter()
    for pc, n in counts.items():
        by_function[symbols.of(pc)] += n
    print(f"\n{title}: {sum(counts.values())} instructions")
    for name, n in by_function.most_common(TOP):
        print(f"  {n:9}  {name}")
    left = by_function.most_common()[TOP:]
    if left:
        print(f"  {sum(n for _, n in left):9}  {len(left)} others")


def profile(argv, host, guest, kinds):
    # Addresses of the guest; everything else is the hypervisor's.
    lo, hi = guest.address[0], guest.address[0] + (1 << 21)
    last = {}
    boot = None
    counts = collections.Counter()
    kind = None
    for _, pc in addresses(argv):
        if not lo <= pc < hi:
            counts[pc] += 1
            continue
        if counts:
            if boot is None:
                boot = counts
            elif kind in kinds:
                last[kind] = counts
            counts = collections.Counter()
        kind = guest.of(pc)
    show("reset to the guest's first instruction", boot, host)
    for k in kinds:
        if k in last:
            show(k, last[k], host)
        else:
            print(f"\n{k}: no exit")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--arch", required=True)
    p.add_argument("--qemu", required=True)
    p.add_argument("--nm", required=True)
    p.add_argument("--images", required=True, help="folder of <arch>-<run>/axvisor.bin")
    p.add_argument("--guest", required=True, help="ELF file of the guest")
    p.add_argument("--run", choices=RUNS, action="append", help="only these")
    a = p.parse_args()
    guest = Symbols(a.nm, a.guest, 0)
    for run in a.run or RUNS:
        folder = f"{a.images}/{a.arch}-{run}"
        host = Symbols(a.nm, f"{folder}/axvisor.elf", machine.LOAD[a.arch])
        print(f"\n=== {run}")
        profile(machine.argv(a.qemu, a.arch, run, f"{folder}/axvisor.bin"), host, guest,
                RUNS[run])


main()
