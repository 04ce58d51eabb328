#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Little memory: what must work in how much of it, and what is said where it is too little. The output is TAP.

    little.py [options of qemu.py] BUILD
"""
import argparse
import io
import re
import sys

import qemu
from qemu import GuestError

COMMANDS = "ls -l nofile poem.txt; cat poem.txt | upper | wc; hello; primes 1000; crash all; mem"
SHOWN = ("743  -                 poem.txt",
         "21     158     743", "Hello from a process of its own.", "168 primes up to 1000",
         "crash: 14 ways, 0 wrong\n", "the states add up to the RAM")


def works(args, memory):
    """Everyday commands, to the last word; with `--smp` cores."""
    sink = io.BytesIO()
    machine, line, nonce = qemu.commands_line(args.build, args.smp, memory, COMMANDS)
    status = qemu.run_commands(machine, line, nonce, sink, args.silence)
    for words in SHOWN:
        if words not in sink.getvalue().decode():
            raise GuestError(f"{words!r} is not in {sink.getvalue().decode()!r}")
    if status:
        raise GuestError(f"status {status}")


def roomy(args, memory):
    """The same, and not only as much of it as there is room for."""
    sink = io.BytesIO()
    machine, line, nonce = qemu.commands_line(args.build, args.smp, memory, "primes 1000 8 | cat")
    qemu.run_commands(machine, line, nonce, sink, args.silence)
    if "over quota" in sink.getvalue().decode() or "worker 7: " not in sink.getvalue().decode():
        raise GuestError(f"not eight workers: {sink.getvalue().decode()!r}")


def too_little(args, memory):
    """init says once what is missing, tries in silence, and ends where it was to run commands."""
    for append, wanted in (("", "silent for"), ("os2.run=74727565", "")):
        _, line = qemu.command_line(args.build, args.smp, memory, append, least=1)
        with qemu.Guest(line) as guest:
            try:
                while guest.read(8) is not False:
                    pass
                ended = ""
            except GuestError as error:
                ended = str(error)
            shown = guest.text.decode(errors="replace")
        if not ended.startswith(wanted) or (ended and not wanted):
            raise GuestError(f"with {append!r}: {ended or 'ended'}: {shown!r}")
        said = re.findall(r"init\(1\): too little memory: \d+ pages are missing; RAM of (\d+) MiB is the least", shown)
        if len(said) != 1:
            raise GuestError(f"said {len(said)} times what is missing: {shown!r}")
        for service in ("names", "console", "files", "shell"):
            if shown.count(f"cannot start {service}") > 1:
                raise GuestError(f"says again and again: {shown!r}")


def main():
    parser = argparse.ArgumentParser(description="What works in little memory.")
    qemu.add_options(parser)
    args = parser.parse_args()
    machine, _ = qemu.command_line(args.build, 1, "128M")
    tests = [(works, f"{machine['least']}M"), (works, "16M"), (roomy, "18M"), (too_little, machine["too_little"])]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (test, memory) in enumerate(tests, 1):
        try:
            test(args, memory)
            print(f"ok {number} - {memory}: {test.__doc__.splitlines()[0]}", flush=True)
        except GuestError as error:
            failed += 1
            print(f"not ok {number} - {memory}: {str(error)!r}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
