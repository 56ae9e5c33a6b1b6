#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches a source package from the Python registry and keeps a few files of it.

Usage: fetch.py DEST NAME==VERSION SHA256 FOLDER FILE...

pip itself checks the hash, before anything of the archive is used.  The files
appear in DEST all at once, with a marker `.done` that make looks at.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile


def main():
    dest, requirement, sha256, folder, *files = sys.argv[1:]
    parent = os.path.dirname(os.path.abspath(dest))
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as tmp:
        pinned = os.path.join(tmp, "requirements.txt")
        with open(pinned, "w") as f:
            f.write(f"{requirement} --hash=sha256:{sha256}\n")
        run = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--no-binary", requirement.split("==")[0], "--require-hashes",
             "-r", pinned, "-d", tmp],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        archives = [n for n in os.listdir(tmp) if n.endswith(".tar.gz")]
        if len(archives) != 1:
            sys.exit(f"{run.stdout}\ncould not fetch {requirement} with pip")
        out = os.path.join(tmp, "out")
        os.mkdir(out)
        with tarfile.open(os.path.join(tmp, archives[0])) as tar:
            top = tar.next().name.split("/")[0]
            for name in files:
                src = tar.extractfile(f"{top}/{folder}/{name}")
                with open(os.path.join(out, name), "wb") as f:
                    shutil.copyfileobj(src, f)
        open(os.path.join(out, ".done"), "w").close()
        shutil.rmtree(dest, ignore_errors=True)
        os.rename(out, dest)


main()
