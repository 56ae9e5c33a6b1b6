# SPDX-License-Identifier: Apache-2.0
"""Debian's Linux."""
import hv
import pytest

BOOT = 120


@pytest.fixture(autouse=True, scope="module")
def images():
    hv.guest("linux-Image")
    hv.guest("initramfs.cpio.gz")


@pytest.mark.parametrize("gic", [2, 3])
def test_boot_and_poweroff(bench, gic):
    """A shell, typed into; two CPUs online; interrupts that move; poweroff."""
    m = bench.run(hv.linux("linux", cpus=2), gic=gic, smp=2)
    m.expect(r"linux:/# ", timeout=BOOT)
    m.send("nproc; echo $((6 * 7))\r")
    m.expect(r"\r+\n2\r+\n42\r+\n")
    m.send("grep -c processor /proc/cpuinfo; axtest interrupts\r")
    m.expect(r"axtest: all ok", timeout=60)
    m.expect("linux:/# ")
    m.send("poweroff\r")
    m.finish()


@pytest.mark.parametrize("gic,cpu", [(2, "cortex-a72"), (3, "cortex-a72"), (3, "neoverse-n1"),
                                     (3, "max,pauth-impdef=on")])
def test_axtest(bench, gic, cpu):
    """Everything that its own test program can look at from inside."""
    m = bench.run(hv.linux("linux", "axtest=online:2,interrupts,timer,hotplug,mem:24,rtc", cpus=2),
                  gic=gic, cpu=cpu, smp=2)
    m.expect("axtest: (all ok|FAILED.*)", timeout=240)
    assert m.p.match[1] == "all ok"
    m.finish()


@pytest.mark.parametrize("cores", [1, 2])
def test_two_at_once(bench, cores):
    """Two Linux VMs on one core or on two; each powers itself off."""
    m = bench.run(hv.linux("one", "axtest=interrupts,timer"), hv.linux("two", "axtest=interrupts,timer"),
                  gic=2 if cores == 1 else 3, smp=cores)
    m.finish(timeout=300)
    assert m.text.count("axtest: all ok") == 2


def test_reboot(bench):
    """`reboot` resets the VM: it boots anew."""
    m = bench.run(hv.linux("linux"), gic=3, smp=1)
    m.expect(r"linux:/# ", timeout=BOOT)
    m.send("reboot -f\r")
    m.expect(r"linux:/# ", timeout=BOOT)
    m.send("poweroff -f\r")
    m.finish()


def test_beside_arceos(bench):
    """The demo: Linux with a shell while ArceOS runs."""
    m = bench.run(hv.linux("linux", cpus=2), hv.arceos("arceos", "multitask"), gic=2, smp=2)
    m.expect(r"\[arceos\] .*multitask: .*ok", timeout=BOOT)
    m.send("\r")
    m.expect("linux:/# ", timeout=BOOT)
    m.send("poweroff\r")
    m.finish()
