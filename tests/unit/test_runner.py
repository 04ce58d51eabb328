#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What judges the other tests: tests/qemu.py's reading of a console, and what tests/run.py makes of a test."""
import io
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import layout  # noqa: E402
import qemu  # noqa: E402
import run  # noqa: E402


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
    MACHINE = {"arch": "x86_64", "qemu": "qemu", "machine": "q35", "arguments": [], "append": "",
               "boots": ["microvm: -M microvm"],
               "devices": ["q35 random: -device rng", "q35 disk: -device disk", "microvm disk: -device other"],
               "least": 8, "kernel": "kernel", "archive": "archive"}

    def setUp(self):
        self.facts = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "machine.json"
        self.facts.write_text(json.dumps(self.MACHINE), encoding="utf-8")

    def test_sizes(self):
        for text, size in (("8M", 8 << 20), ("8", 8 << 20), ("1k", 1024), ("1.5G", 3 << 29), ("512b", 512)):
            self.assertEqual(layout.memory_bytes(text), size)
        for text in ("", "M", "8 M", "-1", "8Q"):
            self.assertIsNone(layout.memory_bytes(text))

    def test_devices(self):
        line = qemu.command_line(self.facts, 1, "8M")[1]
        self.assertTrue("rng" in line and "-drive" not in line)
        line = qemu.command_line(self.facts, 1, "8M", disk="a.img")[1]
        self.assertTrue("rng" in line and "disk" in line and "if=none,id=disk,format=raw,file=a.img" in line)
        line = qemu.command_line(self.facts, 1, "8M", boot="microvm", disk="a.img")[1]
        self.assertTrue("other" in line and "rng" not in line)
        with self.assertRaisesRegex(qemu.GuestError, "no disk is known for the machine 'pc'"):
            qemu.command_line(self.facts, 1, "8M", machine="pc", disk="a.img")

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


class RunTest(unittest.TestCase):
    def check(self, status, text, result, counts):
        self.assertEqual(run.judge(status, text), result)
        self.assertEqual(run.count(result, text), counts)

    def test_counts(self):
        self.check(0, "1..2\nok 1\nok 2 - x\n", "ok", (2, 0, 0))
        self.check(0, "", "ok", (1, 0, 0))
        self.check(0, "1..2\nok 1\nok 2 # SKIP no disk\n", "ok", (1, 0, 1))
        self.check(1, "1..2\nok 1\nnot ok 2\n", "1 of 2 cases failed", (1, 1, 0))
        self.check(0, "1..2\nok 1\nnot ok 2\n", "1 of 2 cases failed", (1, 1, 0))
        self.check(77, "", "skipped", (0, 0, 1))
        self.check(0, "1..0 # SKIP no gdb\n", "skipped", (0, 0, 1))

    def test_what_never_ran_to_its_end_failed(self):
        self.check(1, "1..3\nok 1\nok 2\nBail out! silent\n", "silent", (2, 1, 0))
        self.check(0, "1..3\nok 1\nok 2\n", "2 of 3 cases ran", (2, 1, 0))
        self.check(-11, "1..1\nok 1\n", "exit status -11", (1, 1, 0))
        self.assertEqual(run.count("did not end in 5 s", "ok 1\n"), (1, 1, 0))

    def test_a_failed_test_is_told_by_its_own_words(self):
        text = "1..3\n# boot\nok 1\n# chain.c:81: got 3\nnot ok 2 - x\n# after\nok 3\n"
        self.assertEqual(run.message(text), ["# chain.c:81: got 3", "not ok 2 - x", "# after"])
        self.assertEqual(run.message("a\nb\n"), ["a", "b"])

    def run_all(self, *scripts, timeout=60, alone=False):
        tests = [run.Test("host", f"runner {i}", "unit", [sys.executable, "-c", script], {}, timeout, alone)
                 for i, script in enumerate(scripts)]
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(unittest.mock.patch.object(run, "FOLDER", folder))
        run.Runner(tests, 2, quiet=True).run()
        return [test.result for test in tests]

    def test_runs(self):
        self.assertEqual(self.run_all("print('1..1'); print('ok 1')", "raise SystemExit(3)", "raise SystemExit(77)"),
                         ["ok", "exit status 3", "skipped"])

    def test_one_that_hangs_is_ended(self):
        self.assertEqual(self.run_all("import time; time.sleep(60)", timeout=0.5), ["did not end in 0.5 s"])

    def test_one_alone_has_no_neighbour(self):
        # Each makes a file and wants to be the only one that has one.
        script = ("import os, sys, time; open('alone', 'x').close(); time.sleep(0.2); os.remove('alone')")
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.enterContext(tempfile.TemporaryDirectory()))
        self.assertEqual(self.run_all(script, script, script, alone=True), ["ok", "ok", "ok"])


if __name__ == "__main__":
    unittest.main()
