# SPDX-License-Identifier: Apache-2.0
"""GICv2 guests on a GICv3 machine: their CPU interface traps (dev/vgic_gicc.c)."""
import hv
import pytest
from test_arceos import SAYS
from test_own_guest import check

# As upstream's files have it: a distributor, and no redistributors.
INTC = ('emu_devices = []\n'
        'passthrough_devices = [["intc@8000000", 0x800_0000, 0x800_0000, 0x5_0000, 0x1]]')
EMU = 'emu_devices = [["gic", 0x800_0000, 0x1_0000, 0, 0x1, []]]\npassthrough_devices = []'


@pytest.mark.parametrize("cpus", [1, 2])
@pytest.mark.parametrize("app", SAYS)
def test_arceos(bench, app, cpus):
    m = bench.run(hv.arceos("arceos", app, cpus, devices=INTC), gic=3, smp=2)
    m.expect(SAYS[app])
    m.expect("Shutting down")
    m.finish()


@pytest.mark.parametrize("cores,vcpus,devices", [(1, 1, INTC), (2, 2, EMU), (1, 4, INTC)],
                         ids=["one", "two", "four-on-one-core"])
def test_all_cases(bench, cores, vcpus, devices):
    m = bench.run(hv.hvtest("t", cpus=vcpus, devices=devices), gic=3, smp=cores)
    m.expect(r"TESTS \d+ passed", timeout=240)
    m.finish()
    check(m.results(), vcpus, 2)


def test_beside_gicv3(bench):
    """Guests of both kinds take turns on the same cores, each with its own interface."""
    cases = "gic.*,timer.*,smp.*"
    m = bench.run(hv.hvtest("two", cases, cpus=2, devices=INTC), hv.hvtest("three", cases, cpus=2),
                  gic=3, smp=2)
    m.finish(timeout=240)
    for vm in ("two", "three"):
        check(m.results(vm, ("two", "three")), 2, 2, at_least=20)


def test_linux(bench):
    m = bench.run(hv.linux("linux", cpus=2, devices=EMU), gic=3, smp=2)
    m.expect("linux:/# ")
    m.send("grep arch_timer /proc/interrupts\n")
    m.expect(r"GIC-0 +27 Level +arch_timer")
    m.expect("linux:/# ")
    m.send("poweroff\n")
    m.finish()
