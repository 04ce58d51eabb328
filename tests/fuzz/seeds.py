#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lay out what the fuzzers begin with.

    seeds.py STAMP TREE_OR_ELF...

Beside STAMP, a folder for each target: the trees; the ELF file; archives of these, as the boot archive is made; and for
`calls` bytes of a fixed random source, which are programs as the simulation has them.
"""
import pathlib
import random
import shutil
import subprocess
import sys

CALLS = 24
CALLS_BYTES = 1500


def main():
    stamp, *files = map(pathlib.Path, sys.argv[1:])
    root = pathlib.Path(__file__).resolve().parents[2]
    for name in ("tree", "cpio", "elf", "calls"):
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
    stamp.touch()


if __name__ == "__main__":
    main()
