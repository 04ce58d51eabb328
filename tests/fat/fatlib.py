# SPDX-License-Identifier: MIT
"""What the tests of usr/fat/ share: images of several shapes, the tool, and a model of what it should do."""
import pathlib
import random
import re
import shutil
import struct
import subprocess
import unittest
import zlib

NONE, EXISTS, FOLDER, NO_FOLDER, NOT_EMPTY, NAME, FULL, READ_ONLY, DAMAGED, DEVICE, TOO_LARGE = range(-64, -75, -1)
UNKNOWN = -77
INVALID = -2
MIB = 1 << 20


def base_bytes():
    made, x = bytearray(), 1
    for _ in range(65536):
        made.append(x >> 16 & 255)
        x = (x * 1103515245 + 12345) & 0xffffffff
    return bytes(made)


BASE = base_bytes()


def content(seed, size):
    """What the tool's `write` writes."""
    at = seed % len(BASE)
    return ((BASE + BASE)[at:at + len(BASE)] * (size // len(BASE) + 1))[:size]


def need_programs():
    for program, package in (("mkfs.fat", "dosfstools"), ("fsck.fat", "dosfstools"), ("mcopy", "mtools")):
        if not shutil.which(program, path="/usr/bin:/sbin:/usr/sbin:/bin"):
            raise unittest.SkipTest(f"{program} is not installed (Debian package {package})")


def run(*command, **options):
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run([str(word) for word in command], capture_output=True, env=environment, check=False, **options)


class Image:
    """A file with a FAT in it, at a sector, as mkfs.fat makes it."""

    def __init__(self, path, size, options, table=None):
        self.path, self.first = pathlib.Path(path), 0 if table is None else 2048
        self.sectors = size // 512
        with open(path, "wb") as file:
            file.truncate(size + self.first * 512 + (MIB if table else 0))
        if table == "mbr":
            self.put(440, struct.pack("<IH", 1, 0) + struct.pack("<B3sB3sII", 0, b"", 0x0c, b"", 2048, self.sectors))
            self.put(510, b"\x55\xaa")
        elif table == "gpt":
            self.write_gpt()
        done = run("mkfs.fat", "--invariant", f"--offset={self.first}", *options, path, self.sectors // 2)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())

    def put(self, at, data):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(data)

    def start(self, size):
        with open(self.path, "rb") as file:
            return file.read(size)

    def write_gpt(self):
        self.put(440, struct.pack("<IH", 1, 0) + struct.pack("<B3sB3sII", 0, b"", 0xee, b"", 1, 0xffffffff))
        self.put(510, b"\x55\xaa")
        kinds = (bytes(range(16)), bytes.fromhex("a2a0d0ebe5b9334487c068b6b72699c7"))
        firsts = ((40, 50), (2048, 2048 + self.sectors - 1))
        entries = b"".join(kind + bytes([number] * 16) + struct.pack("<QQQ72s", *piece, 0, b"")
                           for number, (kind, piece) in enumerate(zip(kinds, firsts), 1)).ljust(128 * 128, b"\0")
        head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, 2047, 34, 2 ** 20, bytes(16), 2,
                           128, 128, zlib.crc32(entries))
        self.put(512, head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:])
        self.put(1024, entries)

    def alone(self):
        """A file that begins with the FAT."""
        if not self.first:
            return self.path
        other = self.path.with_suffix(".part")
        run("dd", f"if={self.path}", f"of={other}", "bs=1M", "skip=1", "conv=sparse")
        return other

    def fsck(self):
        return run("fsck.fat", "-n", self.alone())

    def drive(self):
        return f"{self.path}@@{self.first * 512}"


class Tool:
    def __init__(self, program, image, record=None, index=0, cache=64):
        self.command = [program, str(image.path)] + ([str(record)] if record else [])
        self.start = [("cache", cache), ("mount", index)]
        self.error = ""

    def script(self, lines, mount=True):
        """What each command printed, status last; after a mount."""
        lines = (self.start if mount else []) + list(lines)
        text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
        done = subprocess.run(self.command, input=text.encode(), capture_output=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr.decode(errors="replace")[-4000:])
        answers, rest = [], done.stdout.decode().splitlines()
        for line in rest:
            if not answers or isinstance(answers[-1][-1], int):
                answers.append([])
            answers[-1].append(int(line) if re.fullmatch(r"-?\d+", line) else line)
        return answers[len(self.start) if mount else 0:]


def read_tree(lines, more=False):
    """{path: None or (size, crc)} of what the tool's `tree` prints; more: and the crc of all but the last cluster."""
    found = {}
    for line in lines:
        path, what = line.split("\t")
        words = what.split()
        assert path not in found, f"{path} is there twice"
        found[path] = None
        if words[0] == "file":
            found[path] = (int(words[1]), int(words[2], 16)) + ((int(words[3], 16),) if more else ())
    return found


def host_tree(folder):
    """The same of a folder of the host."""
    found = {}
    for path in pathlib.Path(folder).rglob("*"):
        data = None if path.is_dir() else path.read_bytes()
        found["/" + str(path.relative_to(folder))] = None if data is None else (len(data), zlib.crc32(data))
    return found


NAMES = ("a", "poem.txt", "POEM2.TXT", "Readme.md", "lower.TXT", "UPPER.txt", "a long name with blanks.text",
         "a long name with others.text", "a long name with more.text", "archive.tar.gz", ".hidden", "x.y.z",
         "Größe.txt",
         "Ωmega und ДОМ", "日本語のファイル.txt", "smile 🙂.png", "n" * 60 + ".long", "[brackets],+;=", "12345678.123",
         "123456789.123", "~1", "no dot but more than eight", "t" * 255, "folder", "Folder Two", "d")
BAD_NAMES = ("", "a.", "a ", "a*b", "q?", 'a"b', "a:b", "u" * 256, "\x01")


class Model:
    """Folders and files by path; names are looked for without case."""

    def __init__(self, seed, cluster, most):
        self.random = random.Random(seed)
        self.cluster = cluster
        self.most = most  # bytes of a file
        self.files = {}  # folded path: (path, bytes or None for a folder)
        self.touched = []  # (paths, kind) of the operations since the last call of take()

    @staticmethod
    def fold(path):
        return path.upper().replace("SS", "ss")

    def tree(self):
        return {path: None if data is None else (len(data), zlib.crc32(data)) for path, data in self.files.values()}

    def folders(self):
        return [""] + [path for path, data in self.files.values() if data is None]

    def some(self, folder):
        found = [path for path, data in self.files.values() if (data is None) == folder]
        return self.random.choice(found) if found else None

    def new_path(self):
        name = self.random.choice(NAMES)
        if self.random.random() < 0.3:
            name = f"{self.random.choice('aB')}{self.random.randrange(40)}{name[:200]}"
        if self.random.random() < 0.1:
            name = name.swapcase() if "ß" not in name else name
        return self.random.choice([folder for folder in self.folders() if folder.count("/") < 5]) + "/" + name

    def size(self):
        r = self.random
        return r.choice((1, r.randrange(600), self.cluster, r.randrange(self.cluster * 4), r.randrange(self.most)))

    def next(self):
        """A command, and its status."""
        kinds = {"create": 20, "mkdir": 8, "write": 30, "shorten": 8, "remove": 10, "rename": 14, "over": 5, "bad": 2}
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        return getattr(self, kind)()

    def make(self, word, data):
        path = self.new_path()
        if self.fold(path) in self.files:
            return (word, path), EXISTS
        self.files[self.fold(path)] = path, data
        self.touched.append(("new", path))
        return (word, path), 0

    def create(self):
        return self.make("create", b"")

    def mkdir(self):
        return self.make("mkdir", None)

    def write(self):
        path = self.some(False)
        if not path:
            return self.create()
        data = self.files[self.fold(path)][1]
        if len(data) > self.most:
            return self.shorten()
        offset = self.random.choice((len(data), len(data), self.random.randrange(len(data) + 1)))
        size, seed = self.size(), self.random.randrange(65536)
        self.touched.append(("add" if offset == len(data) else "change", path))
        self.files[self.fold(path)] = path, data[:offset] + content(seed, size) + data[offset + size:]
        reserve = offset + size * 2 if self.random.random() < 0.2 else 0
        return ("write", path, offset, size, seed, reserve), 0

    def shorten(self):
        path = self.some(False)
        if not path:
            return self.create()
        data = self.files[self.fold(path)][1]
        size = self.random.choice((0, self.random.randrange(len(data) + 1)))
        self.touched.append(("short", path))
        self.files[self.fold(path)] = path, data[:size]
        return ("shorten", path, size), 0

    def inside(self, path):
        return [other for other, _ in self.files.values() if self.fold(other).startswith(self.fold(path) + "/")]

    def remove(self):
        path = self.some(self.random.random() < 0.4)
        if not path:
            return self.create()
        if self.inside(path):
            return ("remove", path), NOT_EMPTY
        del self.files[self.fold(path)]
        self.touched.append(("gone", path))
        return ("remove", path), 0

    def move(self, path, to):
        moved = [path] + self.inside(path)
        data = [self.files.pop(self.fold(other))[1] for other in moved]
        for other, what in zip(moved, data):
            self.files[self.fold(to + other[len(path):])] = to + other[len(path):], what
        self.touched.append(("move", path, to))

    def rename(self):
        path, to = self.some(self.random.random() < 0.4), self.new_path()
        if not path:
            return self.create()
        if self.random.random() < 0.2 and "ß" not in path:
            folder, name = path.rsplit("/", 1)
            to = folder + "/" + name.swapcase()
        is_folder = self.files[self.fold(path)][1] is None
        there = self.files.get(self.fold(to))
        if is_folder and (self.fold(to) + "/").startswith(self.fold(path) + "/") and not there:
            return ("rename", path, to), INVALID
        if there and self.fold(to) != self.fold(path):
            if there[1] is None:
                return ("rename", path, to), FOLDER
            if is_folder:
                return ("rename", path, to), EXISTS
            self.replace(path, there[0])
        else:
            self.move(path, to)
        return ("rename", path, to), 0

    def replace(self, path, to):
        self.files[self.fold(to)] = to, self.files.pop(self.fold(path))[1]
        self.touched.append(("replace", path, to))

    def over(self):
        path, to = self.some(False), self.some(False)
        if not path or path == to:
            return self.create()
        self.replace(path, to)
        return ("rename", path, to), 0

    def bad(self):
        return ("create", self.random.choice(self.folders()) + "/" + self.random.choice(BAD_NAMES)), NAME

    def take(self):
        taken, self.touched = self.touched, []
        return taken
