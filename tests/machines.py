#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PCs that lack something, and what the x86_64 port makes of it.

    machines.py BUILD MACHINE      boot that one and judge it; the output is TAP
    machines.py --list

A machine must come to a prompt, say what is to be seen of it, start programs on all its cores, and end. "power off"
ends by ACPI: the kernel is not told of QEMU's test device there, so QEMU ends by itself only if the machine is off.
"""
import argparse
import re
import sys

import qemu
import terminal
from qemu import GuestError

SECONDS = 120

# Its name: QEMU's machine, whether the kernel is told of the test device, what is to be seen before the prompt.
MACHINES = {
    "no PIT": ("microvm,pit=off", True, r"clock \d+ kHz, timer \d+ kHz by CMOS clock"),
    "power off q35": ("q35", False, r"2 of 2 cores are up"),
    "power off microvm": ("microvm", False, r"2 of 2 cores are up"),
}


def judge(build, name):
    kind, told, pattern = MACHINES[name]
    machine, line = qemu.command_line(build, 2, "128M", extra=["-M", kind])
    if not told:
        at = line.index("-append")
        del line[at:at + 2]
    with terminal.Terminal(line) as guest:
        guest.seconds, guest.arch = SECONDS, machine["arch"]
        guest.prompt(0)
        text = guest.text.decode(errors="replace")
        if not re.search(pattern, text):
            raise GuestError(f"{pattern!r} is not in what was printed:\n{text}")
        rows = guest.command("cores").splitlines()[1:]
        assert len(rows) == 2, rows
        assert "primes up to 2000" in guest.command("primes 2000")
        guest.type("shutdown\r")
        status = guest.wait(SECONDS)
        right = 1 if told else 0  # the test device gives twice the code, and one more
        assert status == right, f"QEMU ended with {status}, not with {right}"


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(MACHINES))
        return 0
    parser = argparse.ArgumentParser(description="Boot a PC that lacks something.")
    parser.add_argument("build")
    parser.add_argument("machine", choices=MACHINES)
    args = parser.parse_args()
    print("1..1", flush=True)
    try:
        judge(args.build, args.machine)
        print(f"ok 1 - {args.machine}", flush=True)
    except (GuestError, AssertionError) as error:
        print(f"not ok 1 - {args.machine}\n# " + str(error).replace("\n", "\n# "), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
