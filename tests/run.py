#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the tests of several build folders in one go, and sum up.

    run.py [--jobs N] [--suites A,B] BUILD...

Meson says what the tests are (`meson test -C BUILD` runs one folder's by itself). Here those of all folders share the
processors: as many at a time as there are, the longest first, and by itself what Meson was told not to run in parallel.
Each line says how far the run is and how long the test took, and took the last time; the end repeats what each failed
test said, and each test's whole output is left in a file. broken:BUILD stands for a folder that could not be built,
which is one failure. Every case of a TAP test counts, any other test counts as one; a run without any test is a
failure. The last line is "N passed, N failed".
"""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import qemu

SKIPPED = 77            # the exit status by which a test without TAP says that it cannot run here
POLL_SECONDS = 0.05
NEWS_SECONDS = 30       # a line at least this often, where the output is no terminal
MESSAGE_LINES = 30      # of a failed test, at the end
FOLDER = pathlib.Path(__file__).resolve().parents[1] / "build"


@dataclasses.dataclass
class Test:
    """A test as Meson has it, and what became of it."""
    build: str
    name: str
    suite: str
    command: list
    environment: dict
    timeout: float
    alone: bool             # no other test runs beside it
    process: subprocess.Popen = None
    started: float = 0
    seconds: float = 0
    computed: float = 0     # seconds of processors, its children's among them
    result: str = "not run"  # "ok", "skipped", or what went wrong
    text: str = ""
    counts: tuple = (0, 0, 0)

    @property
    def key(self):
        return f"{self.build} {self.suite} / {self.name}"

    @property
    def log(self):
        return FOLDER / "test-logs" / (re.sub(r"[^\w.=-]+", "-", self.key) + ".txt")


def tests_of(build, suites):
    """The tests of a build folder, of these suites, or of all but the long ones."""
    told = subprocess.run(["meson", "introspect", "--tests", build], stdout=subprocess.PIPE, check=True).stdout
    tests = []
    for test in json.loads(told):
        suite = test["suite"][0].split(":")[-1]
        if suite in suites if suites else suite != "long":
            tests.append(Test(pathlib.Path(build).name, test["name"], suite, test["cmd"], test["env"],
                              test["timeout"], not test["is_parallel"]))
    return tests


def count(result, text):
    """(passed, failed, skipped) of one test."""
    cases = re.findall(r"^(not ok|ok)\b(.*)$", text, re.MULTILINE)
    skipped = sum("# SKIP" in rest.upper() for _, rest in cases)
    failed = sum(kind == "not ok" and "# TO" "DO" not in rest.upper() for kind, rest in cases)
    passed = len(cases) - skipped - failed
    if result == "skipped":
        return 0, 0, max(1, len(cases))
    if result == "ok":
        return (passed, failed, skipped) if cases else (1, 0, 0)
    return passed, max(1, failed), skipped  # also a bail-out after good cases


def judge(status, text):
    """What became of a test that ended by itself: "ok", "skipped", or what went wrong."""
    failed = len(re.findall(r"^not ok\b(?!.*# TO" r"DO)", text, re.MULTILINE))
    plan = re.search(r"^1\.\.(\d+)(.*)$", text, re.MULTILINE)
    cases = len(re.findall(r"^(?:not ok|ok)\b", text, re.MULTILINE))
    if bail := re.search(r"^Bail out! *(.*)$", text, re.MULTILINE):
        return bail[1] or "bailed out"
    if failed:
        return f"{failed} of {cases} cases failed"
    if status == SKIPPED or (plan and plan[1] == "0"):
        return "skipped"
    if status:
        return f"exit status {status}"
    if plan and cases != int(plan[1]):
        return f"{cases} of {plan[1]} cases ran"
    return "ok"


def message(text):
    """What a failed test says of itself: its failed cases with the remarks around them, or else its last lines."""
    lines = text.splitlines()
    wanted = set()
    for i, line in enumerate(lines):
        if re.match(r"not ok\b|Bail out!", line):
            wanted.add(i)
            for way in (-1, 1):
                at = i + way
                while 0 <= at < len(lines) and lines[at].startswith("#") and abs(at - i) <= MESSAGE_LINES // 2:
                    wanted.add(at)
                    at += way
    return [lines[i] for i in sorted(wanted)][:MESSAGE_LINES] if wanted else lines[-MESSAGE_LINES:]


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Runner:
    """Runs tests, `jobs` at a time, and says how far it is."""

    def __init__(self, tests, jobs, quiet=False):
        self.costs_file = FOLDER / "test-costs.json"  # of each test that passed: seconds, and those of processors
        try:
            self.costs = json.loads(self.costs_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.costs = {}
        self.before = {key: seconds for key, (seconds, _) in self.costs.items()}
        longest_first = sorted(tests, key=lambda test: -self.before.get(test.key, test.timeout))
        self.waiting = collections.deque(sorted(longest_first, key=lambda test: test.alone))
        self.tests, self.running, self.done = tests, [], 0
        self.jobs, self.quiet = jobs, quiet
        self.started = self.said = time.monotonic()
        self.terminal = sys.stdout.isatty()

    def say(self, text):
        if not self.quiet:
            print(("\r\x1b[K" if self.terminal else "") + text, flush=True)
            self.said = time.monotonic()

    def left(self):
        """About how many seconds are left, by what each test took the last time; None where that is not known."""
        now = time.monotonic()
        seconds = 0
        for test in [*self.waiting, *self.running]:
            if test.key not in self.before:
                return None
            took = self.before[test.key]
            took = max(0, took - (now - test.started)) if test.process else took
            seconds += took / (1 if test.alone else self.jobs)
        return seconds

    def state(self):
        left = self.left()
        names = ", ".join(test.key for test in self.running)
        return (f"[{self.done}/{len(self.tests)} {clock(time.monotonic() - self.started)}"
                f"{'' if left is None else f', about {clock(left)} left'}] runs: {names}")

    def show_state(self):
        if self.quiet:
            return
        if self.terminal:
            width = os.get_terminal_size().columns
            print("\r\x1b[K" + self.state()[:width - 1], end="", flush=True)
        elif time.monotonic() - self.said >= NEWS_SECONDS:
            self.say(self.state())

    def start(self, test):
        test.log.parent.mkdir(parents=True, exist_ok=True)
        test.started = time.monotonic()
        with open(test.log, "wb") as sink:
            test.process = subprocess.Popen(test.command, stdin=subprocess.DEVNULL, stdout=sink,
                                            stderr=subprocess.STDOUT, env=os.environ | test.environment,
                                            start_new_session=True, preexec_fn=qemu.die_with_parent)
        self.running.append(test)

    def end(self, test, result=None):
        test.seconds = time.monotonic() - test.started
        test.text = test.log.read_text(encoding="utf-8", errors="replace")
        test.result = result or judge(test.process.returncode, test.text)
        test.counts = count(test.result, test.text)
        test.process = None
        self.running.remove(test)
        self.done += 1
        before = self.before.get(test.key)
        took = f"{test.seconds:.1f} s" + (f" ({before:.1f} before)" if before else "")
        took += f", {test.computed:.1f} s of processors"
        self.say(f"[{self.done}/{len(self.tests)} {clock(time.monotonic() - self.started)}] "
                 f"{test.result if test.result in ('ok', 'skipped') else 'FAILED'}: {test.key}, {took}"
                 + (f": {test.result}" if test.counts[1] else ""))
        if not test.counts[1]:
            self.costs[test.key] = (round(test.seconds, 1), round(test.computed, 1))

    def stop(self, test):
        try:
            os.killpg(test.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        if test.process.returncode is None:
            self.gone(test, wait=True)

    def gone(self, test, wait=False):
        """Has it ended? Notes its exit status, and for how long it and all that it waited for kept processors busy."""
        process, status, usage = os.wait4(test.process.pid, 0 if wait else os.WNOHANG)
        if process:
            test.process.returncode = os.waitstatus_to_exitcode(status)
            test.computed = usage.ru_utime + usage.ru_stime
        return process != 0

    def run(self):
        try:
            while self.waiting or self.running:
                alone = any(test.alone for test in self.running)
                while self.waiting and not alone and len(self.running) < self.jobs and (
                        not self.waiting[0].alone or not self.running):
                    self.start(self.waiting.popleft())
                    alone = self.running[-1].alone
                time.sleep(POLL_SECONDS)
                for test in list(self.running):
                    if self.gone(test):
                        self.end(test)
                    elif time.monotonic() - test.started > test.timeout:
                        self.stop(test)
                        self.end(test, f"did not end in {test.timeout:g} s")
                self.show_state()
        except KeyboardInterrupt:
            for test in list(self.running):
                self.stop(test)
                self.end(test, "interrupted")
        finally:
            for test in self.running:
                self.stop(test)
        lines = (f"{json.dumps(key)}: {json.dumps(cost)}" for key, cost in sorted(self.costs.items()))
        self.costs_file.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def summarize(tests, broken):
    """Print the failed tests' messages and the sum; the exit status."""
    total = [sum(test.counts[i] for test in tests) for i in range(3)]
    print()
    for test in tests:
        if test.counts[1]:
            print(f"failed: {test.key}: {test.result}")
            print("".join(f"    {line}\n" for line in message(test.text)), end="")
            print(f"    all of it: {test.log}")
    for build in broken:
        print(f"failed: the build of {build}")
    total[1] += len(broken) + sum(test.result == "not run" for test in tests)
    if skipped := total[2]:
        print(f"skipped: {skipped}")
    if not any(total):
        print("failed: no test ran")
        total[1] = 1
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


def collect(builds, suites):
    """(tests, names of broken builds)."""
    broken = [build[7:] for build in builds if build.startswith("broken:")]
    tests = [test for build in builds if not build.startswith("broken:") for test in tests_of(build, suites)]
    return tests, broken


def add_options(parser):
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at a time (one a processor)")
    parser.add_argument("--suites", type=lambda text: text.split(","), default=[], help="only these, with commas")


def main():
    parser = argparse.ArgumentParser(description="Run the tests of several build folders.")
    add_options(parser)
    parser.add_argument("builds", nargs="+", help="build folders")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tests, broken = collect(args.builds, args.suites)
    Runner(tests, args.jobs).run()
    return summarize(tests, broken)


if __name__ == "__main__":
    sys.exit(main())
