# SPDX-License-Identifier: MIT
"""How many instructions the boot takes, from the kernel's first to init's first.

The image runs to two breakpoints, and the processor's counter of instructions is read at each. What the firmware does
before the kernel is thereby left out; all that it does for the kernel, such as printing, is in.

A port that measures its clock against another one waits for that one in a loop, and while gdb holds the machine the two
need not stand still together: one boot in many takes half as long again. So the least of several boots counts.
"""
import os

import elf
import gdb

BOOTS = 3


def one_boot(build, memory):
    machine, line = gdb.command_line(build, memory=memory)
    kernel = elf.Elf(machine["symbols"])
    init = elf.Elf(os.path.join(os.path.dirname(machine["archive"]), "init"))
    with gdb.Gdb(machine, line) as guest:
        guest.run_to(kernel.entry_physical())
        start = guest.processor.count(guest)
        guest.run_to(init.entry)
        return guest.processor.count(guest) - start


def count(build, memory="128M"):
    return min(one_boot(build, memory) for _ in range(BOOTS))
