# SPDX-License-Identifier: Apache-2.0
"""ArceOS in the seed's layout, from memory and from a FAT32 disk; upstream's own files."""
from pathlib import Path

import hv
import pytest

UPSTREAM = Path("tests/unit/data/upstream")
SAYS = {
    "hello": "Hello, world!",
    "multitask": r"multitask: 8 tasks, 40 of 40 naps.*ok",
    "hypercall": "hypercall: 16 calls made, still alive: ok",
}


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("app", SAYS)
def test_from_memory(bench, app, cpus):
    m = bench.run(hv.arceos("arceos", app, cpus), gic=2, smp=2)
    m.expect(SAYS[app])
    m.expect("Shutting down")
    m.finish()


@pytest.mark.parametrize("bus", ["pci", "mmio"])
@pytest.mark.parametrize("cpus", [1, 2])
def test_from_disk(bench, bus, cpus):
    suffix = "-smp" if cpus == 2 else ""
    name = f"arceos-multitask{suffix}.bin"
    disk = bench.disk([hv.guest(name)])
    m = bench.run(hv.arceos("arceos", cpus=cpus, kernel=name, location="fs"), gic=2, disk=disk,
                  bus=bus)
    m.expect(SAYS["multitask"])
    m.finish()


def test_two_vcpus_on_one_core(bench):
    m = bench.run(hv.arceos("arceos", "multitask", 2), gic=2, smp=1)
    m.expect(SAYS["multitask"])
    m.finish()


def test_hypercalls_are_logged(bench):
    """HelloWorld's calls, one line each at LOG=debug, and the guest lives on."""
    m = bench.run(hv.arceos("arceos", "hypercall"), gic=2, log="debug")
    m.expect(SAYS["hypercall"])
    m.finish()
    for nr in range(8):
        assert f"Hypercall [{nr}] args [0x2, 0x3, 0x3, 0x3" in m.text


def test_two_on_one_core(bench):
    m = bench.run(hv.arceos("one", "multitask"), hv.arceos("two", "multitask"), gic=2, smp=1)
    m.finish()
    assert m.text.count("40 of 40 naps") == 2


def test_needs_gicv2(bench):
    """ArceOS drives a GICv2 only; on a GICv3 machine it is at least no harm to others."""
    m = bench.run(hv.hvtest("own", cases="timer.*"), hv.arceos("arceos", "hello"), gic=3)
    m.expect(r"TESTS \d+ passed, 0 failed")


# ---- Upstream's files as they stand ----

def flat(bench, source, name):
    """Our own guest under another name."""
    return bench.write(name, hv.guest(source).read_bytes())


def test_upstream_arceos(bench):
    disk = bench.disk([("arceos-aarch64.bin", hv.guest("arceos-hello.bin"))])
    m = bench.run(UPSTREAM / "arceos-aarch64.toml", gic=2, smp=1, disk=disk)
    m.expect("Hello, world!")
    m.finish()


def test_upstream_arceos_smp(bench):
    # From memory: the image lies beside the file, or in configs/vms, or here.
    config = bench.write("arceos-aarch64-smp.toml",
                         (UPSTREAM / "arceos-aarch64-smp.toml").read_text(encoding="utf-8"))
    flat(bench, "arceos-multitask-smp.bin", "arceos-aarch64-smp.bin")
    m = bench.run(config, gic=2, smp=2)
    m.expect(SAYS["multitask"])
    m.finish()


@pytest.mark.parametrize("os", ["nimbos", "starry"])
def test_upstream_layout(bench, os):
    """Its image is in no registry: our guest stands in for it, where the file says."""
    disk = bench.disk([(f"{os}-aarch64.bin", hv.guest("hvtest.bin"))])
    m = bench.run(UPSTREAM / f"{os}-aarch64.toml", gic=2, smp=1, disk=disk)
    m.expect("hvtest on 1 CPU, 16 MiB at 0x40000000, in a VM")
    m.expect(r"TESTS \d+ passed, 0 failed", timeout=180)
    m.finish()


def test_upstream_two_together(bench):
    """Both say id = 1 and core 0: the later one gets another id, and they share the core."""
    disk = bench.disk([("arceos-aarch64.bin", hv.guest("arceos-multitask.bin")),
                       ("nimbos-aarch64.bin", hv.guest("arceos-multitask.bin"))])
    m = bench.run(UPSTREAM / "arceos-aarch64.toml", UPSTREAM / "nimbos-aarch64.toml", gic=2, smp=2,
                  disk=disk, log="warn")
    m.finish(timeout=120)
    assert m.text.count("40 of 40 naps") == 2


def test_endless_hypercalls_do_not_stop_another(bench):
    m = bench.run(hv.hvtest("own", cases="timer.*,state.*", sets=[1]),
                  hv.vm("arceos", hv.guest("arceos-hypercall-endless.bin"), sets=[1]),
                  gic=2, smp=1)
    m.expect(r"TESTS \d+ passed, 0 failed", timeout=180)
