#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Power cuts under write load: QEMU is killed at a random moment while cuttest (tests/files/cut.c) writes, time and
again. Then the disk must mount, fsck.fat must find lost clusters at most, and everything that was synced must be there.

    powercut.py [--cuts N] [--seed N] [--size SIZE] BUILD

Each cut is a boot with an empty disk, which is killed, and a second boot that mounts what is left. A killed QEMU loses
no write that it has made, so a cut is one between two writes; writes that a device had not made yet, or made in another
order, are the host's test (tests/unit/test_fat_cuts.py).
"""
import argparse
import io
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import files
import qemu

RECORD, FIXED = 100, 300 * 1024
SYNCED = re.compile(rb"^synced (\d+)$", re.MULTILINE)
START_SECONDS = 180


def cut(args, image, seconds):
    """Boots, and kills QEMU so long after the first step. Returns the last step that was synced, as far as was told."""
    _, line = qemu.command_line(args.build, 2, "128M", "os2.start=cuttest os2.nonce=x", tests=True, disk=str(image))
    with qemu.Guest(line) as guest:
        while not SYNCED.search(guest.text):
            if guest.read(START_SECONDS) is False or b"failed:" in guest.text:
                raise qemu.GuestError(f"cuttest does not begin\n{guest.text.decode(errors='replace')}")
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and guest.comes(left):
            if guest.read(1) is False:
                break
        guest.process.kill()
        guest.process.wait()
        while guest.read(10) is not False:
            pass
        if b"failed:" in guest.text:
            raise qemu.GuestError(guest.text.decode(errors="replace"))
        return max(int(step) for step in SYNCED.findall(guest.text))


def mount(args, image):
    """Boots again and looks at the disk, which mounts it."""
    machine, line, nonce = qemu.commands_line(args.build, 2, "128M", "ls /disk/cut", disk=str(image))
    output = io.BytesIO()
    status = qemu.run_commands(machine, line, nonce, output, START_SECONDS)
    if status or b"log" not in output.getvalue():
        raise qemu.GuestError(f"the disk does not mount: {output.getvalue().decode(errors='replace')}")


def wrong(image, folder, last):
    """What was synced and is not there."""
    out = folder / "out"
    subprocess.run(["rm", "-rf", out], check=True)
    out.mkdir()
    subprocess.run([sys.executable, files.DISK, "get", image, "/disk/cut", "--to", out], check=True)
    root = out / "cut"
    for step in range(max(1, last - 6), last + 1):
        names = [root / f"folder {step // 16}" / f"{kind} number {step}" for kind in ("file", "renamed")]
        there = [name for name in names if name.exists()]
        if not there or there[0].read_bytes() != files.pattern(step, step * 7919 % 200000):
            yield f"file {step} of {last}: {[name.name for name in there]}"
    if not (root / "log").read_bytes().startswith(files.pattern(7, last * RECORD)):
        yield f"the log of {last} records"
    if (root / "fixed").read_bytes() != files.pattern(8, FIXED):
        yield "the file that is changed in place"


def one(args, folder, chance):
    """A cut. Returns (the last step, what is wrong)."""
    image = folder / "disk.img"
    subprocess.run([sys.executable, files.DISK, "make", image, "--size", args.size], check=True)
    last = cut(args, image, chance.uniform(0, args.seconds))
    mount(args, image)
    bad = list(wrong(image, folder, last))
    if found := files.looks_good(image, folder, False):
        bad.append(found)
    return last, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=1.5, help="the longest that it writes")
    parser.add_argument("--size", default="32M")
    parser.add_argument("build")
    args = parser.parse_args()
    seed = random.randrange(1 << 32) if args.seed is None else args.seed
    chance = random.Random(seed)
    print(f"1..{args.cuts}\n# seed {seed}", flush=True)
    good = True
    for number in range(1, args.cuts + 1):
        with tempfile.TemporaryDirectory() as name:
            try:
                last, bad = one(args, pathlib.Path(name), chance)
            except (OSError, subprocess.CalledProcessError, qemu.GuestError) as error:
                last, bad = 0, [str(error)]
        print("".join(f"# {line}\n" for text in bad for line in text.splitlines()), end="")
        print(f"{'not ' if bad else ''}ok {number} - cut behind step {last}", flush=True)
        good &= not bad
    sys.exit(not good)


if __name__ == "__main__":
    main()
