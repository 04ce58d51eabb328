#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts of usr/fat/: a recorded stream of writes, of which a disk has only some.

    test_fat_cuts.py TOOL [SEED]     the program of tests/fat/fat_tool.c

Each cut has all writes up to a flush, and of those behind it, up to the cut, all or any: a sector each. What a mount
makes of that must be a file system in which fsck.fat finds at most lost clusters, with all that was synced before.
"""
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fat"))
import fatlib  # noqa: E402
from fatlib import Image, Model, Tool, read_tree  # noqa: E402

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
OPERATIONS = 60
SUBSETS = 150
FLUSH, DONE = 2 ** 64 - 1, 2 ** 64 - 2
SHAPES = {
    "fat16": (0x240000, ("-F", 16, "-s", 1)),
    "fat32": (0x180000, ("-F", 32, "-s", 1)),
    "fat32-4": (0x400000, ("-F", 32, "-s", 4)),
}


def read_record(path):
    """(sectors written, [(how many of them, FLUSH or DONE, count)])"""
    data, at, sectors, marks = path.read_bytes(), 0, 0, []
    while at < len(data):
        what, count = struct.unpack_from("<QQ", data, at)
        at += 16
        if what >= DONE:
            marks.append((sectors, what, count))
        else:
            sectors += count
            at += 512 * count
    return sectors, marks


class Fates:
    """What may have become of the files that were there at a sync, by the operations since then."""

    def __init__(self, files):
        self.files = {path: {path} for path, data in files.values() if data is not None}
        self.folders = {path: {path} for path, data in files.values() if data is None}
        self.loose, self.longer, self.gone = set(), set(), set()

    def add(self, operation):
        kind, path, *to = operation
        for group in (self.files, self.folders):
            for name, places in group.items():
                hit = Model.fold(path) in map(Model.fold, places)
                if kind in ("move", "replace"):
                    places |= {to[0] + place[len(path):] for place in places
                               if (Model.fold(place) + "/").startswith(Model.fold(path) + "/")}
                if kind == "replace" and Model.fold(to[0]) in map(Model.fold, places) and not hit:
                    self.gone.add(name)
                if hit:
                    {"change": self.loose, "add": self.longer, "gone": self.gone}.get(kind, set()).add(name)


class CutTest(unittest.TestCase):
    maxDiff = 3000

    def setUp(self):
        fatlib.need_programs()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def record(self, shape, seed):
        """Makes a record: the states at each command's end, and what the commands were."""
        self.image = Image(self.folder / "image", *SHAPES[shape])
        model = Model(seed, 512, 6000)
        # Something to begin with: a full folder, so that it grows soon, and free slots in front of a sector's end.
        begin = [model.next()[0] for _ in range(40)] + [("sync",)]
        Tool(sys.argv[1], self.image).script(begin)
        shutil.copy(self.image.path, self.folder / "before")
        model.take()
        commands, states = [], [(dict(model.files), [])]
        for _ in range(OPERATIONS):
            command = model.next()[0]
            commands.append(command)
            states.append((dict(model.files), model.take()))
            if model.random.random() < 0.25:
                commands.append(("sync",))
                states.append((dict(model.files), []))
        Tool(sys.argv[1], self.image, self.folder / "record").script(commands)
        return commands, states

    def cuts(self, sectors, marks, source):
        """(the writes that the disk has, the position) of each cut"""
        flushes = [0] + [at for at, what, _ in marks if what == FLUSH]
        for position in range(sectors + 1):
            yield list(range(position)), position
        for _ in range(SUBSETS):
            position = source.randrange(sectors + 1)
            flush = max(at for at in flushes if at <= position)
            if source.random() < 0.5 and flush > 0:
                flush = max([at for at in flushes if at < flush], default=0)
                position = source.randrange(flush, max(at for at in flushes if at <= position) + 1)
            part = source.choice((0.1, 0.5, 0.9))
            yield list(range(flush)) + [at for at in range(flush, position) if source.random() < part], position

    def fates(self, commands, states, marks, position):
        """Of what the last sync before the position has made safe."""
        # The first two commands are the tool's own: the cache, and the mount.
        done = max((count - 2 for at, what, count in marks if what == DONE and at <= position), default=0)
        # The last command may have been at its end or not; the next one has begun, maybe.
        last = min(max(done, 0) + 1, len(commands))
        ends = {count - 2: at for at, what, count in marks if what == DONE}
        synced = max([number for number in range(1, last + 1)
                      if commands[number - 1] == ("sync",) and ends[number] <= position], default=0)
        fates = Fates(states[synced][0])
        for number in range(synced + 1, last + 1):
            for operation in states[number][1]:
                fates.add(operation)
        return fates, states[synced][0]

    def check(self, found, starts, fates, files):
        folded = {Model.fold(path): what for path, what in found.items()}
        for path, data in files.values():
            if path in fates.gone:
                continue
            places = (fates.files if data is not None else fates.folders)[path]
            there = [place for place in places if Model.fold(place) in folded]
            self.assertTrue(there, f"{path} is lost")
            if data is None or path in fates.loose:
                continue
            what = (len(data), fatlib.zlib.crc32(data))
            if path in fates.longer:
                good = any(starts.get(place) == what[1] for place in places)
            else:
                good = any(folded[Model.fold(place)] == what for place in there)
            self.assertTrue(good, f"{path} has changed: {what}, {[(p, folded[Model.fold(p)]) for p in there]}, "
                            f"{path in fates.longer}, {starts}")

    def fsck(self, path):
        done = fatlib.run("fsck.fat", "-n", path)
        text = done.stdout.decode()
        for line in text.splitlines()[1:]:
            if line and not line.startswith(("Reclaimed", "Free cluster summary", "  Auto-correcting", "Leaving",
                                    str(path))):
                self.fail(text)
        return "Reclaimed" in text

    def play(self, shape, seed):
        commands, states = self.record(shape, seed)
        sectors, marks = read_record(self.folder / "record")
        cuts = list(self.cuts(sectors, marks, random.Random(seed)))
        tool = subprocess.Popen([sys.argv[1], "--cuts", str(self.folder / "before"), str(self.folder / "record")],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        lost = 0
        for writes, position in cuts:
            fates, files = self.fates(commands, states, marks, position)
            lines = [f"{place}\t{len(data)}\n" for path, data in files.values() if path in fates.longer
                     for place in fates.files[path]]
            (self.folder / "starts").write_text("".join(lines), encoding="utf-8")
            print(f"{self.folder / 'cut'}\t{' '.join(map(str, writes))}\t{self.folder / 'starts'}", file=tool.stdin,
                  flush=True)
            tree, starts = [], {}
            while "\t" in (line := tool.stdout.readline()):
                if line.startswith("start\t"):
                    starts[line.split("\t")[1]] = int(line.split()[-1], 16)
                else:
                    tree.append(line)
            with self.subTest(shape=shape, seed=seed, position=position, last=writes[-4:]):
                self.assertEqual(line, "0\n")
                lost += self.fsck(self.folder / "cut")
                self.check(read_tree(tree), starts, fates, files)
        tool.stdin.close()
        tool.stdout.close()
        self.assertEqual(tool.wait(), 0)
        self.assertGreater(lost, 0, "not one of the cuts has hit anything")
        return len(cuts)

    def test_cuts(self):
        for number, shape in enumerate(SHAPES):
            print(f"{shape}: {self.play(shape, SEED * 10 + number)} cuts")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
