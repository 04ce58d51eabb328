#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A disk for OS2: an image that QEMU attaches, with a FAT that every PC reads.

    disk.py make IMAGE [--size SIZE] [--bare]    make it, with one partition; --bare: without a partition table
    disk.py put IMAGE FILE... [--to FOLDER]      copy files and folders of the host to it
    disk.py get IMAGE PATH... [--to FOLDER]      copy from it to the host
    disk.py ls IMAGE [PATH...]                   list it

PATH and --to of put are those of OS2 without "/disk". The machine that has the disk must not run: what it keeps in
memory would not fit what is there then. A disk that a board wrote can be read too: the first partition with a FAT is
taken.
"""
import argparse
import os
import pathlib
import shlex
import struct
import subprocess
import sys

SECTOR = 512
FIRST = 2048        # the partition begins at 1 MiB, as everywhere
CLUSTER = 8         # sectors of a large one: a page of OS2 is in one piece
FAT16_MOST = 65524  # clusters
FAT_TYPES = (0x01, 0x04, 0x06, 0x0B, 0x0C, 0x0E, 0xEF)
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
LEAST = 4 << 20


def size_bytes(text):
    """A size as people write it; None if it is none."""
    number, unit = (text[:-1], UNITS.get(text[-1:].upper())) if text[-1:].isalpha() else (text, 1)
    return int(number) * unit if unit and number.isdigit() else None


def run(line, dry_run, **options):
    if dry_run:
        print(shlex.join(map(str, line)))
        return
    os.environ["PATH"] += ":/usr/sbin:/sbin"  # where mkfs.fat is, and not everybody looks
    try:
        subprocess.run(line, check=True, **options)
    except FileNotFoundError:
        sys.exit(f"disk.py: {line[0]} is missing")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode or 1)


def make(image, size, bare, dry_run):
    """A sparse file with one FAT: FAT32 from 512 MiB on, FAT16 below."""
    sectors = size // SECTOR
    first = 0 if bare else FIRST
    wide = size >= 512 << 20
    if not dry_run:
        image.parent.mkdir(parents=True, exist_ok=True)
        with open(image, "wb") as file:
            file.truncate(sectors * SECTOR)
            if not bare:
                entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", 0x0C if wide else 0x0E, b"\xfe\xff\xff", first,
                                    sectors - first)
                file.seek(446)
                file.write(entry.ljust(64, b"\0") + b"\x55\xaa")
    cluster = CLUSTER if wide else 1
    while not wide and sectors // cluster > FAT16_MOST:
        cluster *= 2
    run(["mkfs.fat", "-F", "32" if wide else "16", "-s", str(cluster), "-n", "OS2",
         "--offset", str(first), image, str((sectors - first) // 2)], dry_run, stdout=subprocess.DEVNULL)


def partition(image):
    """Where the first FAT begins, in bytes."""
    try:
        with open(image, "rb") as file:
            first = file.read(SECTOR)
    except OSError as error:
        sys.exit(f"disk.py: {image}: {error.strerror}")
    if first[510:512] == b"\x55\xaa" and first[0] not in (0xEB, 0xE9):
        for at in range(446, 510, 16):
            if first[at + 4] in FAT_TYPES:
                return struct.unpack_from("<I", first, at + 8)[0] * SECTOR
    return 0


def mtools(image, program, *words, dry_run=False):
    environment = os.environ | {"MTOOLS_SKIP_CHECK": "1", "MTOOLS_NO_VFAT": "0"}
    run([program, "-i", f"{image}@@{partition(image)}", *words], dry_run, env=environment)


def inside(path):
    """A path of OS2, with or without /disk, as mtools has it."""
    path = path.removeprefix("/disk")
    return "::/" + path.strip("/")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--dry-run", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--size", default="1G", help="of the image (1G)")
    parser.add_argument("--bare", action="store_true", help="no partition table")
    parser.add_argument("--to", default="", help="the folder to copy to")
    parser.add_argument("what", choices=["make", "put", "get", "ls"])
    parser.add_argument("image", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    args = parser.parse_intermixed_args()
    if args.what == "make":
        size = size_bytes(args.size)
        if args.names or not size or size < LEAST:
            sys.exit(f"disk.py: make IMAGE --size SIZE, of {LEAST >> 20}M at least")
        make(args.image, size, args.bare, args.dry_run)
    elif args.what == "ls":
        for name in args.names or ["/"]:
            mtools(args.image, "mdir", inside(name), dry_run=args.dry_run)
    elif not args.names:
        sys.exit(f"disk.py: {args.what}: what?")
    elif args.what == "put":
        mtools(args.image, "mcopy", "-s", "-o", "-m", *args.names, inside(args.to), dry_run=args.dry_run)
    else:
        mtools(args.image, "mcopy", "-s", "-n", "-m", *map(inside, args.names), args.to or ".", dry_run=args.dry_run)


if __name__ == "__main__":
    main()
