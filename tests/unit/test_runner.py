#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What judges the other tests: tests/qemu.py's reading of a console, and tests/summary.py's counting."""
import io
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import qemu  # noqa: E402
import summary  # noqa: E402


def passed_on(console, nonce="n"):
    """What CommandOutput passes on, and the status it found; the same however the console's bytes are cut."""
    results = set()
    for step in (1, 2, 3, 7, len(console)):
        sink = io.BytesIO()
        output = qemu.CommandOutput(nonce, sink)
        for at in range(0, len(console), step):
            output.feed(console[at:at + step].encode())
        results.add((sink.getvalue().decode(), output.status))
    assert len(results) == 1, results
    return results.pop()


class CommandOutputTest(unittest.TestCase):
    def test_firmware_and_log_are_dropped(self):
        self.assertEqual(passed_on("OpenSBI v1.1\n[  0.000001 core0] up\nout\n[ 12.5] x\n[log: 9 bytes lost]\n"),
                         ("out\n", None))

    def test_what_only_looks_like_the_log_is_kept(self):
        text = "[half\n[12\n[1] x\n[lo\nab[ 1.5] c\nos2: ex\nos2: exit other 1\n"
        self.assertEqual(passed_on("[0.1] up\n" + text), (text, None))

    def test_status(self):
        self.assertEqual(passed_on("[0.1] up\nout\nos2: exit n 7\n"), ("out\n", 7))

    def test_a_line_without_an_end_is_kept(self):
        self.assertEqual(passed_on("[0.1] up\nno end"), ("no end", None))


class SummaryTest(unittest.TestCase):
    def check(self, result, stdout, expected):
        self.assertEqual(summary.count({"result": result, "stdout": stdout}), expected)

    def test_counts(self):
        self.check("OK", "1..2\nok 1\nok 2 - x\n", (2, 0, 0))
        self.check("OK", "", (1, 0, 0))
        self.check("OK", "ok 1\nok 2 # SKIP no disk\n", (1, 0, 1))
        self.check("FAIL", "ok 1\nnot ok 2\n", (1, 1, 0))
        self.check("SKIP", "", (0, 0, 1))

    def test_what_never_ran_to_its_end_failed(self):
        self.check("ERROR", "ok 1\nok 2\nBail out! silent\n", (2, 1, 0))
        self.check("TIMEOUT", "", (0, 1, 0))
        self.check("INTERRUPT", "ok 1\n", (1, 1, 0))


if __name__ == "__main__":
    unittest.main()
