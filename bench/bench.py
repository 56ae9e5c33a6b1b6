#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the bench guest and reports instructions per row; see docs/performance.md.

bench           prints a table and writes the JSON file
bench-check     the same, and fails when a row is more than 5 % above the baseline
bench-baseline  the same, and makes it the baseline
"""
import argparse
import json
import os
import re
import subprocess
import sys

import machine

# row: (run, the guest's name of it, what it is)
ROWS = {
    "psci-version": ("quiet", "psci-version", "PSCI_VERSION by hvc"),
    "hypercall": ("quiet", "hypercall", "null hypercall (number 2)"),
    "gicd-typer-read": ("quiet", "gicd-typer-read", "read of GICD_TYPER"),
    "gicd-isenabler-read": ("quiet", "gicd-isenabler-read", "read of GICD_ISENABLER"),
    "gicd-isenabler-write": ("quiet", "gicd-isenabler-write", "write of GICD_ISENABLER/ICENABLER"),
    "uart-read": ("quiet", "uart-read", "read of the emulated UART"),
    "sgi-self": ("quiet", "sgi-self", "SGI to self: send to handler"),
    "timer-busy": ("quiet", "timer-busy", "timer: deadline to handler, busy guest"),
    "timer-wfi": ("quiet", "timer-wfi", "the same from WFI, alone on the core"),
    "timer-wfi-shared": ("pair1", "timer-wfi-shared", "the same beside a busy vCPU"),
    "pingpong-2-cores": ("pair2", "pingpong", "ping-pong by SGI, two cores"),
    "pingpong-1-core": ("pair1", "pingpong", "ping-pong by SGI, one core"),
    "boot-quiet": ("quiet", "boot", "reset to the guest, LOG=off"),
    "boot-console": ("loud", "boot", "reset to the guest, LOG=info"),
    "memory": ("loud", None, "bytes of RAM beside the guest"),
}
LIMIT = 1.05
TIMEOUT = 300


def run(argv):
    """Output of a run; the guest says when it has come to its end."""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT)
    text = p.stdout.decode(errors="replace").replace("\r", "")
    if p.returncode != 0 or "BENCH end\n" not in text:
        sys.exit(f"{' '.join(argv)}\nended with status {p.returncode}:\n{text}")
    return text


def memory(text, nm, elf, guest):
    """The image less the guest that is compiled in, and what was allocated."""
    out = subprocess.run([nm, elf], check=True, stdout=subprocess.PIPE, text=True).stdout
    at = {name: int(a, 16) for a, _, name in map(str.split, out.splitlines())}
    used = re.search(r"(\d+) KiB of memory are the hypervisor's", text)
    if used is None:
        sys.exit(f"the hypervisor did not say what memory it uses:\n{text}")
    image = at["_image_end"] - at["_image_start"] - os.path.getsize(guest)
    return image + int(used.group(1)) * 1024


def measure(a):
    outputs = {}
    found = {}
    for r in machine.CORES:
        folder = f"{a.images}/{a.arch}-{r}"
        outputs[r] = run(machine.argv(a.qemu, a.arch, r, f"{folder}/axvisor.bin"))
        found[r] = dict(re.findall(r"^BENCH (\S+) (\d+)$", outputs[r], re.M))
    result = {}
    for row, (r, key, _) in ROWS.items():
        if key is None:
            result[row] = memory(outputs[r], a.nm, f"{a.images}/{a.arch}-{r}/axvisor.elf",
                                 f"{a.images}/guest-{a.arch}.bin")
        elif key in found[r]:
            result[row] = int(found[r][key])
        else:
            sys.exit(f"run {r} did not print {key}:\n{outputs[r]}")
    return result


def show(result, base):
    print(f"{'':46}{'now':>12}{'baseline':>12}")
    for row, value in result.items():
        was = base.get(row)
        change = f"{100 * (value - was) / was:+8.1f} %" if was and was != value else ""
        print(f"{ROWS[row][2]:46}{value:12,}{'-' if was is None else format(was, ','):>12}{change}")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("what", choices=["bench", "bench-check", "bench-baseline"])
    for name in ["arch", "qemu", "images", "baseline", "json", "nm"]:
        p.add_argument(f"--{name}", required=True)
    a = p.parse_args()
    base = {}
    try:
        with open(a.baseline) as f:
            base = json.load(f)
    except FileNotFoundError:
        if a.what == "bench-check":
            sys.exit(f"{a.baseline} is not there; make bench-baseline writes it")
    result = measure(a)
    show(result, base)
    for path in [a.json] + [a.baseline] * (a.what == "bench-baseline"):
        with open(path, "w") as f:
            json.dump(result, f, indent=4)
            f.write("\n")
    if a.what == "bench-check":
        bad = [r for r in result if r not in base or result[r] > base[r] * LIMIT]
        bad += [r for r in base if r not in result]
        for r in bad:
            print(f"FAILED: {r}: {result.get(r)}, baseline {base.get(r)}, more than 5 % above",
                  file=sys.stderr)
        sys.exit(1 if bad else 0)


main()
