# SPDX-License-Identifier: Apache-2.0
"""Physical devices in a VM's hands: upstream's Linux with the host's virtio-mmio disk."""
import json
import os
import re
import shutil
import socket
import subprocess
import time

import hv
import pytest

BOOT = 180
UPSTREAM = hv.ROOT / "tests/unit/data/upstream"
# Firmware leaves a slot of QEMU's as it is; disks are put in from the top.
SLOT = 0x0a00_3e00
LEGACY = ("-device", "virtio-blk-device,drive=d")
MODERN = ("-global", "virtio-mmio.force-legacy=false", *LEGACY)


@pytest.fixture(autouse=True, scope="module")
def images():
    hv.guest("linux-Image")
    hv.guest("initramfs.cpio.gz")


def upstream(bench, name, cmdline="", edit=lambda text: text):
    """An upstream file with what Debian's kernel needs and upstream's own device tree."""
    text = (UPSTREAM / f"{name}.toml").read_text(encoding="utf-8")
    kernel = re.search(r'kernel_path = "(.*)"', text)[1]
    dtb = re.search(r'dtb_path = "(.*)"', text)[1]
    more = ('ramdisk_path = "initrd"\nramdisk_load_addr = 0x8800_0000\n'
            f'cmdline = "console=ttyAMA0 loglevel=4 {cmdline}"\n')
    text = edit(text.replace("[kernel]\n", "[kernel]\n" + more, 1))
    for link, guest in ((kernel, "linux-Image"), ("initrd", "initramfs.cpio.gz")):
        shutil.copyfile(hv.guest(guest), bench.folder / link)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", bench.folder / dtb,
                    UPSTREAM / dtb.replace(".dtb", ".dts")], check=True)
    return bench.write(f"{name}.toml", text)


