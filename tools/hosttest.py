#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs host test programs, prints a line for each, and leaves JUnit XML.

With --cmocka the programs are cmocka tests and each of their cases counts; else
they are libFuzzer targets and each is one case.  A program that crashes, hangs,
reports nothing, or fails without a failing case counts as a failed case.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import junit

TIMEOUT = 300  # seconds, for one program


def run(command, **env):
    """(exit status or None after TIMEOUT, output)"""
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=TIMEOUT, env={**os.environ, **env})
        return p.returncode, p.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace") + f"\nstill runs after {TIMEOUT} s"


def run_cmocka(program, _args):
    name = os.path.basename(program)
    with tempfile.TemporaryDirectory() as tmp:
        # %g: cmocka writes one file for each group of tests.
        status, out = run([program], CMOCKA_MESSAGE_OUTPUT="xml",
                          CMOCKA_XML_FILE=os.path.join(tmp, "%g.xml"),
                          ASAN_OPTIONS="exitcode=99",
                          UBSAN_OPTIONS="exitcode=99:print_stacktrace=1")
        cases = []
        try:
            for xml in sorted(glob.glob(os.path.join(tmp, "*.xml"))):
                cases += [junit.Case(name, c.name, c.failure) for c in junit.read(xml)]
        except junit.ET.ParseError as e:
            out += f"\nunreadable results: {e}"
            status = None
    # cmocka ends with the number of failed cases; anything else is a crash.
    if not cases or status != sum(c.failure is not None for c in cases):
        cases.append(junit.Case(name, "(program)", f"exit status {status}\n{out}"))
    return cases


def run_fuzz(program, args):
    name = os.path.basename(program)
    corpus = os.path.join("tests/fuzz/corpus", name.removeprefix("fuzz_"))
    command = [program, "-seed=1", f"-runs={args.fuzz_runs}", f"-max_total_time={args.fuzz_seconds}",
               "-timeout=10", f"-artifact_prefix={program}-"]
    # libFuzzer adds what it finds to its first folder: not to ours.
    with tempfile.TemporaryDirectory() as tmp:
        status, out = run(command + [tmp] + ([corpus] if os.path.isdir(corpus) else []))
    return [junit.Case("fuzz", name, None if status == 0 else f"exit status {status}\n{out}")]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--name", required=True, help="of the results file")
    p.add_argument("--results", required=True, help="folder for it")
    p.add_argument("--cmocka", action="store_true")
    p.add_argument("--fuzz-runs", type=int, default=0)
    p.add_argument("--fuzz-seconds", type=int, default=0)
    p.add_argument("programs", nargs="*")
    args = p.parse_args()

    runner = run_cmocka if args.cmocka else run_fuzz
    cases = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for program, got in zip(args.programs,
                                pool.map(lambda x: runner(x, args), args.programs)):
            bad = [c for c in got if c.failure is not None]
            print(f"  {'FAILED' if bad else 'ok':7} {os.path.basename(program)} "
                  f"({len(got) - len(bad)} of {len(got)})", flush=True)
            for c in bad:
                print(f"    {c.name}:", *c.failure.splitlines(), sep="\n      ", flush=True)
            cases += got
    os.makedirs(args.results, exist_ok=True)
    junit.write(os.path.join(args.results, args.name + ".xml"), cases)
    failed = sum(c.failure is not None for c in cases)
    print(f"{args.name}: {len(cases) - failed} passed, {failed} failed")
    sys.exit(1 if failed or not cases else 0)


main()
