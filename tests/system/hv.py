# SPDX-License-Identifier: Apache-2.0
"""What system tests use: images linked with the configurations of a test, and QEMU.

Every wait has a limit, and everything that came over the serial line is kept in
build/test/<test>/serial.log, beside the configurations and the image.
"""
import fcntl
import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[2]
ARCH = os.environ.get("ARCH", "aarch64")
GUESTS = Path("build/guests") / ARCH
OUT = ROOT / "build/test"
QEMU = os.environ.get("QEMU", "qemu-system-aarch64")
MIB = 1 << 20
GIB = 1 << 30
# Seconds: an emulated machine on a busy host is slow, and then only late.
LIMIT = 90

os.chdir(ROOT)


def make(*words, check=True):
    """make, one at a time: tests that run in parallel share the object files."""
    OUT.mkdir(parents=True, exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    with open(OUT / "make.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        r = subprocess.run(["make", "-s", "--no-print-directory", "-j2", f"ARCH={ARCH}", *words],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
                           stdin=subprocess.DEVNULL, timeout=1800, check=False)
    if check:
        assert r.returncode == 0, f"make {' '.join(words)} ended with {r.returncode}:\n{r.stdout}"
    return r


def guest(name):
    """The path of one of our guests, built."""
    path = GUESTS / name
    if not path.exists() or name.startswith("hvtest"):
        make(str(path))
    return path


def vm(name, kernel=None, cpus=1, mem=16 * MIB, base=0x4000_0000, load=0x4008_0000, cmdline=None,
       sets=None, location="memory", extra_base="", extra_kernel="", regions=None, devices=""):
    """The text of a VM configuration."""
    kernel = kernel or GUESTS / "hvtest.bin"
    out = ["[base]", f'name = "{name}"', "vm_type = 1", f"cpu_num = {cpus}"]
    if sets is not None:
        out.append(f"phys_cpu_sets = {sets}")
    out += [extra_base, "[kernel]", f'image_location = "{location}"', f'kernel_path = "{kernel}"']
    if load is not None:
        out += [f"kernel_load_addr = {load:#x}", f"entry_point = {load:#x}"]
    if cmdline is not None:
        out.append(f'cmdline = "{cmdline}"')
    out += [f"memory_regions = {regions or [[base, mem, 7, 0]]}", extra_kernel, "[devices]",
            devices or "emu_devices = []\npassthrough_devices = []"]
    return "\n".join(out) + "\n"


def hvtest(name, cases=None, **kw):
    """A VM with our own test guest that runs some cases, or all."""
    return vm(name, cmdline=f"cases={cases}" if cases else None, **kw)


def linux(name, cmdline="", cpus=1, mem=160 * MIB, **kw):
    """A VM with Debian's Linux and its initramfs of ours."""
    return vm(name, kernel=GUESTS / "linux-Image", cpus=cpus, mem=mem, load=0x4020_0000,
              cmdline=f"console=ttyAMA0 loglevel=4 {cmdline}",
              extra_kernel=f'ramdisk_path = "{GUESTS / "initramfs.cpio.gz"}"', **kw)


def arceos(name, app="hello", cpus=1, **kw):
    """A VM in the seed's 16 MiB layout with one of the ArceOS programs."""
    suffix = "-smp" if cpus == 2 else ""
    return vm(name, kernel=kw.pop("kernel", GUESTS / f"arceos-{app}{suffix}.bin"), cpus=cpus, **kw)


class Machine:
    """QEMU with an image, and what it says."""

    def __init__(self, folder, image, gic=2, cpu="cortex-a72", smp=2, mem="1G", disk=None,
                 bus="pci", virtualization="on", extra=()):
        args = ["-M", f"virt,virtualization={virtualization},gic-version={gic}", "-cpu", cpu,
                "-smp", str(smp), "-m", mem, "-display", "none", "-monitor", "none", "-nic", "none",
                # A failure of the hypervisor itself becomes an exit status.
                "-device", "pvpanic-pci", "-action", "panic=exit-failure",
                "-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con"]
        if disk is not None:
            args += ["-drive", f"if=none,format=raw,file={disk},id=disk0",
                     "-device", f"virtio-blk-{'device' if bus == 'mmio' else 'pci'},drive=disk0"]
            if bus == "mmio":
                args += ["-global", "virtio-mmio.force-legacy=false"]
        args += ["-kernel", str(image), *extra]
        self.log = open(folder / "serial.log", "a", encoding="utf-8", errors="replace")
        self.command = f"{QEMU} {' '.join(args)}"
        self.log.write(f"# {self.command}\n")
        self.log.flush()
        self.p = pexpect.spawn(QEMU, args, timeout=LIMIT, encoding="utf-8", codec_errors="replace",
                               logfile=None, echo=False, dimensions=(50, 500))
        self.p.logfile_read = self
        self.text = ""

    # pexpect writes what it reads to us
    def write(self, data):
        self.text += data
        self.log.write(data)

    def flush(self):
        self.log.flush()

    def fail(self, why):
        tail = "\n".join(self.text.splitlines()[-25:])
        raise AssertionError(f"{why}\n{self.command}\n--- the last it said:\n{tail}")

    def expect(self, pattern, timeout=LIMIT):
        """Waits for a regular expression, or one of several; the match object.

        An end of line is \\r+\\n: QEMU lets the terminal add another \\r to a guest's.
        """
        try:
            self.index = self.p.expect(pattern, timeout=timeout)
        except pexpect.TIMEOUT:
            self.fail(f"{pattern!r} did not come in {timeout} s")
        except pexpect.EOF:
            self.fail(f"QEMU ended before {pattern!r}")
        return self.p.match

    def send(self, text):
        self.p.send(text)

    def finish(self, timeout=LIMIT, status=0):
        """Waits until QEMU has ended by itself; everything that it said."""
        try:
            self.p.expect(pexpect.EOF, timeout=timeout)
        except pexpect.TIMEOUT:
            self.fail(f"the machine still runs after {timeout} s")
        self.p.close()
        if self.p.signalstatus is not None or self.p.exitstatus != status:
            self.fail(f"QEMU ended with status {self.p.exitstatus}, signal {self.p.signalstatus}")
        return self.text

    def results(self, vm=None, all_vms=()):
        return results(self.text, vm, all_vms)

    def stop(self):
        self.p.close(force=True)
        self.log.close()


def lines_of(text, vm=None):
    """What a VM said; in the background it is line by line with its name."""
    if vm is None:
        # Lines of others may have come into the middle of one.
        return re.sub(r"\r*\n?(\[[^\]\n]*\] [^\n]*)\r*\n", "", text)
    return "\n".join(re.findall(rf"\[{re.escape(vm)}\] ([^\r\n]*)", text))


def squashed(text, vm):
    """What a VM printed, with and without the focus, without any white space: a line
    that took its guest long comes in pieces, and so on lines of their own."""
    return re.sub(r"\s", "", lines_of(text, vm) + lines_of(text))


def results(text, vm=None, all_vms=()):
    """{case: "ok", "FAIL why" or "n/a why"} of our own guest; all_vms: wherever it was said."""
    text = lines_of(text, vm) + "".join(lines_of(text, v) for v in all_vms)
    return {m[1]: m[2] for m in re.finditer(r"TEST (\S+) (ok|FAIL[^\r\n]*|n/a[^\r\n]*)", text)}


class Bench:
    """What a test gets: makes images, starts machines, and clears up."""

    def __init__(self, folder):
        self.folder = folder
        self.machines = []
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "serial.log").unlink(missing_ok=True)

    def write(self, name, data):
        path = self.folder / name
        if isinstance(data, bytes):
            path.write_bytes(data)
        else:
            path.write_text(data, encoding="utf-8")
        return path.relative_to(ROOT)

    def image(self, *configs, log="error", check=True):
        """Links an image with configurations: paths, or texts such as vm()'s."""
        paths = []
        for i, c in enumerate(configs):
            paths.append(c if isinstance(c, Path) else self.write(f"vm{i + 1}.toml", c))
        out = (self.folder / "image").relative_to(ROOT)
        make(f"VM_CONFIGS={':'.join(map(str, paths))}", f"IMAGE_OUT={out}", f"LOG={log}",
             f"CHECK={'y' if check else 'n'}", "build")
        return out / "axvisor.bin"

    def boot(self, image, **kw):
        m = Machine(self.folder, image, **kw)
        self.machines.append(m)
        return m

    def run(self, *configs, log="error", check=True, **kw):
        return self.boot(self.image(*configs, log=log, check=check), **kw)

    def disk(self, files=(), name="disk.img", size=64 * MIB):
        """A FAT32 volume with files: paths, or (name on the disk, path) pairs."""
        path = self.folder / name
        with open(path, "wb") as f:
            f.truncate(size)
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(["mkfs.fat", "-F", "32", "-n", "AXVISOR", path], **quiet)
        for f in files:
            to, source = f if isinstance(f, tuple) else (Path(f).name, f)
            subprocess.run(["mcopy", "-o", "-i", path, source, f"::{to}"], **quiet)
        return path

    def close(self):
        for m in self.machines:
            m.stop()


if sys.version_info < (3, 9):
    raise RuntimeError("Python 3.9 or later")
