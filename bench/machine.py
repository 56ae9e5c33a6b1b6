# SPDX-License-Identifier: Apache-2.0
"""The machine that is measured: each instruction takes 1 ns of its time."""

# Where QEMU puts the image, which is linked at 0.
LOAD = {"aarch64": 0x40200000}
MACHINE = {"aarch64": ["-M", "virt,virtualization=on,gic-version=3", "-cpu", "cortex-a72"]}
# Memory in MiB: what it takes grows with it (0.3 % of it keep the frames' owners).
MEMORY = 128
CORES = {"quiet": 1, "loud": 1, "pair1": 1, "pair2": 2}


def argv(qemu, arch, run, image):
    return [qemu, *MACHINE[arch], "-icount", "shift=0,sleep=off", "-smp", str(CORES[run]),
            "-m", str(MEMORY), "-display", "none", "-nic", "none", "-serial", "stdio",
            "-monitor", "none", "-kernel", image]
