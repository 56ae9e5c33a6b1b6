#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`make test`: runs every stage, whatever became of the others, and sums them up.

Usage: testall.py RESULTS-FOLDER MAKE [STAGE...]

A check counts as one case, by its exit status.  A stage with cases must leave
RESULTS-FOLDER/<stage>.xml; one that leaves none, or no case in it, or fails
without naming a failed case, counts as one failed: nothing that did not run is
taken for a pass.
"""
import os
import re
import shutil
import subprocess
import sys
import time

import junit

# make target, and the file of its cases (None: it is one case itself)
STAGES = [
    ("fmt-check", None),
    ("check-headers", None),
    ("build", None),
    ("unit", "unit.xml"),
    ("fuzz", "fuzz.xml"),
    ("hosttest", "host.xml"),
    ("clang-check", None),
    ("tidy", None),
    ("systest", "system.xml"),
    ("bench-check", None),
]


def run_stage(make, target, results):
    """The cases of a stage."""
    start = time.monotonic()
    print(f"\n--- {target}", flush=True)
    # Variables of our own command line go on in MAKEFLAGS; its job server does not.
    env = dict(os.environ)
    env["MAKEFLAGS"] = re.sub(r" ?(-j\d*|--jobserver-\S+)(?= |$)", "", env.get("MAKEFLAGS", ""))
    status = subprocess.run([make, "--no-print-directory", "-j2", target], env=env,
                            stdin=subprocess.DEVNULL).returncode
    cases = []
    if results is None:
        cases = [junit.Case("check", target, f"exit status {status}" if status else None)]
    else:
        try:
            cases = junit.read(results)
        except (OSError, junit.ET.ParseError) as e:
            cases = [junit.Case(target, "(results)", str(e))]
        if not cases:
            cases = [junit.Case(target, "(results)", "no case ran")]
        if status and all(c.failure is None for c in cases):
            cases.append(junit.Case(target, "(stage)", f"exit status {status}"))
    failed = sum(c.failure is not None for c in cases)
    print(f"--- {target}: {len(cases) - failed} passed, {failed} failed, "
          f"{time.monotonic() - start:.0f} s", flush=True)
    return cases


def main():
    folder, make, *only = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    cases = []
    for target, results in STAGES:
        if not only or target in only:
            cases += run_stage(make, target, results and os.path.join(folder, results))
    bad = [c for c in cases if c.failure is not None]
    print()
    for c in bad:
        print(f"FAILED: {c.suite} {c.name}")
    print(f"{len(cases) - len(bad)} passed, {len(bad)} failed")
    sys.exit(1 if bad else 0)


main()
