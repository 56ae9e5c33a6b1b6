# SPDX-License-Identifier: Apache-2.0
"""One console for many VMs: who has it, who is heard, who is typed to."""
import hv

CTRL_X = "\x18"


def test_focus(bench):
    m = bench.run(hv.hvtest("one", cases="echo"), hv.hvtest("two", cases="echo"), gic=3, smp=2)
    # On a slow host lines come in pieces, after 100 ms each: wait for no whole one.
    m.expect(r"\[two\] ")
    m.send(CTRL_X + "]")
    m.expect(r"now with two")
    m.send("for two.")
    m.expect("you typed: for two\r+\n")
    # It ends, and the first one has the console again.
    m.expect("now with one")
    m.send("for one.")
    m.expect("you typed: for one\r+\n")
    m.finish()


def test_around(bench):
    m = bench.run(*[hv.hvtest(f"vm{i}", cases="echo") for i in range(3)], gic=3, smp=2)
    m.expect(r"\[vm2\] ")
    for keys, name in (("]", "vm1"), ("]", "vm2"), ("]", "vm0"), ("[", "vm2"), ("[", "vm1")):
        m.send(CTRL_X + keys)
        m.expect(f"now with {name}")
    m.send(".")
    m.expect("you typed: \r+\n")


def test_background_lines(bench):
    """A VM in the background says whole lines, with its name."""
    m = bench.run(hv.hvtest("front", cases="echo"), hv.hvtest("back", cases="forever"), gic=3)
    m.expect(r"\[back\] still here: \d+\r+\n")
    m.expect(r"\[back\] still here: \d+\r+\n")
    m.send(".")
    # Now it has the console for itself, and no name is needed.
    m.expect("now with back")
    m.expect(r"\nstill here: \d+\r+\n")
