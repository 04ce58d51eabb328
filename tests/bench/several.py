#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count what only several processors show, in instructions of one of them.

    several.py BUILD

The program `bench --several` runs on two processors under a plugin of QEMU's (several.c) that counts for each. QEMU
does not count instructions there, so when something happens is up to the host, but not what it takes: of a few hundred
times the fifth part's upper end is told: the rest waits more or less often for a processor that the host has taken
away, and the median lies on the border of the two. Counted are

    steal       from where an idle processor wakes to the first instruction of the process that it has stolen
    call_pull   a call to a server that last ran on the other processor, and its answer
"""
import argparse
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import elf  # noqa: E402
import entries  # noqa: E402
import gdb  # noqa: E402
import qemu  # noqa: E402

SILENCE = 120
STEAL, PULLED, NEAR = 0, 1, 2
ROUNDS = 400  # of program/several.c


def count(build):
    """{name: instructions}. NoPlugins, GuestError."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plugin, log = entries.build_plugin(folder, "several"), folder / "log"
        machine = qemu.command_line(build, 2, "128M", "")[0]
        steal = next(first for first, _, text in elf.Elf(machine["symbols"]).functions if text == "runqueue_steal")
        processor = gdb.PROCESSORS[machine["arch"]]
        words = f"{plugin},steal={steal:x},halt={processor.halt.hex()},mark={processor.mark.hex()}"
        extra = ["-plugin", words, "-d", "plugin", "-D", str(log)]
        machine, line, nonce = qemu.commands_line(build, 2, "128M", "bench --several", "", extra,
                                                    tests=True)
        entries.need_plugins(machine)
        with open(folder / "output", "wb") as sink:
            status = qemu.run_commands(machine, line, nonce, sink, SILENCE)
        if status:
            raise qemu.GuestError(f"bench --several ended with status {status}:\n{(folder / 'output').read_text()}")
        series = {int(number): (int(times), int(fifth)) for number, times, fifth in
                  re.findall(r"^series (\d+) (\d+) \d+ (\d+)$", log.read_text(encoding="ascii"), re.MULTILINE)}
        for number in (STEAL, PULLED, NEAR):
            if series.get(number, (0, 0))[0] < ROUNDS // 8:
                raise qemu.GuestError(f"of {ROUNDS} rounds too few were seen: {log.read_text(encoding='ascii')}")
        return {"steal": series[STEAL][1], "call_pull": series[PULLED][1]}


def main():
    parser = argparse.ArgumentParser(description="Count what only several processors show.")
    parser.add_argument("build", help="build folder")
    args = parser.parse_args()
    try:
        for name, value in count(args.build).items():
            print(f"{name} {value}")
    except (entries.NoPlugins, qemu.GuestError) as error:
        sys.exit(f"os2: {error}")


if __name__ == "__main__":
    main()
