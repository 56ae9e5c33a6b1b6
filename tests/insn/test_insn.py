# SPDX-License-Identifier: Apache-2.0
"""The decoder of loads and stores (arch/aarch64/insn_decode.c) against binutils'
disassembler: the same instructions are accepted, with the same operands."""

import os
import random
import re
import subprocess

INSN_LIST = os.environ.get("INSN_LIST", "build/host/insn_list")
OBJDUMP = os.environ.get("OBJDUMP", "aarch64-linux-gnu-objdump")

# What is emulated: the rest (exclusives, atomics, ordered ones, tags, PAuth loads,
# prefetches, vectors of structures, literals) faults with a syndrome, or is refused.
PAIR = re.compile(r"(ld|st)n?p(sw)?$")
SINGLE = re.compile(r"(ld|st)(r|ur|tr)(s?)([bhw]?)$")
ADDRESS = re.compile(r"\[(x\d+|sp)(?:, (#-?\d+|[wx](?:\d+|zr).*?))?\](!)?(?:, (#-?\d+))?$")
SIZES = {"b": 1, "h": 2, "s": 4, "d": 8, "q": 16, "w": 4, "x": 8}


def number(register):
    return 31 if register in ("sp", "xzr", "wzr") else int(register[1:])


def expected(text):
    """insn_list's line for a line of disassembly; "-" for what is not emulated."""
    mnemonic, _, operands = text.partition("\t")
    pair, single = PAIR.match(mnemonic), SINGLE.match(mnemonic)
    if not (pair or single) or "[" not in operands:
        return "-"
    names = operands[: operands.index("[")].rstrip(", ").split(", ")
    if not all(re.match(r"[wxbhsdq](\d+|zr)$", n) for n in names):
        return "-"  # SVE
    letter = names[0][0]
    address = ADDRESS.match(operands[operands.index("[") :].split("  //")[0].strip())
    assert address, text
    base, inside, bang, after = address.groups()
    if pair:
        sign = pair.group(2) is not None
        size = 4 if sign else SIZES[letter]
    else:
        sign = single.group(3) == "s"
        size = {"b": 1, "h": 2, "w": 4, "": SIZES[letter]}[single.group(4)]
    line = f"{'load' if text.startswith('ld') else 'store'} size={size} sign={int(sign)}"
    line += f" regs={letter}" + ",".join(str(number(n)) for n in names) + f" base={number(base)}"
    if inside and not inside.startswith("#"):
        return line + " by-register"
    offset = (after or inside or "#0")[1:]
    return line + f" offset={offset}" + (" post" if after else "") + (" pre" if bang else "")


def unpredictable(w):
    """LDPSW into one register twice, or into its own base: binutils shows no instruction,
    the manual leaves it to the processor (K1.1)."""
    rt, rn, rt2 = w & 31, w >> 5 & 31, w >> 10 & 31
    return w >> 25 == 0x34 and w >> 22 & 1 and (rt == rt2 or rn in (rt, rt2))


def words():
    rng = random.Random(1)
    for _ in range(150000):
        # op0 = x1x0: loads and stores; here mostly pairs and single registers
        yield rng.getrandbits(32) & ~(7 << 27 | 1 << 25) | rng.choice((5, 7)) << 27
    for _ in range(30000):
        # register offsets, unprivileged ones, prefetches, PAuth: their own bit patterns
        yield rng.getrandbits(32) & ~(7 << 27 | 3 << 24 | 3 << 10) | 7 << 27 | rng.getrandbits(2) << 10
    for _ in range(30000):
        yield rng.getrandbits(32) & ~(1 << 25) | 1 << 27
    for _ in range(20000):
        yield rng.getrandbits(32)


def test_against_disassembler(tmp_path):
    code = list(words())
    raw = tmp_path / "words.bin"
    raw.write_bytes(b"".join(w.to_bytes(4, "little") for w in code))
    dump = subprocess.run(
        [OBJDUMP, "-D", "-b", "binary", "-m", "aarch64", "-z", str(raw)],
        capture_output=True, text=True, check=True,
    ).stdout
    listing = [line.split("\t", 2)[2] for line in dump.splitlines() if re.match(r" *[0-9a-f]+:\t", line)]
    assert len(listing) == len(code)
    out = subprocess.run(
        [INSN_LIST], input="\n".join(f"{w:x}" for w in code), capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(out) == len(code)
    wrong = [
        f"{w:08x} {text!r}: want {want!r}, have {have!r}"
        for w, text, have in zip(code, listing, out)
        if (want := expected(text)) != have and not unpredictable(w)
    ]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(code)}"] + wrong[:40])
    # The comparison is of many, not of refusals alone.
    assert sum(line != "-" for line in out) > 60000
