#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make a Linux guest's kernel image and initramfs out of two Debian packages.

The packages are read as streams: nothing is unpacked or installed.  The
initramfs (a newc cpio, gzip) holds busybox, the kernel modules asked for with
what they depend on, and the files of the root folder beside this script.  The
same input gives the same bytes: fixed times, owners and order, and device
nodes are only entries, so no privilege is needed.
"""
import argparse
import gzip
import lzma
import os
import re
import stat
import struct
import subprocess
import sys
import tarfile

DIRECTORIES = ("bin", "dev", "etc", "lib", "lib/modules", "mnt", "proc", "root",
               "sys", "tmp")


def read_deb(deb, wanted):
    """The regular files of a package whose name matches: {name: bytes}."""
    files = {}
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                          stdout=subprocess.PIPE) as proc:
        with tarfile.open(fileobj=proc.stdout, mode="r|") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if member.isfile() and wanted.search(name):
                    files[name] = tar.extractfile(member).read()
    if proc.returncode:
        sys.exit(f"pack.py: {deb}: dpkg-deb failed")
    return files


def plain_image(data):
    """A kernel image without its compression: gzip, or an EFI zboot image."""
    if data[:2] == b"MZ" and data[4:8] == b"zimg":
        offset, size = struct.unpack_from("<II", data, 8)
        data = data[offset:offset + size]
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def module_name(path):
    """What the kernel calls the module in a file: dashes are underscores."""
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def choose_modules(files, names):
    """The modules asked for, each after those it depends on: [(name, bytes)].

    One that the package has no file for is taken to be built in; what a module
    needs stands in its own `depends=` string.
    """
    available = {}
    for path, data in files.items():
        if ".ko" in path:
            available[module_name(path)] = lzma.decompress(data) if path.endswith(".xz") else data
    chosen = {}

    def add(name):
        data = available.get(name)
        if data is None or name in chosen:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends.group(1).decode().split(",") if depends else ():
            add(other.replace("-", "_"))
        chosen[name] = data

    for name in names:
        add(name.replace("-", "_"))
    return list(chosen.items())


class Cpio:
    """A cpio archive in the "newc" form that the kernel unpacks."""

    def __init__(self):
        self.out = bytearray()
        self.inode = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        path = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        self.out += b"070701" + b"".join(b"%08X" % field for field in fields)
        for part in (path, data):
            self.out += part
            self.out += bytes(-len(self.out) % 4)

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.out)


def make_initramfs(root, busybox, modules):
    cpio = Cpio()
    for name in DIRECTORIES:
        cpio.add(name, stat.S_IFDIR | 0o755)
    cpio.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    cpio.add("bin/busybox", stat.S_IFREG | 0o755, busybox)
    cpio.add("bin/sh", stat.S_IFLNK | 0o777, b"busybox")
    for name, data in modules:
        cpio.add(f"lib/modules/{name}.ko", stat.S_IFREG | 0o644, data)
    order = "".join(f"{name}\n" for name, _ in modules)
    cpio.add("lib/modules/order", stat.S_IFREG | 0o644, order.encode())
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                cpio.add(os.path.relpath(path, root), stat.S_IFREG | 0o755, f.read())
    return gzip.compress(cpio.finish(), 9, mtime=0)


def write(path, data):
    with open(path + ".tmp", "wb") as f:
        f.write(data)
    os.replace(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", required=True, help="kernel package")
    parser.add_argument("--busybox", required=True, help="busybox-static package")
    parser.add_argument("--root", required=True, help="folder of our own files")
    parser.add_argument("--modules", default="", help="kernel modules, in the order to load")
    parser.add_argument("--image", required=True, help="kernel image to write")
    parser.add_argument("--initramfs", required=True, help="initramfs to write")
    args = parser.parse_args()

    files = read_deb(args.kernel, re.compile(r"^boot/vmlinu[xz]-|\.ko(\.xz)?$"))
    images = [data for name, data in files.items() if name.startswith("boot/")]
    if len(images) != 1:
        sys.exit(f"pack.py: {args.kernel}: {len(images)} kernel images, not one")
    busybox = read_deb(args.busybox, re.compile(r"(^|/)bin/busybox$"))
    if len(busybox) != 1:
        sys.exit(f"pack.py: {args.busybox}: {len(busybox)} files named busybox, not one")
    modules = choose_modules(files, args.modules.split())
    write(args.image, plain_image(images[0]))
    write(args.initramfs, make_initramfs(args.root, *busybox.values(), modules))


main()
