#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the configuration file that ArceOS is built from.

ArceOS reads its memory layout at compile time from the file AX_CONFIG_PATH
names.  The platform crate ships a complete one for its board; this takes that
(cargo says where it lies), sets the keys given as KEY=VALUE, and puts the two
general keys before it.  The `# uint` comments are types: they are kept.
"""
import json
import os
import re
import subprocess
import sys

GENERAL = "task-stack-size = 0x40000 # uint\nticks-per-sec = 100 # uint\n"


def platform_file(manifest, triple, crate):
    """Path of the axconfig.toml inside the platform crate."""
    out = subprocess.run(
        [os.environ.get("CARGO", "cargo"), "metadata", "--format-version=1",
         "--locked", "--manifest-path", manifest, "--filter-platform", triple],
        check=True, stdout=subprocess.PIPE).stdout
    for pkg in json.loads(out)["packages"]:
        if pkg["name"] == crate:
            return os.path.join(os.path.dirname(pkg["manifest_path"]), "axconfig.toml")
    sys.exit(f"axconfig.py: {crate} is not among the packages of {manifest}")


def main():
    if len(sys.argv) < 5:
        sys.exit("usage: axconfig.py MANIFEST TRIPLE PLATFORM-CRATE OUT [KEY=VALUE...]")
    manifest, triple, crate, out = sys.argv[1:5]
    source = platform_file(manifest, triple, crate)
    with open(source, encoding="utf-8") as f:
        text = f.read()
    for setting in sys.argv[5:]:
        key, _, value = setting.partition("=")
        # The value ends where its type comment begins; a quoted one stays quoted.
        line = re.compile(rf'^({re.escape(key)} = )("?)[^"#\n]*?("?)(\s*#.*)$', re.M)
        text, count = line.subn(rf"\g<1>\g<2>{value}\g<3>\g<4>", text)
        if count != 1:
            sys.exit(f"axconfig.py: {source}: key {key} found {count} times, not once")
    with open(out, "w", encoding="utf-8") as f:
        f.write(GENERAL + text)


main()
