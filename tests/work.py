#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that spread their work over processes: right answers on every number of cores. TAP.

    work.py [--append WORDS] BUILD SMP...

One boot for each number of processors; each program checks its own answer, and its exit status says what it found. With
2 processors the speed-up of two workers over one is told, and with 8 what each core did: these are reports, since the
host decides about them.
"""
import argparse
import io
import re
import subprocess
import sys

import qemu

PROGRAMS = ["fib", "nqueens", "msort", "matmul", "primes 20000", "pingpong 3000", "count 500", "threadring 3000",
            "big", "chameneos 1000"]
RATIOS = ["fib 35", "nqueens 12"]
SECONDS = 400


def shell(args, smp, commands):
    """What the commands print, and "hang" after one."""
    line = [sys.executable, qemu.__file__, "--smp", str(smp), "--silence", "120", f"--append={args.append}", args.build,
            "command", "; ".join(commands)]
    try:
        return subprocess.run(line, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace") + "\nhang"


def comment(text):
    print("".join(f"# {line}\n" for line in io.StringIO(text).read().splitlines()), end="", flush=True)


def ratios(args):
    """How many times faster two workers are than one, in one boot."""
    shown = shell(args, 2, [f"{program} {workers}" for program in RATIOS for workers in (1, 2)])
    times = [int(us) for us in re.findall(r"^(\d+) us$", shown, re.MULTILINE)]
    for i, program in enumerate(RATIOS):
        if len(times) == 2 * len(RATIOS) and times[2 * i + 1]:
            comment(f"{program}: {times[2 * i] / times[2 * i + 1]:.2f} times as fast with two workers as with one")


def main():
    parser = argparse.ArgumentParser(description="Work spread over processes, on each number of processors.")
    parser.add_argument("--append", default="", help="more boot arguments")
    parser.add_argument("build")
    parser.add_argument("smp", type=int, nargs="+")
    args = parser.parse_args()
    print(f"1..{len(args.smp) * len(PROGRAMS)}", flush=True)
    number, failed = 0, 0
    for smp in args.smp:
        commands = [part for program in PROGRAMS for part in (program, f"echo done {program}: $?")]
        shown = shell(args, smp, commands + ["cores"])
        for program in PROGRAMS:
            number += 1
            good = f"\ndone {program}: 0\n" in f"\n{shown}"
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {program} on {smp} cores", flush=True)
        if failed:
            comment(shown)
        elif smp == 8:
            comment(shown[shown.find("CORE "):])
        if smp == 2:
            ratios(args)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
