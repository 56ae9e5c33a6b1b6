# SPDX-License-Identifier: Apache-2.0
"""The official TOML suite: every valid and invalid case of its TOML 1.0.0 list.

Environment: TOML_JSON is the program built from toml_json.c, TOML_TEST the suite's
folder (the Go module github.com/toml-lang/toml-test).
"""
import json
import math
import os
import re
import subprocess
from pathlib import Path

import pytest

SUITE = Path(os.environ["TOML_TEST"]) / "tests"
CASES = [c for c in (SUITE / "files-toml-1.0.0").read_text().split("\n") if c.endswith(".toml")]
VALID = [c for c in CASES if c.startswith("valid/")]
INVALID = [c for c in CASES if c.startswith("invalid/")]


def run(case):
    return subprocess.run([os.environ["TOML_JSON"]], input=(SUITE / case).read_bytes(),
                          capture_output=True, timeout=10, check=False)


def normal_date(text):
    """Large T and Z, and fractions of a second without trailing zeros."""
    text = text.replace(" ", "T").upper()
    return re.sub(r"(\.\d*?)0*(?=$|[Z+-])", lambda m: m[1] if len(m[1]) > 1 else "", text)


def same(got, want):
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    if set(want) != set(got):
        return False
    if set(want) != {"type", "value"} or not isinstance(want["type"], str):
        return all(same(got[k], want[k]) for k in want)
    if got["type"] != want["type"]:
        return False
    if want["type"] == "float":
        a, b = float(got["value"]), float(want["value"])
        return a == b or (math.isnan(a) and math.isnan(b))
    if want["type"].startswith(("date", "time")):
        return normal_date(got["value"]) == normal_date(want["value"])
    return got["value"] == want["value"]


def test_list_is_complete():
    assert len(VALID) > 150 and len(INVALID) > 300


@pytest.mark.parametrize("case", VALID)
def test_valid(case):
    r = run(case)
    assert r.returncode == 0, r.stderr.decode()
    want = json.loads((SUITE / case).with_suffix(".json").read_bytes())
    assert same(json.loads(r.stdout), want)


@pytest.mark.parametrize("case", INVALID)
def test_invalid(case):
    r = run(case)
    assert r.returncode == 1, "accepted"
    assert re.match(rb"\d+:\d+: .", r.stderr)
