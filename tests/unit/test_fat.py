#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usr/fat/ against a model, mkfs.fat, fsck.fat and mtools.

    test_fat.py TOOL     the program of tests/fat/fat_tool.c
"""
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


class FactsTest(FatTest):
    """What is not seen in random work."""

    test_random = test_from_mtools = None

    def script(self, image, *lines, **options):
        return Tool(sys.argv[1], image, **options).script([line if isinstance(line, tuple) else (line,)
                                                           for line in lines])

    def table(self, entries, at=446):
        return b"".join(struct.pack("<B3sB3sII", 0, b"", kind, b"", first, count)
                        for kind, first, count in entries).ljust(64, b"\0") + b"\x55\xaa"

    def test_partitions(self):
        """Primary and logical ones, those that fit, in their order."""
        image = self.image("fat16-1")
        data = image.path.read_bytes()
        size = len(data) // 512
        image.first = 1
        with open(image.path, "wb") as file:
            file.truncate((size * 4 + 100) * 512)
        image.put(446, self.table([(0x83, 5, 10), (0x06, 10, size), (0x0f, size + 10, 3 * size), (0x0c, 2 ** 31, 9)]))
        base = size + 10
        image.put(base * 512 + 446, self.table([(0x0e, 1, size), (0x05, size + 1, size + 1)]))
        image.put((base + size + 1) * 512 + 446, self.table([(0x04, 1, size), (0x05, 0, 5)]))  # and back: a loop
        for first in (10, base + 1, base + size + 2):
            image.put(first * 512, data)
        answers = []
        for index in range(4):
            answers.append([answer[-1] for answer in
                            self.script(image, ("mount", index), ("mkdir", f"/{index}"), "sync")][0])
        self.assertEqual(answers[:3], [0, 0, 0])
        for index, first in enumerate((10, base + 1, base + size + 2)):
            drive = f"{image.path}@@{first * 512}"
            self.assertIn(f" {index} ".strip(), fatlib.run("mdir", "-b", "-i", drive, "::").stdout.decode())
        # The loop goes round a bounded number of times.
        self.assertEqual(self.script(image, ("mount", 1000))[0], [fatlib.NONE])

    def test_no_fat(self):
        image = self.image("fat16-1")
        data = image.path.read_bytes()
        image.put(510, b"\0\0")
        self.assertEqual(self.script(image, ("mount", 0))[0], [fatlib.NONE])
        image.path.write_bytes(data[:2 * MIB])
        fatlib.run("mkfs.fat", "-F", 12, image.path)
        self.assertEqual(self.script(image, ("mount", 0))[0], [fatlib.UNKNOWN])

    def test_flushes(self):
        """Only where they are needed; and no write where there is nothing to write."""
        image = self.image("fat32-8")
        steps = [("tree",), 0, ("create", "/a"), 1, ("create", "/b"), 0, ("write", "/a", 0, 1000, 1), 1,
                 ("write", "/a", 1000, 1000, 1), 0, ("write", "/a", 0, 1900, 2), 0, ("write", "/a", 2000, 90000, 1), 1,
                 ("shorten", "/a", 90200), 0, ("shorten", "/a", 4096), 1, ("rename", "/a", "/c"), 2,
                 ("rename", "/c", "/C"), 0, ("rename", "/C", "/C"), 0, ("mkdir", "/folder"), 1, ("remove", "/b"), 1,
                 ("sync",), 2, ("sync",), 1, ("reserve", "/C", 9000), 0, ("cancel", "/C"), 0]
        lines = [line for step in steps[::2] for line in (step, ("counts",))]
        answers = self.script(image, "counts", *lines)[1:]
        for number, (step, expected) in enumerate(zip(steps[::2], steps[1::2])):
            self.assertEqual(answers[2 * number][-1], 0, step)
            flushes = int(answers[2 * number + 1][0].split()[4])
            self.assertEqual(flushes, expected, step)
        self.clean(image)

    def test_reads(self):
        """A folder of 1 000 entries: each sector once, several at a time. A file of many pieces: its chain once."""
        image = self.image("fat32-8")
        lines = [("mkdir", "/f")] + [("create", f"/f/a file with the number {number}") for number in range(1000)]
        for answer in self.script(image, *lines, "sync"):
            self.assertEqual(answer, [0])
        answers = self.script(image, "counts", "tree", "counts")
        self.assertEqual(len(answers[1]), 1002)
        reads, sectors = map(int, answers[2][0].split()[:2])
        self.assertLessEqual(sectors, 4 * 1000 // 16 + 16)
        self.assertLessEqual(reads, 70)
        self.clean(image)

    def test_pieces(self):
        """fat_map() gives runs as long as they are, and goes on where it was."""
        image = self.image("fat32-1")
        lines = [("create", "/a"), ("create", "/b")]
        for number in range(3000):
            lines.append(("write", "/ab"[0] + "ab"[number % 2], number // 2 * 1024, 1024, number))
        for answer in self.script(image, *lines, "sync", cache=8):
            self.assertEqual(answer, [0])
        size = 1500 * 1024
        maps = [("map", "/a", at, 10 ** 9) for at in range(0, size, 1024)]
        answers = self.script(image, ("map", "/a", size - 1, 1), "counts", *maps, "counts", cache=8)
        places = [list(map(int, answer[0].split())) for answer in answers[2:-1]]
        self.assertEqual({(within, count) for _, within, count in places}, {(0, 1024)})
        self.assertEqual(sorted(place[0] for place in places), [place[0] for place in places])
        # Before each map there is a look at the root folder, which is cached; the table is read once or twice.
        self.assertLess(int(answers[-1][0].split()[0]), 150)
        answers = self.script(image, ("create", "/c"), ("write", "/c", 0, 10 ** 6, 1), ("map", "/c", 700, 10 ** 9),
                              ("map", "/c", 700, 5), ("map", "/c", 10 ** 6 + 512, 1), "sync")
        self.assertEqual(answers[2][0].split()[1:], ["188", str(10 ** 6 // 512 * 512 + 512 - 700)])
        self.assertEqual(answers[3][0].split()[2], "5")
        self.assertEqual(answers[4], [fatlib.INVALID])
        self.clean(image)

    def test_full(self):
        """A disk and a root folder that are full; a file that is larger than the pieces that are free."""
        for shape in ("fat16-1", "fat32-1"):
            image = self.image(shape)
            lines = [("create", f"/{number}") for number in range(8)]
            lines += [("write", f"/{number}", 0, SHAPES[shape][0] // 9, number) for number in range(8)]
            lines += [("write", "/0", SHAPES[shape][0] // 9, SHAPES[shape][0] // 4, 1), ("sync",)]
            lines += [("remove", f"/{number}") for number in (1, 3, 5)]
            big = SHAPES[shape][0] // 4
            lines += [("space",), ("reserve", "/0", big + SHAPES[shape][0] // 9), ("cancel", "/0"), ("space",)]
            lines += [("write", "/0", SHAPES[shape][0] // 9, big, 7), ("write", "/2", 0, 40 * MIB, 7), ("mkdir", "/d"),
                      ("tree",), ("sync",)]
            answers = self.script(image, *lines)
            self.assertEqual(answers[-9], answers[-6], "what was reserved, and not wanted, is free")
            answers = [answer[-1] for answer in answers]
            self.assertEqual(answers[16], fatlib.FULL)
            self.assertEqual(answers[-5:], [0, fatlib.FULL, 0, 0, 0])
            self.assertEqual(set(answers[:16]), {0})
            self.clean(image)
            tree = self.mtools_tree(image)
            data = (fatlib.content(0, SHAPES[shape][0] // 9) + fatlib.content(7, big))
            self.assertEqual(tree["/0"], (len(data), fatlib.zlib.crc32(data)))
        image = self.image("fat16-4")
        answers = [answer[-1] for answer in self.script(image, *[("create", f"/{n}") for n in range(520)], "sync")]
        self.assertEqual(answers, [0] * 512 + [fatlib.FULL] * 8 + [0])
        self.clean(image)

    def test_full_of_names(self):
        """65 536 entries in a folder, no more. Aliases are unique, however alike the names are."""
        image = self.image("fat32-64")
        # A file that is made a folder, with all its entries but six.
        entries = [f"{name:11}".encode() + bytes([kind]) + bytes(20) for name, kind in
                   [(".", 0x10), ("..", 0x10)] + [(f"FILE{number:04X}", 0x20) for number in range(65528)]]
        (self.folder / "entries").write_bytes(b"".join(entries))
        self.script(image, ("create", "/F0"), ("put", "/F0", self.folder / "entries"), "sync")
        data = image.start(8 * MIB)
        at = data.index(b"F0         ")
        first, dot = data[at + 26:at + 28], data.index(b".          ")
        image.put(at + 11, b"\x10")
        image.put(at + 28, bytes(4))
        image.put(dot + 26, first)
        lines = [("create", f"/a name that is like others {number}") for number in range(120)]
        names = ("long names.x", "another long.x", "third long.x", "A", "B", "C")
        lines += [("create", f"/f0/{name}") for name in names]
        answers = [answer[-1] for answer in self.script(image, *lines, ("tree",), ("sync",), cache=200)]
        self.assertEqual(answers, [0] * 122 + [fatlib.FULL, 0, fatlib.FULL, fatlib.FULL, -72, 0])
        names = [line[:12] for line in fatlib.run("mdir", "-i", image.drive(), "::").stdout.decode().splitlines()]
        aliases = [name for name in names if "~" in name]
        self.assertEqual((len(aliases), len(set(aliases))), (120, 120))

    def test_large(self):
        """4 GiB - 1 and no more; a disk of 2 TiB, whose free clusters nobody counts."""
        image = Image(self.folder / "large", 2 ** 41 - 2 ** 20, ("-F", 32, "-s", 128, "-f", 1))
        answers = self.script(image, "counts", ("create", "/a"), ("reserve", "/a", 2 ** 32),
                              ("reserve", "/a", 2 ** 32 - 1), ("commit", "/a", 2 ** 32 - 1), "counts", "space",
                              ("map", "/a", 2 ** 32 - 2, 9),
                              ("write", "/a", 2 ** 32 - 2, 1, 1), ("write", "/a", 2 ** 32 - 1, 1, 1), "sync", "counts")
        self.assertEqual([answer[-1] for answer in answers], [0, 0, fatlib.TOO_LARGE, 0, 0, 0, 0, 0, 0,
                                                               fatlib.TOO_LARGE, 0, 0])
        self.assertLess(int(answers[5][0].split()[1]), 1200, "sectors that were read")
        self.assertEqual(answers[7][0].split()[1:], ["510", "2"])
        total, free = map(int, answers[6][0].split())
        self.assertEqual(total - free, 2 ** 32 + 65536)
        self.assertGreater(total, 2 ** 41 - 2 ** 30)
        self.assertEqual(self.script(image, "tree")[0][0].split()[:2], ["/a", "file"][:1] + ["file"])

    def test_reservation(self):
        """Nothing is on the disk of what is cancelled; one at a time; what is committed may be less."""
        image = self.image("fat32-1")
        answers = self.script(image, ("create", "/a"), ("create", "/b"), "space", ("reserve", "/a", 5000), "space",
                              ("reserve", "/b", 10), ("mkdir", "/d"), ("cancel", "/a"), "space",
                              ("reserve", "/a", 5000),
                              ("commit", "/a", 6000), ("commit", "/a", 700), "space", ("commit", "/a", 30),
                              "tree", "sync")
        free = [int(answers[at][0].split()[1]) for at in (2, 4, 8, 12)]
        self.assertEqual([before - free[0] for before in free], [0, -5120, -512, -512 - 1024])
        self.assertEqual([answers[at][-1] for at in (3, 5, 6, 9, 10, 11, 13)], [0, -9, 0, 0, fatlib.INVALID, 0, 0])
        self.assertIn("/a\tfile 700", answers[14][0])
        self.clean(image)
        # A folder grows meanwhile, and would have the clusters behind its last one.
        lines = [("mkdir", "/g"), ("reserve", "/b", 5000)] + [("create", f"/g/{number}") for number in range(20)]
        for answer in self.script(image, *lines, ("commit", "/b", 5000), "sync"):
            self.assertEqual(answer, [0])
        self.clean(image)

    def test_times(self):
        """Of 1980 to 2099, as mdir shows them and as this reads them."""
        image = self.image("fat16-1")
        times = {"1980-01-02 0:00": 315619200, "1999-12-31 23:59": 946684796, "2000-02-29 12:34": 951827640,
                 "2024-02-29 0:00": 1709164800, "2024-03-01 1:02": 1709254920, "2023-12-31 5:06": 1703999160,
                 "2099-12-31 23:58": 4102444680, "2025-01-01 0:00": 1735689600, "2026-11-30 20:00": 1796068800}
        lines = []
        for number, now in enumerate(times.values()):
            lines += [("now", now), ("create", f"/{number}")]
        answers = self.script(image, *lines, ("now", 0), ("create", "/none"), "tree", "sync")
        found = [int(line.split()[-1]) for line in answers[-2][:-1]]
        self.assertEqual(found, list(times.values()) + [0])
        shown = fatlib.run("mdir", "-i", image.drive(), "::").stdout.decode()
        self.assertEqual([" ".join(found) for found in re.findall(r"(\d{4}-\d\d-\d\d) +(\d+:\d\d)", shown)][:-1],
                         list(times))

    def test_read_only(self):
        """A device that cannot be written, and files that may not be."""
        image = self.image("fat16-1")
        self.script(image, ("create", "/a"), ("write", "/a", 0, 10, 1), ("create", "/b"), "sync")
        fatlib.run("mattrib", "+r", "-i", image.drive(), "::a")
        answers = self.script(image, ("write", "/a", 0, 10, 2), ("write", "/a", 10, 10, 2), ("remove", "/a"),
                              ("shorten", "/a", 1), ("rename", "/b", "/a"), ("rename", "/a", "/c"), "sync")
        self.assertEqual(answers, [[fatlib.READ_ONLY]] * 5 + [[0], [0]])
        image.put(37, b"\1")
        lines = [("create", "/x"), ("mkdir", "/x"), ("remove", "/b"), ("rename", "/b", "/x"), ("write", "/b", 0, 9, 1)]
        tool = Tool(sys.argv[1], image)
        tool.start.insert(0, ("readonly", 1))
        self.assertEqual(tool.script([*lines, ("sync",), ("tree",)])[:-1], [[fatlib.READ_ONLY]] * 5 + [[0]])

    def test_failing(self):
        """The device fails at one write after the other: an error, and a mount makes it good."""
        lines = [("create", "/folder/a long name of a file"), ("write", "/folder/a long name of a file", 0, 3000, 1),
                 ("rename", "/b", "/folder/moved to here"), ("shorten", "/c", 700), ("remove", "/d"), ("mkdir", "/e"),
                 ("rename", "/f", "/c"), ("sync",)]
        image = self.image("fat32-1")
        self.script(image, ("mkdir", "/folder"), *[(word, f"/{name}", 0, 2000, 1) for name in "bcdf"
                                                   for word in ("create", "write")], "sync")
        before = image.path.read_bytes()
        for fail in range(60):
            image.path.write_bytes(before)
            answers = [answer[-1] for answer in self.script(image, ("fail", fail), *lines)][1:]
            if answers == [0] * len(lines):
                break
            self.assertIn(fatlib.DEVICE, answers)
            first = answers.index(fatlib.DEVICE)
            self.assertEqual(answers[:first], [0] * first)
            if first != 1:  # a file's bytes are no concern of the file system's
                self.assertLessEqual(set(answers[first + 1:-1]), {fatlib.READ_ONLY, fatlib.NONE})
            tree = self.script(image, "tree", "sync")[0]
            self.assertEqual(tree[-1], 0)
            text = image.fsck().stdout.decode()
            self.assertFalse([line for line in text.splitlines()[1:] if line and not line.startswith(
                ("Reclaimed", "Free cluster", "  Auto", "Leaving", str(image.path)))], text)
            found = read_tree(tree[:-1])
            self.assertTrue({"/b", "/folder/moved to here"} & set(found))
            self.assertIn("/c", found)
        self.assertGreater(fail, 20)
        self.assertLess(fail, 59)

    def test_names(self):
        """Case, aliases, and names that programs cannot have."""
        image = self.image("fat16-1")
        answers = self.script(image, ("create", "/A long name.text"), ("create", "/ALONGN~1.TEX"),
                              ("create", "/ÄÖ ΣΔ Ж.x"),
                              ("create", "/äö σδ ж.X"), ("rename", "/a LONG name.text", "/a Long NAME.TEXT"),
                              ("write", "/alongn~2.tex", 0, 5, 1), ("rename", "/A Long NAME.TEXT", "/short.TXT"),
                              ("rename", "/short.TXT", "/SHORT.txt"), ("rename", "/short.txt", "/Short.Txt"),
                              ("rename", "/SHORT.TXT", "/SHORT.TXT"), ("write", "/short.txt", 0, 7, 1), "tree", "sync")
        self.assertEqual([answer[-1] for answer in answers],
                         [0, fatlib.EXISTS, 0, fatlib.EXISTS, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        self.assertEqual(sorted(read_tree(answers[-2][:-1])), ["/SHORT.TXT", "/ÄÖ ΣΔ Ж.x"])
        self.clean(image)
        # A long name that has a '/', and one that is too long in UTF-8: the short one is shown, and found.
        self.script(image, ("create", "/with a slash.txt"), ("create", "/" + "日" * 85), "sync")
        data = image.path.read_bytes()
        image.put(data.index("a slash.".encode("utf-16-le")[:8]), "/".encode("utf-16-le"))
        answers = self.script(image, "tree", ("write", "/withas~1.txt", 0, 3, 1), ("create", "/" + "日" * 86), "tree",
                              "sync")
        self.assertIn("/WITHAS~1.TXT", read_tree(answers[3][:-1]))
        self.assertIn("/" + "日" * 85, read_tree(answers[3][:-1]))
        self.assertEqual([answer[-1] for answer in answers], [0, 0, fatlib.NAME, 0, 0])

    def test_behind_the_end(self):
        """What others have left behind a folder's end stays behind it."""
        image = self.image("fat16-1")
        self.script(image, ("create", "/a"), "sync")
        at = image.start(MIB).index(b"A          ")
        image.put(at + 64, b"GHOST      \x20" + bytes(20))
        for answer in self.script(image, ("create", "/b"), "sync"):
            self.assertEqual(answer, [0])
        self.assertEqual(sorted(read_tree(self.script(image, "tree")[0][:-1])), ["/a", "/b"])
        self.assertEqual(sorted(self.mtools_tree(image)), ["/a", "/b"])

    def test_label(self):
        for shape, more in (("fat16-1", ()), ("fat32-1", ())):
            size, options, _, table = SHAPES[shape]
            image = Image(self.folder / shape, size, (*options, "-n", "OS2 DISK", *more), table)
            self.assertEqual(self.script(image, "label")[0], ["OS2 DISK", 0])
        self.assertEqual(self.script(self.image("fat16-4"), "label")[0], ["", 0])

    def test_marks(self):
        """The volume says that it is in use from the first change to the sync, and Linux's mark counts too."""
        for shape, at, mask in (("fat16-1", 3, 0x80), ("fat32-8", 7, 0x08)):
            image = self.image(shape)
            def clean():
                data = image.start(2 * MIB)[image.first * 512:]
                reserved = struct.unpack_from("<H", data, 14)[0]
                return bool(data[reserved * 512 + at] & mask)
            self.script(image, "tree", "sync")
            self.assertTrue(clean())
            self.script(image, ("create", "/a"))
            self.assertFalse(clean())
            self.script(image, "tree")
            self.assertTrue(clean())
            image.put(image.first * 512 + (65 if at == 7 else 37), b"\1")
            # The check reads the whole table and its copy.
            reads = int(self.script(image, "counts")[0][0].split()[1])
            self.assertGreater(reads, 2 * {"fat16-1": 60, "fat32-8": 590}[shape])
            self.assertLess(int(self.script(image, "counts")[0][0].split()[1]), 100)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
