#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lay out what the fuzzers begin with.

    seeds.py STAMP TREE_OR_ELF...

Beside STAMP, a folder for each target: the trees; the ELF file; archives of these, as the boot archive is made; disks
with a little FAT; and for `calls` bytes of a fixed random source, which are programs as the simulation has them.
"""
import pathlib
import random
import shutil
import struct
import subprocess
import sys

CALLS = 24
CALLS_BYTES = 1500


def entry(name, kind, first, size):
    return struct.pack("<11sB8xHHHHI", name, kind, 0, 0, 0x21, first, size)


def long_part(order, text, name):
    total = 0
    for byte in name:
        total = ((total << 7 | total >> 1) + byte) & 255
    units = (text + "\0").encode("utf-16-le")[:26].ljust(26, b"\xff")
    return struct.pack("<B10sBBB12sH4s", order, units[:10], 0x0f, 0, total, units[10:22], 0, units[22:])


def fat_disks():
    """Disks by name: a FAT32 of 12 clusters and a FAT16, clean and left, bare and in a partition."""
    folder = long_part(0x41, "a long name", b"ALONGN~1   ") + entry(b"ALONGN~1   ", 0x20, 4, 700) + \
        entry(b"FOLDER     ", 0x10, 3, 0) + entry(b"B       TXT", 0x20, 0, 0) + entry(b"LABEL      ", 8, 0, 0)
    inner = entry(b".          ", 0x10, 3, 0) + entry(b"..         ", 0x10, 0, 0) + entry(b"C          ", 0x20, 6, 512)
    disks = {}
    for left in (False, True):
        head = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"mkfs.fat", 512, 1, 2, 1, 0, 15, 0xf8, 0, 63, 255,
                           0, 0)
        head += struct.pack("<IHHIHH12xBBBI11s8s", 1, 0, 0, 2, 1, 0, 0x80, 0, 0x29, 1, b"NO NAME    ", b"FAT32   ")
        info = struct.pack("<I480xIIII8xI", 0x41615252, 0x61417272, 7, 8, 0, 0xaa550000)[:512]
        end = 0x0fffffff
        table = struct.pack("<7I", 0x0ffffff8, end >> 5 if left else end, end, end, 5, end, end)
        disk = head.ljust(510, b"\0") + b"\x55\xaa" + info.ljust(512, b"\0") + table.ljust(512, b"\0") + \
            folder.ljust(512, b"\0") + inner.ljust(512, b"\0") + bytes(1024)
        disks[f"fat32-{left}"] = disk
        record = bytes(446) + struct.pack("<B3sB3sII", 0, b"", 0x0c, b"", 1, 15)
        disks[f"mbr-{left}"] = record.ljust(510, b"\0") + b"\x55\xaa" + disk
        head = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x3c\x90", b"mkfs.fat", 512, 1, 1, 1, 16, 5000, 0xf8, 16, 63, 255,
                           0, 0)
        head += struct.pack("<BBBI11s8s", 0x80, int(left), 0x29, 1, b"NO NAME    ", b"FAT16   ")
        table = struct.pack("<7H", 0xfff8, 0xffff, 0xffff, 0xffff, 5, 0xffff, 0xffff)
        disks[f"fat16-{left}"] = head.ljust(510, b"\0") + b"\x55\xaa" + table.ljust(512, b"\0") + \
            folder.ljust(1024, b"\0") + inner
    return disks


def main():
    stamp, *files = map(pathlib.Path, sys.argv[1:])
    root = pathlib.Path(__file__).resolve().parents[2]
    for name in ("tree", "cpio", "elf", "calls", "fat"):
        shutil.rmtree(stamp.parent / "seeds" / name, ignore_errors=True)
        (stamp.parent / "seeds" / name).mkdir(parents=True)
    seeds = stamp.parent / "seeds"
    for file in files:
        shutil.copy(file, seeds / ("tree" if file.suffix == ".dtb" else "elf") / file.name)
    small = sorted(files, key=lambda file: file.stat().st_size)
    for count in (1, 3):
        subprocess.run([sys.executable, root / "usr/archive.py", seeds / "cpio" / f"{count}.cpio", *small[:count]],
                       check=True)
    source = random.Random(1)
    for number in range(CALLS):
        (seeds / "calls" / str(number)).write_bytes(bytes([number]) + source.randbytes(CALLS_BYTES))
    for name, disk in fat_disks().items():
        (seeds / "fat" / name).write_bytes(disk)
    stamp.touch()


if __name__ == "__main__":
    main()
