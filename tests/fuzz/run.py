#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the coverage-guided fuzzers of a host build.

    run.py [--seconds N | --hours H] BUILD [TARGET]...
    run.py --skip REASON

Each TARGET (all of them if none is named: calls, cpio, elf, fat, tree) begins with the seeds that the build made and
runs for N seconds (30), or for H hours. A run of hours keeps what it finds in BUILD/tests/fuzz/corpus, and the next one
goes on from there; a short run always begins anew. The output is TAP. An input that fails is kept in BUILD/tests/fuzz,
and said: the target with that file as its argument repeats the fault.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TARGETS = ("calls", "cpio", "elf", "fat", "tree")
# An input that takes so many seconds hangs: the usual ones take a thousandth. The machine may be busy.
HANG = 25


def fuzz(folder, name, seconds, corpus):
    """(went well, what libFuzzer printed)"""
    command = [
        folder / name, f"-max_total_time={seconds}", "-seed=1", "-max_len=8192", f"-timeout={HANG}",
        "-rss_limit_mb=2048", "-detect_leaks=0", "-error_exitcode=1", f"-artifact_prefix={folder}/{name}-", corpus,
        folder / "seeds" / name,
    ]
    environment = dict(os.environ, ASAN_OPTIONS="detect_stack_use_after_return=0",
                       UBSAN_OPTIONS="print_stacktrace=1")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False)
    text = done.stdout.decode(errors="replace")
    # It has been at work: it has made inputs of its own, beyond the seeds.
    made = re.search(r"^Done (\d+) runs", text, re.MULTILINE)
    seeds = len(list((folder / "seeds" / name).iterdir()))
    return done.returncode == 0 and made is not None and int(made[1]) > seeds, text


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--hours", type=float)
    parser.add_argument("--skip")
    parser.add_argument("build", nargs="?", type=pathlib.Path)
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    if options.skip:
        print(f"1..0 # SKIP {options.skip}")
        return
    if not options.build:
        parser.error("which BUILD?")
    folder = options.build.resolve() / "tests/fuzz"
    names = options.targets or TARGETS
    seconds = int(options.hours * 3600) if options.hours else options.seconds
    failed = False
    print(f"1..{len(names)}", flush=True)
    for number, name in enumerate(names, 1):
        with tempfile.TemporaryDirectory() as fresh:
            corpus = folder / "corpus" / name if options.hours else fresh
            pathlib.Path(corpus).mkdir(parents=True, exist_ok=True)
            good, text = fuzz(folder, name, seconds, corpus)
        failed |= not good
        lines = [line for line in text.splitlines() if line.strip()]
        # Of a good run the last state, of a bad one everything from the fault on.
        shown = [line for line in lines if "DONE" in line or line.startswith("Done")] if good else lines[-80:]
        print(f"{'ok' if good else 'not ok'} {number} fuzz {name}")
        print("".join(f"# {line}\n" for line in shown), end="", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
