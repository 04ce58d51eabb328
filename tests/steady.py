#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run all tests many times over, and tell which of them do not always pass.

    steady.py N [--load K] [--suites A,B] [--match TEXT]... [--save FILE] [BUILD...]

N rounds of what `./os2 test` runs, on what is built. With --load, K processes that only compute run beside them, as on
a busy machine. Printed is a table: each test, how often it ran, how often it failed, its slowest and its median time;
what failed stands first, with what it said the last time. With --save, what was found is kept in FILE after each round,
and a later run with the same FILE goes on from there: the table is of all rounds.
"""
import argparse
import json
import pathlib
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


class Table:
    """What was found of each test in all rounds."""

    def __init__(self, file):
        self.file, self.tests = file, {}
        if file and file.exists():
            self.tests = json.loads(file.read_text(encoding="utf-8"))

    def add(self, test):
        found = self.tests.setdefault(test.key, {"seconds": [], "failed": 0, "said": []})
        found["seconds"].append(round(test.seconds, 1))
        if test.counts[1]:
            found["failed"] += 1
            found["said"] = [test.result, *run.message(test.text)]

    def save(self):
        if self.file:
            self.file.write_text(json.dumps(self.tests, indent=1) + "\n", encoding="utf-8")

    def show(self):
        """Print it; how many runs failed."""
        print(f"\n{'test':60} {'runs':>5} {'failed':>6} {'slowest':>8} {'median':>8}")
        for key, found in sorted(self.tests.items(), key=lambda entry: (-entry[1]["failed"], entry[0])):
            times = found["seconds"]
            print(f"{key:60} {len(times):5} {found['failed']:6} {max(times):6.1f} s {statistics.median(times):6.1f} s")
            print("".join(f"    {line}\n" for line in found["said"]), end="")
        failed = sum(found["failed"] for found in self.tests.values())
        print(f"{sum(len(found['seconds']) for found in self.tests.values())} runs, {failed} failed")
        return failed


def main():
    parser = argparse.ArgumentParser(description="Run all tests many times over.")
    parser.add_argument("rounds", type=int)
    parser.add_argument("--load", type=int, default=0, metavar="K", help="processes that compute beside the tests")
    parser.add_argument("--match", action="append", help="only tests with this, or one of these, in their names")
    parser.add_argument("--save", type=pathlib.Path, metavar="FILE", help="where to keep the table, and to go on from")
    run.add_options(parser)
    parser.add_argument("builds", nargs="*", help="build folders (all)")
    args = parser.parse_intermixed_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    builds = args.builds or [str(folder.parent) for folder in sorted(run.FOLDER.glob("*/build.ninja"))]
    table = Table(args.save)
    load = burn(args.load)
    try:
        for number in range(args.rounds):
            tests, broken = run.collect(builds, args.suites)
            if broken:
                sys.exit(f"os2: not built: {' '.join(broken)}")
            tests = [test for test in tests if any(text in test.key for text in args.match or [""])]
            started = time.monotonic()
            runner = run.Runner(tests, args.jobs, quiet=True)
            runner.run()
            bad = [test for test in tests if test.counts[1]]
            for test in tests:
                table.add(test)
            table.save()
            print(f"round {number + 1} of {args.rounds}: {len(tests)} tests, {len(bad)} failed, "
                  f"{run.clock(time.monotonic() - started)}", flush=True)
            print("".join(f"    {test.key}: {test.result}\n" for test in bad), end="", flush=True)
    finally:
        for process in load:
            process.kill()
            process.wait()
    return 1 if table.show() or not table.tests else 0


if __name__ == "__main__":
    sys.exit(main())