def drive(bench, size=64 * hv.MIB):
    """A disk without a file system, full of what is not zero; its QEMU arguments."""
    path = bench.folder / "d.img"
    with open(path, "wb") as f:
        for i in range(size // hv.MIB):
            f.write(bytes([i + 1]) * hv.MIB)
    return path, ("-drive", f"file={path},if=none,format=raw,id=d")


def config(path):
    return hv.ROOT / path


@pytest.mark.parametrize("name,devices", [("linux-qemu-aarch64-smp2", LEGACY),
                                          ("linux-qemu-aarch64-smp2", MODERN),
                                          ("linux-qemu-aarch64", LEGACY)],
                         ids=["smp2-legacy", "smp2-modern", "single"])
def test_disk(bench, name, devices):
    """Read, write, fsync; the same checksum after a reboot; another machine sees it, too."""
    path, args = drive(bench)
    m = bench.run(config(upstream(bench, name)), log="warn", gic=2, smp=2, mem="4G",
                  extra=[*args, *devices])
    m.expect("is trusted: without an IOMMU")
    m.expect("linux:/# ", timeout=BOOT)
    m.send("axtest disk\r")
    m.expect(r"axtest: all ok", timeout=BOOT)
    m.send("sha256sum /tmp/pattern; grep -c virtio0 /proc/interrupts\r")
    wrote = m.expect(r"([0-9a-f]{64})  /tmp/pattern\s+[1-9]", timeout=60)[1]
    m.send("reboot -f\r")
    m.expect("Restarting system")
    m.expect("linux:/# ", timeout=BOOT)
    m.send("dd if=/dev/vda bs=64k count=64 2>/dev/null | sha256sum\r")
    m.expect(f"{wrote}  -", timeout=60)
    # What nobody wrote is still there.
    m.send("dd if=/dev/vda bs=1M skip=10 count=1 2>/dev/null | hexdump -C | head -n 1\r")
    m.expect("00000000  0b 0b 0b", timeout=60)
    m.send("poweroff -f\r")
    m.finish()
    with open(path, "rb") as f:
        data = f.read(4 * hv.MIB)
    assert subprocess.run(["sha256sum"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout.decode().split()[0] == wrote


class Monitor:
    """QEMU's own view of the machine."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(hv.LIMIT)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rw", encoding="utf-8")
        self.lines.readline()
        self.do("qmp_capabilities")

    def do(self, command, **arguments):
        self.lines.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            answer = json.loads(self.lines.readline())
            if "event" not in answer:
                return answer["return"]

    def word(self, address):
        text = self.do("human-monitor-command", **{"command-line": f"xp /1xw {address:#x}"})
        return int(text.split(":")[1], 16)

    def memory(self, base, size, path):
        self.do("pmemsave", val=base, size=size, filename=str(path))
        return path.read_bytes()

    def close(self):
        self.lines.close()
        self.socket.close()


@pytest.mark.parametrize("devices", [LEGACY, MODERN], ids=["legacy", "modern"])
def test_killed_in_the_middle(bench, devices):
    """A VM that ends while its disk writes to its memory: nothing writes there afterwards."""
    _, args = drive(bench)
    # A short way for the socket: its name has at most 107 bytes.
    where = f"/tmp/axv-{os.getpid()}.sock"
    size = 256 * hv.MIB
    small = upstream(bench, "linux-qemu-aarch64", edit=lambda t: t.replace(
        "[0x8000_0000, 0x4000_0000,", f"[0x8000_0000, {size:#x},"))
    other = hv.linux("other", cpus=1)
    m = bench.run(config(small), other, log="warn", gic=2, smp=2, mem="4G",
                  extra=["-qmp", f"unix:{where},server,nowait", *args, *devices])
    try:
        m.expect("linux:/# ", timeout=BOOT)
        m.send("for i in 1 2 3; do while dd if=/dev/vda of=/dev/null bs=1M iflag=direct "
               "2>/dev/null; do :; done & done; echo go-$((40 + 2))\r")
        m.expect("go-42", timeout=60)
        time.sleep(2)
        q = Monitor(where)
        assert q.word(SLOT + 0x70) & 4, "the driver works with its device"
        m.send("echo o >/proc/sysrq-trigger\r")
        m.expect(r'VM \d+ "linux-qemu" has stopped', timeout=60)
        m.send("\r")  # the other one has the console now
        m.expect(r"linux:/# ", timeout=BOOT)
        assert q.word(SLOT + 0x70) == 0, "the device was stopped"
        before = q.memory(0x8000_0000, size, bench.folder / "frames.bin")
        time.sleep(3)
        assert q.memory(0x8000_0000, size, bench.folder / "frames.bin") == before
        q.close()
        (bench.folder / "frames.bin").unlink()
        m.send("poweroff -f\r")
        m.finish()
    finally:
        if os.path.exists(where):
            os.unlink(where)


def test_reset_in_the_middle(bench):
    """A reset without the kernel's help: the guest finds a device that was reset."""
    _, args = drive(bench)
    m = bench.run(config(upstream(bench, "linux-qemu-aarch64-smp2")), log="warn", gic=2, smp=2,
                  mem="4G", extra=[*args, *LEGACY])
    m.expect("linux:/# ", timeout=BOOT)
    m.send("while dd if=/dev/vda of=/dev/null bs=1M iflag=direct 2>/dev/null; do :; done &\r")
    m.send("sleep 2; echo b >/proc/sysrq-trigger\r")
    m.expect("sysrq: Resetting")
    m.expect("linux:/# ", timeout=BOOT)
    m.send("axtest disk\r")
    m.expect("axtest: all ok", timeout=BOOT)
    m.send("poweroff -f\r")
    m.finish()


def test_second_vm_gets_nothing(bench):
    """Slots that one VM has are empty for the next, which says so."""
    _, args = drive(bench)
    first = upstream(bench, "linux-qemu-aarch64", "axtest=disk", edit=lambda t: t.replace(
        "[0x8000_0000, 0x4000_0000,", "[0x8000_0000, 0x1000_0000,"))
    second = hv.linux("second", "-- ls /sys/block", devices=(
        'emu_devices = []\npassthrough_devices = [["v", 0xa00_0000, 0xa00_0000, 0x4000, 1]]'),
        regions=[[0xa000_0000, 256 * hv.MIB, 7, 1]]).replace("0x40200000", "0xa0200000")
    m = bench.run(config(first), second, log="warn", gic=2, smp=2, mem="4G",
                  extra=[*args, *LEGACY])
    m.expect(r'32 of its 32 virtio-mmio slots belong to VM \d+ "linux-qemu"')
    m.finish(timeout=300)
    assert "axtest: all ok" in m.text
    assert "init: ls ended with status 0" in m.text
    assert m.text.count("vda") == 1, "the first VM's test names it, the second has none"
