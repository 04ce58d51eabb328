#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What judges the counts: tests/bench/bench.py's comparison with a table, and its choice between two runs."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import bench  # noqa: E402
import gdb  # noqa: E402
import marks  # noqa: E402
import qemu  # noqa: E402


def run(text):
    made = bench.Run.__new__(bench.Run)
    made.counts, made.notes, made.spreads, made.skipped = {}, {}, {}, {}
    made.read(text)
    return made


class CompareTest(unittest.TestCase):
    def judge(self, after, before=1000):
        failures, remarks = bench.compare({} if after is None else {"a": after}, {"a": before})
        return len(failures), len(remarks)

    def test_within(self):
        for after in (970, 1000, 1030):
            self.assertEqual(self.judge(after), (0, 0), after)

    def test_worse_fails(self):
        self.assertEqual(self.judge(1031), (1, 0))

    def test_better_asks_for_a_new_table(self):
        self.assertEqual(self.judge(969), (0, 1))

    def test_missing_fails(self):
        self.assertEqual(self.judge(None), (1, 0))

    def test_one_instruction_is_rounding(self):
        self.assertEqual(self.judge(25, 24), (0, 0))
        self.assertEqual(self.judge(26, 24), (1, 0))
        self.assertEqual(self.judge(1, 0), (0, 0))
        self.assertEqual(self.judge(2, 0), (1, 0))

    def test_several_processors_may_differ_more(self):
        self.assertEqual(bench.compare({"a_smp2": 1240}, {"a_smp2": 1000}), ([], []))
        self.assertEqual(len(bench.compare({"a_smp2": 1260}, {"a_smp2": 1000})[0]), 1)

    def test_new_count_asks_for_a_new_table(self):
        self.assertEqual(bench.compare({"a": 1}, {}), ([], ["a: not in the table; renew it"]))


class RunTest(unittest.TestCase):
    def test_second_run_fills_in(self):
        first = run("bench a 1\nbench-note a x\nbench-skip b too large\nbench-skip c never\n")
        first.add(run("bench a 2\nbench-note a y\nbench b 3\nbench-note b z\nbench-spread b 1 9\n"))
        self.assertEqual(first.counts, {"a": 1, "b": 3})
        self.assertEqual(first.notes, {"a": "x", "b": "z"})
        self.assertEqual((first.spreads, first.skipped), ({"b": "1 9"}, {"c": "never"}))

    def test_verdicts(self):
        rows = list(bench.table(run("bench a 5\nbench b 6\n"),
                                {name: {"goal": {"m": 5}} for name in "abc"}, "m", {"a": 4}))
        self.assertEqual([row.split() for row in rows[1:]],
                         [["a", "5", "5", "met", "4"], ["b", "6", "5", "missed"], ["c", "not", "measured", "5"]])


    def test_renamed(self):
        one = run("bench a 1\nbench-note a x\nbench-skip b y\n")
        one.rename("_noasid")
        self.assertEqual((one.counts, one.notes, one.skipped), ({"a_noasid": 1}, {"a_noasid": "x"}, {"b_noasid": "y"}))


class MarksTest(unittest.TestCase):
    said = "bench-marked a 2 5 10\n"

    def test_three_in_four(self):
        # Two empty batches, one to warm up, then one that was lucky.
        counts = [7, 20, 9999, 20, 1020, 1020, 1020]
        self.assertEqual(marks.batches(self.said, [(1, count, 0, 0, 0) for count in counts]), {"a": 100})

    def test_missing(self):
        with self.assertRaises(qemu.GuestError):
            marks.batches(self.said, [(1, 20, 0, 0, 0)] * 6)


class AtomicTest(unittest.TestCase):
    def test_read_modify_writes(self):
        words = {0x0015302f: True,    # amoadd.d zero, ra, (a0)
                 0x100535af: False,   # lr.d a1, (a0)
                 0x18b5362f: True,    # sc.d a2, a1, (a0)
                 0x00053583: False}   # ld a1, 0(a0)
        for word, atomic in words.items():
            self.assertEqual(gdb.Riscv64.is_atomic(word.to_bytes(4, "little")), atomic, hex(word))

    def test_read_modify_writes_of_x86(self):
        for code, atomic in (
                ("f0480fb1", True),   # lock cmpxchg %rcx, (...)
                ("f00fc1", True),     # lock xadd
                ("65f083", True),     # lock orl, by gs
                ("488703", True),     # xchg %rax, (%rbx)
                ("8703", True),       # xchg %eax, (%rbx)
                ("4887c3", False),    # xchg %rax, %rbx
                ("6690", False),      # nop
                ("480fb1", False),    # cmpxchg without lock
                ("658b04", False)):   # mov by gs
            self.assertEqual(gdb.X86.is_atomic(bytes.fromhex(code)), atomic, code)


if __name__ == "__main__":
    unittest.main()
