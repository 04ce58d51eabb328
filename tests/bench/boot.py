# SPDX-License-Identifier: MIT
"""How many instructions the boot takes, from the kernel's first to init's first.

The image runs to two breakpoints, and the processor's counter of instructions is read at each. What the firmware does
before the kernel is thereby left out; all that it does for the kernel, such as printing, is in.
"""
import os

import elf
import gdb


def count(build):
    machine, line = gdb.command_line(build)
    kernel = elf.Elf(machine["symbols"])
    init = elf.Elf(os.path.join(os.path.dirname(machine["archive"]), "init"))
    with gdb.Gdb(machine, line) as guest:
        guest.run_to(kernel.entry_physical())
        start = guest.processor.count(guest)
        guest.run_to(init.entry)
        return guest.processor.count(guest) - start
