#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts of usr/fat/: a recorded stream of writes, of which a disk has only some.

    test_fat_cuts.py TOOL [SEED]     the program of tests/fat/fat_tool.c

Each cut has all writes up to a flush, and of those behind it all up to the cut, or any up to the next flush: a sector
each. What a mount makes of that must be a file system in which fsck.fat finds at most lost clusters, with all that was
synced before; also where the power goes again while the mount makes it right.
"""
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from zlib import crc32

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fat"))
import fatlib  # noqa: E402
from fatlib import Image, Model, Tool, content, read_tree  # noqa: E402

SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1
OPERATIONS = 35
SUBSETS = 4    # of the writes between two flushes; of a scene's
SCENE = 16
NEXT = ()
FREE = 260     # clusters that are free: those of one file are soon another's
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
        self.loose, self.longer, self.shorter, self.gone = set(), set(), set(), set()
        self.replaced = {}  # by which name

    def add(self, operation):
        kind, path, *to = operation
        for name, place in list(self.replaced.items()):
            if Model.fold(path) == Model.fold(place):
                del self.replaced[name]
        for group in (self.files, self.folders):
            for name, places in group.items():
                hit = Model.fold(path) in map(Model.fold, places)
                if kind in ("move", "replace"):
                    places |= {to[0] + place[len(path):] for place in places
                               if (Model.fold(place) + "/").startswith(Model.fold(path) + "/")}
                if kind == "replace" and Model.fold(to[0]) in map(Model.fold, places) and not hit:
                    self.gone.add(name)
                    self.replaced[name] = to[0]
                if hit:
                    {"change": self.loose, "add": self.longer, "short": self.shorter, "gone": self.gone}.get(
                        kind, set()).add(name)


class CutModel(Model):
    """Does not fill the disk, and does not touch what fills it."""

    def exactly(self, word, path="", *more):
        """That command, and nothing random."""
        if word == "sync":
            return (word,)
        if word == "rename":
            self.move(path, *more)
            return (word, path, *more)
        data = self.files.get(self.fold(path), (path, b""))[1]
        if word == "write":
            offset, size, seed = more
            data = data[:offset] + content(seed, size) + data[offset + size:]
        elif word == "shorten":
            data = data[:more[0]]
        self.touched.append(({"write": "add", "shorten": "short"}.get(word, "new"), path))
        self.files[self.fold(path)] = path, None if word == "mkdir" else data
        return (word, path, *more)

    def next(self):
        used = sum(len(data) // self.cluster + 1 if data is not None else 3 for _, data in self.files.values())
        return super().next() if used < FREE // 2 else self.remove() if self.random.random() < 0.5 else self.shorten()


class CutTest(unittest.TestCase):
    maxDiff = 3000

    def setUp(self):
        fatlib.need_programs()
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def record(self, shape, seed, free, before, commands):
        """Makes a record: the states at each command's end, and what the commands were. NEXT is a random one."""
        self.image = Image(self.folder / "image", *SHAPES[shape])
        cluster = SHAPES[shape][1][3] * 512
        model = CutModel(seed, cluster, 12 * cluster)
        # Something to begin with: a disk that is nearly full, with old bytes in what is free, and some files.
        space = Tool(sys.argv[1], self.image).script([("space",)])[0][0]
        filler = int(space.split()[1]) - free * cluster
        begin = [("create", "/filler"), ("reserve", "/filler", filler), ("commit", "/filler", filler),
                 ("create", "/old"), ("write", "/old", 0, free * cluster, 1), ("remove", "/old")]
        begin += [model.exactly(*command) if command else model.next()[0] for command in before] + [("sync",)]
        Tool(sys.argv[1], self.image).script(begin)
        shutil.copy(self.image.path, self.folder / "before")
        model.take()
        done, states = [], [(dict(model.files), [])]
        for command in commands:
            done.append(model.exactly(*command) if command else model.next()[0])
            states.append((dict(model.files), model.take()))
            if not command and model.random.random() < 0.25:
                done.append(("sync",))
                states.append((dict(model.files), []))
        answers = Tool(sys.argv[1], self.image, self.folder / "record").script(done)
        self.assertNotIn([fatlib.FULL], answers)
        return done, states

    def cuts(self, sectors, marks, source, subsets):
        """(the writes that the disk has, the position) of each cut"""
        flushes = [0] + [at for at, what, _ in marks if what == FLUSH]
        for position in range(sectors + 1):
            yield list(range(position)), position
        for flush, end in zip(flushes, flushes[1:] + [sectors]):
            for _ in range(subsets if end - flush > 1 else 0):
                part = source.choice((0.2, 0.5, 0.8))
                yield list(range(flush)) + [at for at in range(flush, end) if source.random() < part], end

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
        return fates, states[synced][0], states[last][0]

    def check(self, found, starts, fates, files, later, cluster):
        folded = {Model.fold(path): what for path, what in found.items()}
        self.assertEqual(len(folded), len(found), "two names that differ in case only")
        for name, place in fates.replaced.items():
            self.assertIn(Model.fold(place), folded, f"{name} was replaced, and is lost")
        for path, data in files.values():
            if path in fates.gone:
                continue
            places = (fates.files if data is not None else fates.folders)[path]
            there = [place for place in places if Model.fold(place) in folded]
            self.assertTrue(there, f"{path} is lost")
            if data is None or path in fates.loose or path in fates.shorter & fates.longer:
                continue
            what = (len(data), crc32(data))
            are = [folded[Model.fold(place)] for place in there if folded[Model.fold(place)] is not None]
            if path in fates.longer:
                # All clusters but the last are as they were written; the last one was not flushed, maybe.
                grown = [later[Model.fold(place)][1] or b"" for place in places if Model.fold(place) in later]
                good = any(starts.get(place) == what[1] for place in places) and any(
                    end == crc32(new[:size - ((size - 1) % cluster + 1 if size else 0)]) for size, _, end in are
                    for new in grown + [data])
            elif path in fates.shorter:
                good = any(size <= len(data) and crc == crc32(data[:size]) for size, crc, _ in are)
            else:
                good = any(is_there[:2] == what for is_there in are)
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

    def play(self, shape, seed, free, before, commands, subsets=SCENE):
        commands, states = self.record(shape, seed, free, before, commands)
        sectors, marks = read_record(self.folder / "record")
        cuts = list(self.cuts(sectors, marks, random.Random(seed), subsets))
        tool = subprocess.Popen([sys.argv[1], "--cuts", str(self.folder / "before"), str(self.folder / "record")],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        lost, source = 0, random.Random(seed)
        for writes, position in cuts:
            fates, files, later = self.fates(commands, states, marks, position)
            lines = [f"{place}\t{len(data)}\n" for path, data in files.values() if path in fates.longer
                     for place in fates.files[path]]
            (self.folder / "starts").write_text("".join(lines), encoding="utf-8")
            print(f"{self.folder / 'cut'}\t{' '.join(map(str, writes))}\t{self.folder / 'starts'}\t"
                  f"{source.choice((0, 0, *range(1, 15)))}", file=tool.stdin, flush=True)
            tree, starts = [], {}
            while "\t" in (line := tool.stdout.readline()):
                if line.startswith("start\t"):
                    starts[line.split("\t")[1]] = int(line.split()[-1], 16)
                else:
                    tree.append(line)
            with self.subTest(shape=shape, seed=seed, position=position, last=writes[-4:]):
                self.assertEqual(line, "0\n")
                lost += self.fsck(self.folder / "cut")
                self.check(read_tree(tree, True), starts, fates, files, later, SHAPES[shape][1][3] * 512)
        tool.stdin.close()
        tool.stdout.close()
        self.assertEqual(tool.wait(), 0)
        return len(cuts), lost

    def test_random(self):
        for number, shape in enumerate(SHAPES):
            cuts, lost = self.play(shape, SEED * 10 + number, FREE, [NEXT] * 25, [NEXT] * OPERATIONS, SUBSETS)
            print(f"{shape}: {cuts} cuts")
            self.assertGreater(lost, 0, "not one of the cuts has hit anything")

    def test_folder_grows(self):
        """Into clusters that have old bytes, which look like entries of files."""
        for shape in SHAPES:
            room = SHAPES[shape][1][3] * 16 - 2
            files = [("create", f"/folder/{number}") for number in range(room + 2)]
            self.play(shape, SEED, 12, [("mkdir", "/folder"), *files[:room - 1]],
                      [files[room - 1], ("sync",), files[room], ("sync",), files[room + 1]])

    def test_case(self):
        """An empty file gets its name in other letters: it has one name at the end."""
        for shape in SHAPES:
            names = ("/poem.txt", "/Poem.txt", "/POEM.Txt", "/poem.TXT")
            self.play(shape, SEED, 20, [("create", names[0])],
                      [("rename", *pair) for pair in zip(names, names[1:])])

    def test_short(self):
        """What was one file's is another's at once: the first has its old bytes, or is shorter."""
        for shape in SHAPES:
            cluster = SHAPES[shape][1][3] * 512
            self.play(shape, SEED, 14, [("create", "/s"), ("write", "/s", 0, 11 * cluster, 7), ("create", "/t")],
                      [("shorten", "/s", 100), ("write", "/t", 0, 8 * cluster, 9)])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
