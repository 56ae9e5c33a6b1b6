# SPDX-License-Identifier: Apache-2.0
"""axvmconfig, the program: output, order, exit status.  AXVMCONFIG names it."""
import os
import subprocess
from pathlib import Path

import pytest

UPSTREAM = Path("tests/unit/data/upstream")
GOOD = """[base]
name = "{name}"
[kernel]
image_location = "{where}"
kernel_path = "{name}.bin"
bios_path = "bios.bin"
ramdisk_path = "initrd"
memory_regions = [[0x4000_0000, 0x100_0000, 0x7, 0]]
"""


def run(*args):
    r = subprocess.run([os.environ["AXVMCONFIG"], *map(str, args)], capture_output=True, text=True,
                       timeout=10, check=False)
    return r.returncode, r.stdout, r.stderr


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text(text)
        return path
    return write


def test_good_file(write):
    f = write("a.toml", GOOD.format(name="a", where="fs"))
    assert run("check", f) == (0, "1 file: 0 errors, 0 warnings\n", "")


def test_problems_in_the_order_of_lines_and_files(write):
    a = write("a.toml", "cpu_num = 2\n" + GOOD.format(name="a", where="tape"))
    b = write("b.toml", GOOD.format(name="a", where="fs").replace("0x7, 0]", "0x7, 7]"))
    status, out, _ = run("check", a, b)
    assert status == 1
    assert out == (
        f"{a}:1:1: warning: 'cpu_num' belongs in [base], in the file's top level it is ignored\n"
        f"{a}:5:18: error: image_location is \"tape\", it must be \"memory\" or \"fs\"\n"
        f"{b}:2:8: warning: this VM gets the name 'a-2': 'a' is that of VM 1 already ({a})\n"
        f"{b}:8:50: error: map_type of memory_regions[0] is 7, permitted is 0 to 2\n"
        "2 files: 2 errors, 2 warnings\n")


def test_warnings_alone_are_no_failure():
    status, out, _ = run("check", UPSTREAM / "linux-rk3588-aarch64.toml")
    assert status == 0
    assert out.endswith("1 file: 0 errors, 2 warnings\n")


def test_architecture():
    f = UPSTREAM / "arceos-riscv64.toml"
    assert run("check", "--arch", "riscv64", f)[0] == 0
    status, out, _ = run("check", "--arch", "aarch64", f)
    assert status == 1
    assert "architecture mismatch" in out
    assert run("arch", f) == (0, "riscv64\n", "")


def test_architecture_unknown(write):
    f = write("a.toml", GOOD.format(name="a", where="fs"))
    assert run("arch", f) == (0, "", "")


def test_image_lists(write):
    a = write("a.toml", GOOD.format(name="a", where="memory"))
    b = write("b.toml", GOOD.format(name="b", where="fs"))
    bad = write("bad.toml", GOOD.format(name="c", where="memory") + "entry_point = 0\n")
    assert run("files", b, bad, a) == (0, "2\ta.bin\n2\tbios.bin\n2\tinitrd\n", "")
    assert run("fsfiles", b, bad, a) == (0, "0\tb.bin\n0\tbios.bin\n0\tinitrd\n", "")


@pytest.mark.parametrize("args", [[], ["check"], ["check", "--arch", "arm", "x"], ["eat", "x"]])
def test_usage(args):
    status, out, err = run(*args)
    assert (status, out) == (2, "")
    assert err.startswith("usage: axvmconfig check")


def test_missing_file(tmp_path):
    status, out, err = run("check", tmp_path / "none.toml")
    assert (status, out) == (2, "")
    assert err == f"axvmconfig: cannot open {tmp_path / 'none.toml'}\n"


def test_large_file(write):
    f = write("a.toml", GOOD.format(name="a", where="fs") + "# comment\n" * 20000)
    assert run("check", f)[0] == 0


@pytest.fixture(name="dtb", scope="module")
def compile_machine(tmp_path_factory):
    def compile_dts(name):
        out = tmp_path_factory.mktemp("dtb") / f"{name}.dtb"
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", out,
                        f"tests/unit/data/{name}.dts"], check=True)
        return out
    return compile_dts


GICV3_GUEST = """
[base]
name = "v3"
[kernel]
kernel_path = "k.bin"
kernel_load_addr = 0x4008_0000
memory_regions = [[0x4000_0000, 0x100_0000, 0x7, 0]]
[devices]
emu_devices = [["gicr", 0x80a_0000, 0x2_0000, 0, 0x20, []]]
"""


def test_machine(dtb, write):
    qemu = dtb("qemu-gicv2")
    assert run("check", "--machine", qemu, UPSTREAM / "arceos-aarch64.toml")[0] == 0
    status, out, _ = run("check", "--machine", qemu, UPSTREAM / "linux-a1000-aarch64-smp8.toml")
    assert status == 1
    assert ":58:2: error: \"most-devices\": host range 0x0-0x7fffffff holds this machine's RAM" in out
    assert "MAP_IDENTICAL memory 0x80000000-0xefffffff is not all RAM of this machine" in out
    # A GICv2 guest goes on a GICv3 machine, but not the other way round.
    gicv3 = dtb("qemu-gicv3")
    assert run("check", "--machine", gicv3, UPSTREAM / "arceos-aarch64.toml")[0] == 0
    guest = write("v3-aarch64.toml", GICV3_GUEST)
    assert run("check", "--machine", gicv3, guest)[0] == 0
    status, out, _ = run("check", "--machine", qemu, guest)
    assert status == 1
    assert "GICv3" in out and "GICv2" in out


def test_machine_is_no_device_tree(write):
    status, _, err = run("check", "--machine", write("x.dtb", "no"), UPSTREAM / "arceos-aarch64.toml")
    assert status == 2
    assert "x.dtb" in err


@pytest.mark.parametrize("name", ["arceos-aarch64", "arceos-aarch64-smp", "nimbos-aarch64",
                                  "starry-aarch64"])
def test_upstream_files_on_qemu(dtb, name):
    status, out, _ = run("check", "--machine", dtb("qemu-gicv2"), UPSTREAM / f"{name}.toml")
    assert status == 0, out
