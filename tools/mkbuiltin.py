#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes builtin.S: the VM configurations and images compiled into the hypervisor.

An image named by a configuration with image_location = "memory" is looked for in
the configuration's own folder, then in configs/vms, then in the working directory;
the first one found is taken.  The layout of the tables is include/hv/builtin.h's.
"""
import argparse
import os
import subprocess
import sys

LOG_LEVELS = ["off", "error", "warn", "info", "debug", "trace"]


def image_paths(axvmconfig, configs):
    """(index of the configuration, path as it stands there) of each image needed."""
    run = subprocess.run([axvmconfig, "files", *configs], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(run.returncode)
    for line in run.stdout.splitlines():
        index, path = line.split("\t", 1)
        yield int(index), path


def find_image(config, path):
    folders = [os.path.dirname(config) or ".", "configs/vms", "."]
    tried = list(dict.fromkeys(os.path.normpath(os.path.join(d, path)) for d in folders))
    for name in tried:
        if os.path.isfile(name):
            return name
    sys.exit(f"{config}: image '{path}' is in none of these places:\n"
             + "".join(f"    {name}\n" for name in tried).rstrip())


def quoted(text):
    """As an assembler string: anything but plain printable characters in octal."""
    out = "".join(chr(b) if 32 <= b < 127 and chr(b) not in '\\"' else f"\\{b:03o}"
                  for b in text.encode())
    return f'"{out}"'


class Table:
    """One array of struct builtin_file, with its strings and data."""

    def __init__(self, name, align):
        self.name = name
        self.align = align
        self.entries = []
        self.blobs = []
        self.labels = {}  # of the data, by source: what is named twice is stored once

    def add(self, config, path, source):
        label = f".L{self.name}{len(self.entries)}"
        self.blobs.append(f"{label}_path:\n\t.asciz {quoted(path)}\n")
        if source not in self.labels:
            self.labels[source] = label + "_data"
            self.blobs.append(f"\t.balign {self.align}\n{label}_data:\n"
                              f"\t.incbin {quoted(source)}\n")
        self.entries.append(f"\t.long {config}, 0\n\t.quad {label}_path, {self.labels[source]}, "
                            f"{os.path.getsize(source)}\n")

    def text(self):
        return (f"\t.section .data.rel.ro.builtin, \"aw\"\n\t.balign 8\n"
                f"\t.globl builtin_{self.name}s\nbuiltin_{self.name}s:\n" + "".join(self.entries) +
                f"\t.section .rodata.builtin, \"a\"\n\t.balign 4\n"
                f"\t.globl builtin_{self.name}_count\n"
                f"builtin_{self.name}_count:\n\t.long {len(self.entries)}\n"
                f"\t.section .builtin, \"a\"\n" + "".join(self.blobs))


def write_if_changed(name, text):
    try:
        with open(name) as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(name, "w") as f:
        f.write(text)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--log", choices=LOG_LEVELS, required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--deps", required=True)
    p.add_argument("--axvmconfig", required=True, help="host program that lists the images")
    p.add_argument("configs", nargs="*")
    args = p.parse_args()

    for name in args.configs:
        if not os.path.isfile(name):
            sys.exit(f"{name}: there is no such VM configuration (see VM_CONFIGS)")
    configs, images, sources = Table("config", 8), Table("image", 4096), list(args.configs)
    for index, name in enumerate(args.configs):
        configs.add(index, name, name)
    for index, path in image_paths(args.axvmconfig, args.configs):
        source = find_image(args.configs[index], path)
        sources.append(source)
        images.add(index, path, source)

    write_if_changed(args.out, "/* Made by tools/mkbuiltin.py. */\n" + configs.text() +
                     images.text() + "\t.section .rodata.builtin, \"a\"\n"
                     "\t.globl builtin_log_level\nbuiltin_log_level:\n"
                     f"\t.long {LOG_LEVELS.index(args.log)}\n"
                     "\t.section .note.GNU-stack, \"\", %progbits\n")
    # The object depends on what it includes; a file that is gone is no error to make
    # (this program is asked again and decides).
    obj = os.path.splitext(args.out)[0] + ".o"
    names = [n.replace("$", "$$").replace(" ", "\\ ") for n in sources]
    write_if_changed(args.deps, f"{obj}: {' '.join(names)}\n" +
                     "".join(f"{n}:\n" for n in names))


main()
