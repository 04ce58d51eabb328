#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run all tests many times over, and tell which of them do not always pass.

    steady.py N [--load K] [--suites A,B] [--match TEXT] [BUILD...]

N rounds of what `./os2 test` runs, on what is built. With --load, K processes that only compute run beside them, as on
a busy machine. Printed is a table: each test, how often it ran, how often it failed, its slowest and its median time;
what failed stands first, with what it said the last time.
"""
import argparse
import collections
import signal
import statistics
import subprocess
import sys
import time

import qemu
import run


def burn(number):
    """Processes that keep a host busy."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=qemu.die_with_parent)
            for _ in range(number)]


def main():
    parser = argparse.ArgumentParser(description="Run all tests many times over.")
    parser.add_argument("rounds", type=int)
    parser.add_argument("--load", type=int, default=0, metavar="K", help="processes that compute beside the tests")
    parser.add_argument("--match", default="", help="only tests with this in their names")
    run.add_options(parser)
    parser.add_argument("builds", nargs="*", help="build folders (all)")
    args = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    builds = args.builds or [str(folder.parent) for folder in sorted(run.FOLDER.glob("*/build.ninja"))]
    times, failures, said = collections.defaultdict(list), collections.Counter(), {}
    load = burn(args.load)
    try:
        for number in range(args.rounds):
            tests, broken = run.collect(builds, args.suites)
            if broken:
                sys.exit(f"os2: not built: {' '.join(broken)}")
            tests = [test for test in tests if args.match in test.key]
            started = time.monotonic()
            runner = run.Runner(tests, args.jobs, quiet=True)
            runner.run()
            bad = [test for test in tests if test.counts[1]]
            for test in tests:
                times[test.key].append(test.seconds)
                failures[test.key] += test in bad
            for test in bad:
                said[test.key] = run.message(test.text)
            print(f"round {number + 1} of {args.rounds}: {len(tests)} tests, {len(bad)} failed, "
                  f"{run.clock(time.monotonic() - started)}", flush=True)
            print("".join(f"    {test.key}: {test.result}\n" for test in bad), end="", flush=True)
    finally:
        for process in load:
            process.kill()
            process.wait()
    print(f"\n{'test':60} {'runs':>5} {'failed':>6} {'slowest':>8} {'median':>8}")
    for key in sorted(times, key=lambda key: (-failures[key], key)):
        print(f"{key:60} {len(times[key]):5} {failures[key]:6} {max(times[key]):6.1f} s "
              f"{statistics.median(times[key]):6.1f} s")
        print("".join(f"    {line}\n" for line in said.get(key, [])), end="")
    print(f"{sum(map(len, times.values()))} runs, {sum(failures.values())} failed")
    return 1 if sum(failures.values()) or not times else 0


if __name__ == "__main__":
    sys.exit(main())
