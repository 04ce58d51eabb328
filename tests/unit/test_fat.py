#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usr/fat/ against a model, mkfs.fat, fsck.fat and mtools.

    test_fat.py TOOL     the program of tests/fat/fat_tool.c
"""
import os
import pathlib
import re
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fat"))
import fatlib  # noqa: E402
from fatlib import MIB, Image, Model, Tool, host_tree, read_tree  # noqa: E402

# Name: size, how mkfs.fat is called, bytes of a cluster, the partition table.
SHAPES = {
    "fat16-1": (8 * MIB, ("-F", 16, "-s", 1), 512, None),
    "fat16-4": (20 * MIB, ("-F", 16, "-s", 4, "-r", 512), 2048, "mbr"),
    "fat16-128": (300 * MIB, ("-F", 16, "-s", 128), 65536, None),
    "fat32-1": (40 * MIB, ("-F", 32, "-s", 1), 512, "gpt"),
    "fat32-8": (300 * MIB, ("-F", 32, "-s", 8), 4096, "mbr"),
    "fat32-64": (2200 * MIB, ("-F", 32, "-s", 64), 32768, None),
    "fat32-128": (5000 * MIB, ("-F", 32, "-s", 128), 65536, None),
    "fat32-one-table": (40 * MIB, ("-F", 32, "-s", 1, "-f", 1), 512, None),
}


def as_mtools(tree):
    """mtools shows two of '_' for a character that takes two units."""
    return {re.sub("[\U00010000-\U0010ffff]", "__", path): what for path, what in tree.items()}


class FatTest(unittest.TestCase):
    maxDiff = 3000

    def setUp(self):
        fatlib.need_programs()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def image(self, shape):
        size, options, _, table = SHAPES[shape]
        return Image(self.folder / shape, size, options, table)

    def clean(self, image):
        done = image.fsck()
        lines = [line for line in done.stdout.decode().splitlines()[1:] if " clusters" not in line]
        self.assertEqual((done.returncode, lines), (0, []), done.stdout.decode() + done.stderr.decode())

    def mtools_tree(self, image):
        out = self.folder / "out"
        out.mkdir()
        done = fatlib.run("mcopy", "-s", "-n", "-i", image.drive(), "::", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = host_tree(out)
        fatlib.run("rm", "-r", out)
        return found

    def same(self, found, expected):
        self.assertEqual(sorted(found.items() - expected.items(), key=str),
                         sorted(expected.items() - found.items(), key=str))

    def play(self, tool, model, count):
        """Random operations, each with the status that the model says."""
        steps = [model.next() for _ in range(count)]
        answers = tool.script([command for command, _ in steps] + [("tree",), ("sync",), ("tree",)])
        for (command, status), answer in zip(steps, answers):
            self.assertEqual(answer[-1], status, command)
        for lines in (answers[-3], answers[-1]):
            self.assertEqual(lines[-1], 0)
            self.same(read_tree(lines[:-1]), model.tree())

    def test_random(self):
        for number, shape in enumerate(SHAPES):
            with self.subTest(shape):
                image = self.image(shape)
                cluster = SHAPES[shape][2]
                model = Model(number, cluster, 20000 if cluster < 8192 else 200000)
                for cache in (8, 200):
                    self.play(Tool(sys.argv[1], image, cache=cache), model, 200)
                    self.clean(image)
                    self.same(self.mtools_tree(image), as_mtools(model.tree()))

    def test_from_mtools(self):
        """A tree that mtools has written, which is then worked on."""
        for number, shape in enumerate(SHAPES):
            with self.subTest(shape):
                image, model = self.image(shape), Model(100 + number, SHAPES[shape][2], 10000)
                tree = self.folder / "tree"
                tree.mkdir()
                while len(model.files) < 60:
                    getattr(model, model.random.choice(("create", "mkdir", "write", "write")))()
                model.files = {key: value for key, value in model.files.items() if as_mtools({key: 0}) == {key: 0}}
                for path, data in model.files.values():
                    where = tree / path[1:]
                    if data is None:
                        where.mkdir(exist_ok=True)
                    else:
                        where.write_bytes(data)
                done = fatlib.run("mcopy", "-s", "-Q", "-i", image.drive(), *tree.iterdir(), "::")
                self.assertEqual(done.returncode, 0, done.stderr)
                fatlib.run("rm", "-r", tree)
                tool = Tool(sys.argv[1], image)
                self.same(read_tree(tool.script([("tree",)])[0][:-1]), model.tree())
                self.play(tool, model, 100)
                self.clean(image)
                self.same(self.mtools_tree(image), as_mtools(model.tree()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
