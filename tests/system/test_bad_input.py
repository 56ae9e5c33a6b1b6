# SPDX-License-Identifier: Apache-2.0
"""Bad configurations, images, disks: said precisely, and the other VM runs all the same.

What the build's own check would refuse is built with CHECK=n, as a file from a disk or
from another machine would come.
"""
import struct

import hv
import pytest

GOOD = hv.hvtest("good", cases="hello,boot.*,timer.short_virt")


def runs_beside(bench, bad, says, *, good=GOOD, log="warn", order=1, **kw):
    """The good VM runs to its end; the log says what is wrong with the bad one."""
    configs = [bad, good] if order else [good, bad]
    m = bench.run(*configs, log=log, check=False, **{"gic": 3, "smp": 2, **kw})
    m.expect(r"TESTS \d+ passed, 0 failed")
    m.finish()
    for words in [says] if isinstance(says, str) else says:
        assert words in m.text
    assert "panic" not in m.text.lower()
    return m


def test_image_missing_on_disk(bench):
    runs_beside(bench, hv.vm("bad", "nothere.bin", location="fs"), ["nothere.bin", "error"],
                disk=bench.disk())


def test_image_missing_in_memory(bench):
    """Compiled in: the build itself fails, and names all places it looked at."""
    config = bench.write("bad.toml", hv.vm("bad", "nothere.bin"))
    r = hv.make(f"VM_CONFIGS={config}", f"IMAGE_OUT={bench.folder}/image", "build", check=False)
    assert r.returncode != 0
    assert "nothere.bin" in r.stdout and "configs/vms/nothere.bin" in r.stdout


@pytest.mark.parametrize("where", ["memory", "fs"])
def test_image_empty(bench, where):
    empty = bench.write("empty.bin", b"")
    kernel = empty if where == "memory" else "empty.bin"
    runs_beside(bench, hv.vm("bad", kernel, location=where), ["empty.bin", "empty"],
                disk=bench.disk([empty]))


def test_image_too_large(bench):
    big = bench.write("big.bin", bytes(20 * hv.MIB))
    runs_beside(bench, hv.vm("bad", "big.bin", location="fs"), "0x480000 bytes are missing",
                disk=bench.disk([big]))


def elf(machine):
    """The smallest ELF64 with one segment."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0x40080000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0x40080000, 0x40080000, 16, 16, 0x1000)
    return head + bytes(0x1000 - len(head)) + bytes(16)


def test_foreign_architecture(bench):
    alien = bench.write("alien.elf", elf(62))
    runs_beside(bench, hv.vm("bad", alien, load=None), ["alien.elf", "x86"])


def test_foreign_kernel(bench):
    """A riscv64 Image, by its header's magic."""
    head = bytearray(4096)
    head[0x30:0x38] = b"RISCV\0\0\0"
    head[0x38:0x3c] = b"RSC\x05"
    alien = bench.write("riscv.img", bytes(head))
    runs_beside(bench, hv.vm("bad", alien), ["riscv"])


def test_entry_outside_memory(bench):
    bad = hv.vm("bad").replace("entry_point = 0x40080000", "entry_point = 0x90000000")
    runs_beside(bench, bad, ["entry", "0x90000000"])


def test_two_claim_one_range(bench):
    """Identical memory twice: the second VM is refused, both named; a third one runs."""
    region = [[0x6000_0000, 16 * hv.MIB, 7, 1]]
    first = hv.hvtest("first", cases="memory.*", regions=region, load=0x6008_0000)
    m = bench.run(first, hv.vm("second", regions=region, load=0x6008_0000), GOOD, gic=3, smp=2,
                  log="warn", check=False)
    m.finish()
    assert m.text.count("0 failed") == 2
    assert "first" in m.text and "second" in m.text and "0x60000000" in m.text


def test_more_memory_than_the_machine_has(bench):
    runs_beside(bench, hv.vm("bad", mem=8 * hv.GIB), ["bad", "error"], mem="1G")


def test_identical_memory_that_is_not_there(bench):
    bad = hv.vm("bad", regions=[[0x20_0000_0000, 16 * hv.MIB, 7, 1]], load=0x20_0008_0000)
    runs_beside(bench, bad, ["bad", "error"])


def test_affinity_past_the_last_core(bench):
    runs_beside(bench, hv.vm("bad", sets=[0x10]), ["bad", "error"], smp=2)


@pytest.mark.parametrize("count", [0, 1000])
def test_cpu_num(bench, count):
    runs_beside(bench, hv.vm("bad", cpus=count), ["cpu_num", str(count)])


def test_too_many_vcpus_for_a_gicv2(bench):
    runs_beside(bench, hv.vm("bad", cpus=9), ["GICv2"], gic=2)


def test_unknown_keys_and_wrong_types(bench):
    bad = hv.vm("bad", extra_base='cpu_sets = [1]\nid = "one"')
    runs_beside(bench, bad, ["cpu_sets", "phys_cpu_sets", "error"])


def test_not_toml_at_all(bench):
    runs_beside(bench, "[base\nname = \n\x01", ["vm1.toml:1"])


def test_corrupt_file_system(bench):
    disk = bench.disk([("k.bin", hv.guest("hvtest.bin"))])
    data = bytearray(disk.read_bytes())
    # Both FATs and the root folder: noise.
    for at in range(32 * 512, 4 * hv.MIB, 7):
        data[at] ^= 0x5a
    disk.write_bytes(bytes(data))
    runs_beside(bench, hv.vm("bad", "k.bin", location="fs"), ["k.bin", "error"], disk=disk)


def test_no_file_system(bench):
    disk = bench.folder / "disk.img"
    disk.write_bytes(b"\xa5" * (4 * hv.MIB))
    runs_beside(bench, hv.vm("bad", "k.bin", location="fs"), ["k.bin", "error"], disk=disk)


def test_no_disk(bench):
    runs_beside(bench, hv.vm("bad", "k.bin", location="fs"), ["k.bin", "error"])


@pytest.mark.parametrize("cut", [0, 3, 40, 200, 900])
def test_truncated_dtb(bench, cut):
    """The first bytes of a device tree."""
    r = hv.subprocess.run([hv.QEMU, "-M", f"virt,dumpdtb={bench.folder}/full.dtb"], check=True)
    assert r.returncode == 0
    dtb = bench.write("cut.dtb", (bench.folder / "full.dtb").read_bytes()[:cut])
    bad = hv.vm("bad", extra_kernel=f'dtb_path = "{dtb}"\ndtb_load_addr = 0x40000000')
    runs_beside(bench, bad, ["cut.dtb is empty" if cut == 0 else "the device tree is", "vm1.toml:12:12"])


def test_nothing_can_be_started(bench):
    """Not even one VM: it says so, and ends with a failure."""
    m = bench.run(hv.vm("bad", cpus=1000), log="warn", check=False, gic=3)
    m.expect("No VM could be started")
    m.p.expect(hv.pexpect.EOF)


def test_guest_that_runs_wild(bench):
    """Zeroes as code: undefined instructions for ever, at no vector; others run on."""
    wild = bench.write("wild.bin", bytes(65536))
    m = bench.run(hv.vm("wild", wild), GOOD, gic=3, smp=1)
    m.expect(r"TESTS \d+ passed, 0 failed", timeout=120)


def test_entered_at_el1(bench):
    m = bench.boot(bench.image(GOOD), virtualization="off", gic=3)
    m.expect("entered at EL1, but a hypervisor needs EL2")
