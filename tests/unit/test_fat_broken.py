#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usr/fat/ on file systems that were broken on purpose: an error, and no crash, no hang, nothing beyond the disk.

    test_fat_broken.py TOOL [SEED]     the program of tests/fat/fat_tool.c, which has sanitizers
"""
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fat"))
import fatlib  # noqa: E402
from fatlib import DAMAGED, UNKNOWN, Image, Tool  # noqa: E402

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
LIMIT = 20  # seconds for one image: more is a hang
RANDOM = 60
FILES = [("mkdir", "/folder"), ("mkdir", "/folder/inner folder"), ("create", "/folder/inner folder/a long name.text"),
         ("write", "/folder/inner folder/a long name.text", 0, 9000, 1), ("create", "/b.txt"),
         ("write", "/b.txt", 0, 5000, 2), ("create", "/folder/c"), ("write", "/folder/c", 0, 3000, 3), ("sync",)]
WORK = [("tree",), ("write", "/b.txt", 100, 20000, 4), ("shorten", "/b.txt", 600), ("create", "/folder/new file.text"),
        ("write", "/folder/new file.text", 0, 4000, 5), ("rename", "/folder/c", "/moved to here"),
        ("rename", "/folder/inner folder", "/inner"), ("remove", "/inner/a long name.text"), ("remove", "/inner"),
        ("rename", "/moved to here", "/b.txt"), ("mkdir", "/d"), ("tree",), ("space",), ("sync",), ("tree",)]
SHAPES = {"fat16": (0x240000, ("-F", 16, "-s", 1)), "fat32": (0x180000, ("-F", 32, "-s", 1))}


class BrokenTest(unittest.TestCase):
    def setUp(self):
        fatlib.need_programs()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def image(self, shape):
        image = Image(self.folder / shape, *SHAPES[shape])
        for answer in Tool(sys.argv[1], image).script(FILES):
            self.assertEqual(answer, [0])
        return image

    def work(self, image):
        """The answers of a mount and of everything that can be done."""
        lines = [("cache", 16), ("mount", 0), ("state",)]
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        done = subprocess.run([sys.argv[1], image.path], input=text, capture_output=True, text=True, timeout=LIMIT,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        answers = done.stdout.splitlines()
        if answers[1] == "0":
            text += "".join("\t".join(map(str, line)) + "\n" for line in WORK)
            done = subprocess.run([sys.argv[1], image.path], input=text.encode(), capture_output=True, timeout=LIMIT,
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        return int(answers[1])

    def shape_of(self, data):
        reserved, tables = struct.unpack_from("<HB", data, 14)
        table = struct.unpack_from("<H", data, 22)[0] or struct.unpack_from("<I", data, 36)[0]
        return reserved, table, reserved + tables * table

    def test_boot_sector(self):
        """Each field of it, with what it must not be."""
        both = [(11, "<H", 1024, UNKNOWN), (11, "<H", 0, UNKNOWN), (13, "B", 0, DAMAGED), (13, "B", 3, DAMAGED),
                (14, "<H", 0, DAMAGED), (16, "B", 0, DAMAGED), (510, "<H", 0, UNKNOWN)]
        cases = {
            "fat16": [(17, "<H", 0, DAMAGED), (22, "<H", 1, DAMAGED), (22, "<H", 0xffff, DAMAGED),
                      (13, "B", 2, UNKNOWN),
                      (19, "<H", 0xffff, DAMAGED), (17, "<H", 0xffff, UNKNOWN), (19, "<H", 30, DAMAGED)],
            "fat32": [(36, "<I", 1, DAMAGED), (36, "<I", 0xffffffff, DAMAGED), (42, "<H", 1, UNKNOWN),
                      (44, "<I", 0, DAMAGED), (44, "<I", 1, DAMAGED), (44, "<I", 0x0fffffff, DAMAGED),
                      (40, "<H", 0x8f, DAMAGED), (19, "<H", 0xffff, DAMAGED), (36, "<I", 0, DAMAGED)],
        }
        for shape, fields in cases.items():
            image = self.image(shape)
            data = image.path.read_bytes()
            for at, kind, value, status in both + fields:
                with self.subTest(shape=shape, at=at, value=value):
                    image.path.write_bytes(data)
                    # As a partition, so that what is no FAT is mounted at all.
                    disk = Image.__new__(Image)
                    disk.path, disk.first = self.folder / "disk", 2048
                    disk.path.write_bytes(bytes(2048 * 512) + data)
                    disk.put(446, struct.pack("<B3sB3sII", 0, b"", 6, b"", 2048, len(data) // 512))
                    disk.put(510, b"\x55\xaa")
                    disk.put(2048 * 512 + at, struct.pack(kind, value))
                    self.assertEqual(self.work(disk), status)

    def test_chains(self):
        """Loops, and numbers that are no cluster, in the chains of files and folders; clean and left."""
        for shape in SHAPES:
            image = self.image(shape)
            data = image.path.read_bytes()
            reserved, table, _ = self.shape_of(data)
            width, kind = (2, "<H") if shape == "fat16" else (4, "<I")
            ends = 0xffff if shape == "fat16" else 0x0fffffff
            used = [n for n in range(2, 70) if struct.unpack_from(kind, data, reserved * 512 + n * width)[0]]
            source = random.Random(SEED)
            for number in used:
                value = source.choice((number, 2, used[0], 0, 1, ends - 8, ends - 100, used[-1]))
                for clean in (True, False):
                    with self.subTest(shape=shape, number=number, value=value, clean=clean):
                        image.path.write_bytes(data)
                        for copy in range(2):
                            image.put((reserved + copy * table) * 512 + number * width, struct.pack(kind, value))
                            if not clean:
                                image.put((reserved + copy * table) * 512 + width, struct.pack(kind, ends >> 1))
                        self.assertEqual(self.work(image), 0)

    def test_circle(self):
        """A folder that is in itself."""
        for shape in SHAPES:
            image = self.image(shape)
            data = image.path.read_bytes()
            at = data.index(b"FOLDER     ")
            entry = bytearray(data[at:at + 32])
            inner = data.index(b"INNERF~1   ")
            for left in (False, True):
                image.path.write_bytes(data)
                image.put(inner + 20, entry[20:22])
                image.put(inner + 26, entry[26:28])
                if left:
                    image.put(65 if shape == "fat32" else 37, b"\1")
                self.assertEqual(self.work(image), 0)
                state = Tool(sys.argv[1], image).script([("state",)])[0][0]
                self.assertEqual(state, f"{shape[3:]} {int(left)}", "it is looked through, and may not be written then")

    def test_dots(self):
        """A folder moves into one whose ".." means no cluster: how deep it is cannot be told."""
        for shape in SHAPES:
            image = self.image(shape)
            at = image.path.read_bytes().index(b"..         ", 0x3000)
            for cluster in (0xff00, 1):
                image.put(at + 26, struct.pack("<H", cluster))
                image.put(at + 20, struct.pack("<H", cluster >> 4))
                answers = Tool(sys.argv[1], image).script([("mkdir", "/d"), ("rename", "/d", "/folder/d"),
                                                           ("remove", "/d"), ("sync",)])
                self.assertEqual([answer[-1] for answer in answers], [0, DAMAGED, 0, 0])

    def test_random(self):
        """Bytes of the boot sector, the table and folders, changed at random."""
        source = random.Random(SEED)
        for shape in SHAPES:
            image = self.image(shape)
            data = image.path.read_bytes()
            reserved, table, begin = self.shape_of(data)
            ranges = [(0, 90), (reserved * 512, reserved * 512 + 300), (begin * 512, begin * 512 + 512 * 64)]
            folders = [at for at in range(begin * 512, begin * 512 + 512 * 200, 32)
                       if data[at + 11] in (0x0f, 0x10, 0x20) and data[at]]
            for number in range(RANDOM):
                with self.subTest(shape=shape, number=number):
                    image.path.write_bytes(data)
                    for _ in range(source.randrange(1, 8)):
                        at = source.choice(folders) + source.randrange(32)
                        if source.random() < 0.6:
                            at = source.randrange(*source.choice(ranges))
                        image.put(at, source.choice((b"\0", b"\xff", bytes([source.randrange(256)]))))
                    if source.random() < 0.5:
                        image.put(65 if shape == "fat32" else 37, b"\1")
                    self.work(image)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
