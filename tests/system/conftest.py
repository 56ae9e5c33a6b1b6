# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system tests; see hv.py."""
import re

import hv
import pytest


@pytest.fixture
def bench(request):
    name = re.sub(r"[^\w.=-]+", "-", request.node.name).strip("-")
    b = hv.Bench(hv.OUT / f"{request.node.module.__name__}.{name}")
    yield b
    b.close()


@pytest.fixture(scope="session", autouse=True)
def guests():
    """Everything that is shared, once."""
    hv.guest("hvtest.bin")
