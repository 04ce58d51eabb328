#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The driver of a disk, with the host's view of the image: disktest (tests/disk/disktest.c) reads what is written here,
writes, and loses driver and device manager time and again meanwhile; then each sector of the image must be what it said
that it wrote. And a program that the shell starts must be refused.

    disk.py [--smp N] [--boot HOW] [--pci] BUILD
"""
import argparse
import io
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import qemu

SECTORS, WORDS, REGIONS = 8192, 64, 4
SLOW = "throttling.bps-read=8000000"  # so that most ends of the driver come in the middle of a transfer
TIME_OFF = 120  # seconds: what the test may take after it has asked
MASK = (1 << 64) - 1


def pattern(sector, generation):
    """A sector's bytes: pattern() of disktest.c."""
    words = []
    for place in range(WORDS):
        x = (sector * 0x9e3779b97f4a7c15 + generation * 0xbf58476d1ce4e5b9 + place * 0x94d049bb133111eb) & MASK
        x = (x ^ x >> 29) * 0xff51afd7ed558ccd & MASK
        words.append(x ^ x >> 32)
    return struct.pack(f"<{WORDS}Q", *words)


def wrong(image, generations):
    """The sectors that are not of their generation: 0 in the first half, a member's in its part of the second."""
    size = SECTORS // 2 // REGIONS
    for sector in range(SECTORS):
        generation = 0 if sector < SECTORS // 2 else generations[(sector - SECTORS // 2) // size]
        if image[sector * 512:(sector + 1) * 512] != pattern(sector, generation):
            yield sector


def with_pci(build, folder):
    """The facts of the machine with its devices on PCI, as a file."""
    facts = json.loads((pathlib.Path(build) / "machine.json").read_text(encoding="utf-8"))
    facts["devices"] = [f"{facts['machine']} random: -device virtio-rng-pci,disable-legacy=on",
                        f"{facts['machine']} disk: -device virtio-blk-pci,drive=disk,disable-legacy=on"]
    made = pathlib.Path(folder) / "machine.json"
    made.write_text(json.dumps(facts), encoding="utf-8")
    return str(made)


def run_test(args, image):
    """disktest in QEMU. Returns (its TAP, whether it was good)."""
    line = [sys.executable, qemu.__file__, "--smp", str(args.smp), "--boot", args.boot, "--disk", f"{image},{SLOW}",
            args.build, "tap", "disktest"]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout, done.returncode == 0


def refused(args, image):
    """Is the same program refused that the shell starts?"""
    machine, line, nonce = qemu.commands_line(args.build, args.smp, "128M", "disktest refused", boot=args.boot,
                                              tests=True, disk=str(image))
    output = io.BytesIO()
    status = qemu.run_commands(machine, line, nonce, output, 180)
    return status == 0 and b"refused" in output.getvalue()


def main():
    parser = argparse.ArgumentParser(description="Test the driver of a disk.")
    parser.add_argument("--smp", type=int, default=2)
    parser.add_argument("--boot", default="")
    parser.add_argument("--pci", action="store_true", help="the devices are on PCI")
    parser.add_argument("build")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args.build = with_pci(args.build, folder) if args.pci else args.build
        image = pathlib.Path(folder) / "disk.img"
        image.write_bytes(b"".join(pattern(sector, 0) for sector in range(SECTORS)))
        print("1..5", flush=True)
        said, good = run_test(args, image)
        print("# " + said.replace("\n", "\n# "))
        print(f"{'' if good else 'not '}ok 1 - disktest", flush=True)
        quiet = "has no interrupt" not in said
        print(f"{'' if quiet else 'not '}ok 2 - no driver polls", flush=True)
        told = [int(text) for text in re.findall(r"# time of day (\d+)", said)]
        right = len(told) == 1 and abs(told[0] - time.time()) < TIME_OFF
        print(f"{'' if right else 'not '}ok 3 - the time of day is the host's", flush=True)
        last = {int(part): int(generation) for part, generation in re.findall(r"# generation (\d) (\d+)", said)}
        bad = list(wrong(image.read_bytes(), last)) if len(last) == REGIONS else ["no generation was told"]
        print(f"{'not ' if bad else ''}ok 4 - the image is as it should be {bad[:8] or ''}", flush=True)
        try:
            good = refused(args, image)
        except qemu.GuestError as error:
            good = print(f"# {error}")
        print(f"{'' if good else 'not '}ok 5 - a program of the shell is refused", flush=True)


if __name__ == "__main__":
    main()
