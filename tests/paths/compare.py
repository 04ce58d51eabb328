#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The entry path's short ways against the long ones: the program pathtest must see the same with each. TAP.

    compare.py BUILD

Two boots on one processor that counts instructions, one with os2.noshort. A line for each seed: the sums of its members
must be equal, and the boot with the short ways must have needed fewer instructions, or nothing was compared.
"""
import pathlib
import re
import subprocess
import sys

SECONDS = 600
RUNNER = pathlib.Path(__file__).resolve().parents[1] / "qemu.py"


def boot(build, append):
    """({seed: {member: sum}}, instructions of all, what was printed)"""
    line = [sys.executable, str(RUNNER), "--smp", "1", "--icount", "--append", append, build, "tap", "pathtest"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False)
    sums = {}
    for seed, member, value in re.findall(r"seed (\d+), member (\d+): (\w+)", done.stdout):
        sums.setdefault(int(seed), {})[int(member)] = value
    count = sum(int(n) for n in re.findall(r"instructions: (\d+)", done.stdout))
    return sums if done.returncode == 0 else {}, count, done.stdout


def main():
    short, short_count, short_text = boot(sys.argv[1], "quiet")
    long, long_count, long_text = boot(sys.argv[1], "os2.noshort")
    seeds = sorted(short.keys() | long.keys())
    print(f"1..{len(seeds) + 1}")
    failed = 0
    for number, seed in enumerate(seeds, 1):
        differ = [member for member in long.get(seed, {}) if short.get(seed, {}).get(member) != long[seed][member]]
        good = seed in short and seed in long and not differ
        failed += not good
        print(f"{'' if good else 'not '}ok {number} - seed {seed}: the same by both ways")
        if differ:
            print(f"# members that differ: {differ}")
    good = bool(seeds) and short_count < long_count
    failed += not good
    print(f"{'' if good else 'not '}ok {len(seeds) + 1} - {short_count} instructions, {long_count} without short ways")
    if failed:
        print("".join(f"# {line}\n" for line in (short_text + long_text).splitlines()), end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
