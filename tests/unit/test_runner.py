#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What judges the other tests: tests/qemu.py's reading of a console, and tests/summary.py's counting."""
import io
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import layout  # noqa: E402
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


class MemoryTest(unittest.TestCase):
    MACHINE = {"arch": "x86_64", "qemu": "qemu", "machine": "q35", "arguments": [], "append": "", "boots": [""],
               "least": 8, "kernel": "kernel", "archive": "archive"}

    def setUp(self):
        self.facts = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "machine.json"
        self.facts.write_text(json.dumps(self.MACHINE), encoding="utf-8")

    def test_sizes(self):
        for text, size in (("8M", 8 << 20), ("8", 8 << 20), ("1k", 1024), ("1.5G", 3 << 29), ("512b", 512)):
            self.assertEqual(layout.memory_bytes(text), size)
        for text in ("", "M", "8 M", "-1", "8Q"):
            self.assertIsNone(layout.memory_bytes(text))

    def test_too_little_is_named(self):
        for text, smp, least in (("1k", 2, 8), ("7.9M", 1, 8), ("8M", 3, 9), ("9M", 7, 10)):
            with self.assertRaisesRegex(qemu.GuestError, f"{text} of memory is too little: .* {least}M is the least"):
                qemu.command_line(self.facts, smp, text)
        for text, smp in (("8M", 2), ("9M", 6), ("2G", 64), ("much", 1)):  # what QEMU does not understand it will say
            self.assertIn(text, qemu.command_line(self.facts, smp, text)[1])

    def test_the_runner_says_so(self):
        for mode, status in ((["shell"], 2), (["command", "true"], 125)):
            done = subprocess.run([sys.executable, qemu.__file__, "--mem", "1k", str(self.facts), *mode],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertRegex(done.stderr, "^os2: 1k of memory is too little.*8M is the least that works\n$")

    def test_places(self):
        """QEMU's own places meet from 7 to 8 MiB, and nowhere above."""
        archive = 740 << 10
        self.assertEqual([m for m in range(6, 256) if layout.meet(m << 20, archive)], [7, 8])

    def test_tree_names_the_archive(self):
        if not shutil.which("dtc"):
            self.skipTest("dtc is not installed (Debian package device-tree-compiler)")
        source = ('/dts-v1/; /memreserve/ 0x1000 0x2000; '
                  '/ { a = <1>; chosen { stdout-path = "/x"; }; x { b = <2>; }; };')
        tree = subprocess.run(["dtc", "-I", "dts", "-O", "dtb", "-o", "-"], input=source.encode(), check=True,
                              capture_output=True).stdout
        made = layout.add_archive(tree, 0x80712000, 0xb4bd0)
        self.assertEqual(struct.unpack_from(">I", made, 4)[0], len(made))
        text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts"], input=made, check=True,
                              capture_output=True).stdout.decode()
        for words in ("linux,initrd-start = <0x00 0x80712000>", "linux,initrd-end = <0x00 0x807c6bd0>", "b = <0x02>",
                      'stdout-path = "/x"', "/memreserve/\t0x0000000000001000 0x0000000000002000"):
            self.assertIn(words, text)


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
