#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files on a disk, with the host's view of it: filetest (tests/files/filetest.c) reads what mtools wrote, writes, and
services and drivers end beside it; then fsck.fat must find nothing, and mtools must read what filetest wrote.

    files.py [--smp N] [--boot HOW] [--bare] [--size SIZE] BUILD
"""
import argparse
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

import qemu

os.environ["PATH"] += ":/usr/sbin:/sbin"  # fsck.fat
MASK = (1 << 64) - 1
ROOT = pathlib.Path(__file__).resolve().parent.parent
DISK = ROOT / "cross" / "disk.py"
MADE = {"big.bin": (1, 3 * 1024 * 1024 + 777), "small.txt": (2, 13), "empty": (3, 0),
        "A file with a long name, and an ü.txt": (4, 5000)}
LEFT = {"large.bin": (10, 2 * 1024 * 1024 + 12345), "Small änd long.txt": (11, 1), "empty": (12, 0)}


def pattern(seed, size):
    """A file's bytes: pattern() of filetest.c."""
    words = []
    for at in range((size + 7) // 8):
        x = (seed * 0x9e3779b97f4a7c15 + at * 0x94d049bb133111eb) & MASK
        words.append((x ^ x >> 29) * 0xff51afd7ed558ccd & MASK)
    return struct.pack(f"<{len(words)}Q", *words)[:size]


def make(image, folder, size, bare):
    subprocess.run([sys.executable, DISK, "make", image, "--size", size] + (["--bare"] if bare else []), check=True)
    host = folder / "host"
    host.mkdir()
    for name, (seed, length) in MADE.items():
        (host / name).write_bytes(pattern(seed, length))
    subprocess.run([sys.executable, DISK, "put", image, host], check=True, env=os.environ | {"LC_ALL": "C.UTF-8"})


def first_partition(image, folder, bare):
    """The file system by itself, as fsck.fat wants it."""
    if bare:
        return image
    part = folder / "part.img"
    with open(image, "rb") as whole, open(part, "wb") as file:
        whole.seek(1 << 20)
        while data := whole.read(1 << 20):
            if data.strip(b"\0"):
                file.write(data)
            else:
                file.seek(len(data), os.SEEK_CUR)
        file.truncate()
    return part


# What a file service that was ended in the middle may leave: clusters that belong to nothing.
LOST = re.compile(r"fsck\.fat .*\nReclaimed \d+ unused clusters? .*\n"
                  r"(Free cluster summary wrong .*\n  Auto-correcting\.\n)?"
                  r"\s*Leaving filesystem unchanged\.\n.* clusters\n")


def looks_good(image, folder, bare):
    """What fsck.fat finds besides; empty: nothing."""
    done = subprocess.run(["fsck.fat", "-n", first_partition(image, folder, bare)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return "" if done.returncode == 0 or LOST.fullmatch(done.stdout) else done.stdout


def wrong(image, folder):
    """Files that are not as filetest wrote them."""
    out = folder / "out"
    out.mkdir()
    subprocess.run([sys.executable, DISK, "get", image, "/disk/os2", "--to", out], check=True,
                   env=os.environ | {"LC_ALL": "C.UTF-8"})
    return [name for name, (seed, size) in LEFT.items() if (out / "os2" / name).read_bytes() != pattern(seed, size)]


def ok(number, good, what, more=""):
    print("".join(f"# {line}\n" for line in more.splitlines()), end="")
    print(f"{'' if good else 'not '}ok {number} - {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Test files on a disk.")
    parser.add_argument("--smp", default="2")
    parser.add_argument("--boot", default="")
    parser.add_argument("--size", default="32M")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--program", default="filetest", help="soaktest: a thousand ends, beside copies of 16 MiB")
    parser.add_argument("build")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        image = folder / "disk.img"
        make(image, folder, args.size, args.bare)
        print("1..3", flush=True)
        line = [sys.executable, qemu.__file__, "--smp", args.smp, "--boot", args.boot, "--disk", image, args.build,
                "tap", args.program]
        done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
        ok(1, done.returncode == 0, args.program, done.stdout)
        found = looks_good(image, folder, args.bare)
        ok(2, not found, "fsck.fat finds lost clusters at most", found)
        try:
            bad = wrong(image, folder)
        except (OSError, subprocess.CalledProcessError) as error:
            bad = [error]
        ok(3, not bad, "the host reads what was written", "\n".join(map(str, bad)))


if __name__ == "__main__":
    main()
