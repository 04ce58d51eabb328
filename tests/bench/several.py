#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count what only several processors show, in instructions of one of them.

    several.py BUILD DISK

The program `bench --several` runs on two processors under a plugin of QEMU's (several.c) that counts for each. QEMU
does not count instructions there, so when something happens is up to the host, but not what it takes: of a few hundred
times the fifth part's upper end is told: the rest waits more or less often for a processor that the host has taken
away, and the median lies on the border of the two. Counted are

    irq_to_driver  a device interrupts an idle processor: from where it wakes to the driver's first instruction; on one
                processor, where the driver of a disk is the one that such interrupts are for
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
STEAL, PULLED, NEAR, IRQ = 0, 1, 2, 3
ROUNDS = 400  # of program/several.c
READS = "gen 1M > /disk/irq; for a in 1 2 3 4 5 6 7 8; do cmp /disk/irq /disk/irq; done; rm /disk/irq"


def watch(build, smp, commands, wanted, disk=""):
    """{series: instructions} of the commands. NoPlugins, GuestError."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plugin, log = entries.build_plugin(folder, "several"), folder / "log"
        machine = qemu.command_line(build, smp, "128M", "")[0]
        at = {text: first for first, _, text in elf.Elf(machine["symbols"]).functions}
        processor = gdb.PROCESSORS[machine["arch"]]
        words = (f"{plugin},steal={at['runqueue_steal']:x},irq={at['irq_arrived']:x},halt={processor.halt.hex()},"
                 f"mark={processor.mark.hex()}")
        extra = ["-plugin", words, "-d", "plugin", "-D", str(log)]
        machine, line, nonce = qemu.commands_line(build, smp, "128M", commands, "", extra, tests=True, disk=disk)
        entries.need_plugins(machine)
        with open(folder / "output", "wb") as sink:
            status = qemu.run_commands(machine, line, nonce, sink, SILENCE)
        if status:
            raise qemu.GuestError(f"{commands} ended with status {status}:\n{(folder / 'output').read_text()}")
        series = {int(number): (int(times), int(fifth)) for number, times, fifth in
                  re.findall(r"^series (\d+) (\d+) \d+ (\d+)$", log.read_text(encoding="ascii"), re.MULTILINE)}
        for number in wanted:
            if series.get(number, (0, 0))[0] < ROUNDS // 8:
                raise qemu.GuestError(f"of {ROUNDS} rounds too few were seen: {log.read_text(encoding='ascii')}")
        return {number: fifth for number, (_, fifth) in series.items()}


def count(build, disk):
    """{name: instructions}. `disk` is an image that is read. NoPlugins, GuestError."""
    two = watch(build, 2, "bench --several", (STEAL, PULLED, NEAR))
    one = watch(build, 1, READS, (IRQ,), disk)
    return {"steal": two[STEAL], "call_pull": two[PULLED], "irq_to_driver": one[IRQ]}


def main():
    parser = argparse.ArgumentParser(description="Count what only several processors show.")
    parser.add_argument("build", help="build folder")
    parser.add_argument("disk", help="an image with a FAT, which is written to")
    args = parser.parse_args()
    try:
        for name, value in count(args.build, args.disk).items():
            print(f"{name} {value}")
    except (entries.NoPlugins, qemu.GuestError) as error:
        sys.exit(f"os2: {error}")


if __name__ == "__main__":
    main()
