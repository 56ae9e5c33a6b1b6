# SPDX-License-Identifier: Apache-2.0
"""Our own guest (guests/rt, guests/aarch64): all of its cases, on many machines."""
import re

import hv
import pytest

# What may say that it does not apply.
NOT_ON_ONE_CPU = {"smp.", "boot.secondary", "boot.fp_zero", "psci.bad_entry", "psci.already_on",
                  "gic.sgi_other", "gic.sgi_others", "gic.sgi_pingpong", "gic.route", "mmu.smp",
                  "timer.every_cpu", "timer.same_time"}


def check(results, cpus, gic, at_least=100):
    bad = {k: v for k, v in results.items() if v.startswith("FAIL")}
    assert not bad
    absent = {k for k, v in results.items() if v.startswith("n/a")}
    allowed = {k for k in absent if cpus == 1 and any(k.startswith(p) for p in NOT_ON_ONE_CPU)}
    if gic == 2:
        allowed.add("mmio.double_words")
    assert absent <= allowed
    assert len(results) >= at_least


MACHINES = [
    # gic, cpu, cores, vCPUs, memory of the machine
    (2, "cortex-a72", 1, 1, "512M"),
    (2, "cortex-a72", 2, 2, "1G"),
    (2, "cortex-a72", 4, 4, "2G"),
    (3, "cortex-a72", 1, 1, "512M"),
    (3, "cortex-a72", 2, 2, "1G"),
    (3, "cortex-a72", 8, 4, "8G"),
    (3, "neoverse-n1", 2, 2, "1G"),
    (3, "max,pauth-impdef=on", 2, 2, "1G"),
    (2, "max,pauth-impdef=on", 2, 2, "2G"),
]


@pytest.mark.parametrize("gic,cpu,cores,vcpus,mem", MACHINES)
def test_all_cases(bench, gic, cpu, cores, vcpus, mem):
    m = bench.run(hv.hvtest("t", cpus=vcpus), gic=gic, cpu=cpu, smp=cores, mem=mem)
    m.expect(r"TESTS \d+ passed", timeout=180)
    m.finish()
    assert f"hvtest on {vcpus} CPU" in m.text
    assert "in a VM" in m.text
    check(m.results(), vcpus, gic)


@pytest.mark.parametrize("gic", [2, 3])
def test_more_vcpus_than_cores(bench, gic):
    """Four vCPUs on one core, then on two: the same guest must not notice."""
    m = bench.run(hv.hvtest("t", cpus=4), gic=gic, smp=1)
    m.expect(r"TESTS \d+ passed", timeout=240)
    m.finish()
    check(m.results(), 4, gic)


def test_sparse_hardware_ids(bench):
    """MPIDRs as on a machine with clusters; the generated tree and PSCI agree with them."""
    ids = [0x0, 0x100, 0x10203, 0x7_0000_0001]
    m = bench.run(hv.hvtest("t", cases="smp.*,boot.*,psci.*,gic.*,timer.same_time", cpus=4,
                            extra_base=f"phys_cpu_ids = {ids}"), gic=3, smp=4)
    m.expect(r"TESTS \d+ passed")
    m.finish()
    check(m.results(), 4, 3, at_least=40)


def test_affinity(bench):
    """Each vCPU on a core of its own, in reverse."""
    m = bench.run(hv.hvtest("t", cases="smp.*,state.*", cpus=2, sets=[2, 1]), gic=2, smp=2)
    m.expect(r"TESTS \d+ passed")
    m.finish()
    check(m.results(), 2, 2, at_least=8)


@pytest.mark.parametrize("gic", [2, 3])
def test_reset(bench, gic):
    """A guest that resets finds zeroed memory and devices as new, however often."""
    m = bench.run(hv.hvtest("t", cases="reset"), gic=gic, smp=1)
    for _ in range(3):
        m.expect(r"reset \(r\) or go on \(o\)\?")
        m.send("r")
    m.expect(r"reset \(r\) or go on \(o\)\?")
    m.send("o")
    m.expect("TEST reset ok")
    m.finish()
    assert "FAIL" not in m.text
    assert m.text.count("hvtest on 1 CPU") == 4


def test_reset_leaves_others_alone(bench):
    m = bench.run(hv.hvtest("resets", cases="reset"), hv.hvtest("watches", cases="sentinel"),
                  gic=3, smp=2, log="info")
    m.expect("watches")
    # The other one's lines come in between: the log tells.  What is typed waits.
    for n in range(1, 5):
        m.send("r")
        m.expect(f"resets: reset number {n}")
    m.send("o")
    m.finish()
    assert m.results(all_vms=["watches"])["sentinel"] == "ok"


def test_large_memory(bench):
    """A VM of 6 GiB in a machine of 8: memory above 4 GiB, and nothing beyond it."""
    m = bench.run(hv.hvtest("t", cases="memory.*,abort.edges", mem=6 * hv.GIB), mem="8G", gic=3)
    m.expect(r"TESTS 3 passed, 0 failed", timeout=180)
    m.finish()


def test_uart_receive_interrupt(bench):
    m = bench.run(hv.hvtest("t", cases="gic.uart_receive"), gic=2, smp=1)
    m.expect("type, end with a full stop")
    m.send("the quick brown fox jumps over the lazy dog.")
    m.expect(r"interrupts brought: the quick brown fox jumps over the lazy dog\.")
    m.expect("TEST gic.uart_receive ok")
    m.finish()


@pytest.mark.parametrize("gic", [2, 3])
def test_isolation(bench, gic):
    """One guest strikes at every address and every privileged register; another one on
    the same core, and a third on another one, do not notice."""
    m = bench.run(hv.hvtest("hammer", cases="hammer", sets=[1]),
                  hv.hvtest("same", cases="sentinel", sets=[1]),
                  hv.hvtest("other", cases="sentinel", sets=[2]), gic=gic, smp=2)
    m.finish(timeout=240)
    assert "TESThammerok" in hv.squashed(m.text, "hammer")
    beats = []
    for name in ("same", "other"):
        text = hv.squashed(m.text, name)
        assert "sentinelwatches" in text
        assert "TESTsentinelok" in text
        beats.append([int(n) for n in re.search(
            r"sentinel:(\d+)beatsof(\d+),latestby(\d+)us", text).groups()])
    for got, of, latest in beats:
        assert got > of // 4
        assert latest < 1_500_000
