# SPDX-License-Identifier: Apache-2.0
"""JUnit XML, the one format in which every stage of `make test` leaves its results."""
import re
import xml.etree.ElementTree as ET

# XML 1.0 has no place for most control characters, and test output may hold any.
_BAD = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd]")


class Case:
    """One case: `failure` is None when it passed, else what went wrong."""

    def __init__(self, suite, name, failure=None):
        self.suite, self.name, self.failure = suite, name, failure


def write(filename, cases):
    root = ET.Element("testsuite", tests=str(len(cases)),
                      failures=str(sum(c.failure is not None for c in cases)))
    for c in cases:
        e = ET.SubElement(root, "testcase", classname=c.suite, name=c.name)
        if c.failure is not None:
            ET.SubElement(e, "failure").text = _BAD.sub("?", c.failure)
    ET.ElementTree(root).write(filename, encoding="utf-8", xml_declaration=True)


def read(filename):
    """The cases of a file: ours, pytest's or cmocka's.  A skipped one has not passed."""
    cases = []
    for e in ET.parse(filename).iter("testcase"):
        bad = [x for x in e if x.tag in ("failure", "error", "skipped")]
        text = "\n".join(x.tag + ": " + (x.get("message") or "") + "\n" + (x.text or "")
                         for x in bad).strip()
        cases.append(Case(e.get("classname", ""), e.get("name"), text if bad else None))
    return cases
