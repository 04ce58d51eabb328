#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Follow one round of a measured loop instruction by instruction, through both processes and the kernel.

    follow.py [--list] BUILD [LOOP]

LOOP is a function of program/, such as bench_loop_call (call_reply, the default), loop_null, loop_poll or loop_yield.
QEMU is stepped from one of the loop's system calls to the same one of the next round. Printed is how many instructions
each function took and how many of them are atomic; --list adds every address. It is a second way to count: the sum is
the round's count and the loop's two instructions.
"""
import argparse
import collections
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import elf  # noqa: E402
import gdb  # noqa: E402
import qemu  # noqa: E402

WARM_UP = 100
STEPS_MAX = 200000
# The count that runs the loop.
COUNTS = {"loop_null": "null_call", "loop_poll": "poll_empty", "bench_loop_call": "call_reply",
          "loop_yield": "yield_switch", "loop_notify": "notify_roundtrip", "loop_move": "move_4k",
          "loop_alloc_free": "block_alloc_free", "loop_placed": "placed_block", "loop_call_lib": "call_lib"}


def find_call(program, loop, call):
    """(address, bytes) of the loop's code from its first system call on."""
    for first, end, name in program.functions:
        if name == loop:
            code = program.bytes_at(first, end - first)
            at = code.find(call)
            if at >= 0:
                return first + at, code[at:]
    raise qemu.GuestError(f"bench has no loop {loop} with a system call in it")


def follow(build, loop="bench_loop_call"):
    """(machine, [(address, is it atomic?)]) of one round."""
    words = f"bench {COUNTS.get(loop, '')}".encode().hex()
    machine, line = gdb.command_line(build, f"os2.run={words} os2.nonce=0", tests=True)
    processor = gdb.PROCESSORS[machine["arch"]]
    program = elf.Elf(os.path.join(os.path.dirname(machine["archive"]), "bench.elf"))
    address, code = find_call(program, loop, processor.call)
    with gdb.Gdb(machine, line) as guest:
        root = guest.registers()[processor.space]
        seen = 0
        while True:
            guest.run_to(address)
            seen += guest.memory(address, len(code)) == code  # other programs have other code there
            if seen == WARM_UP:
                break
            guest.step()
        space, pc, steps = guest.number(root), address, []
        while len(steps) < STEPS_MAX:
            steps.append((pc, processor.is_atomic(guest.memory(pc, 4) or guest.memory(pc, 2))))
            guest.step()
            pc = guest.number(processor.pc)
            if pc == address and guest.number(root) == space:
                return machine, steps
    raise qemu.GuestError(f"{loop} did not come back in {STEPS_MAX} steps")


def atomics(build):
    """How many atomic instructions a call and its answer take."""
    return sum(atomic for _, atomic in follow(build)[1])


def main():
    parser = argparse.ArgumentParser(description="Follow one round of a measured loop.")
    parser.add_argument("--list", action="store_true", help="print every address")
    parser.add_argument("build", help="build folder")
    parser.add_argument("loop", nargs="?", default="bench_loop_call")
    args = parser.parse_args()
    try:
        machine, steps = follow(args.build, args.loop)
    except qemu.GuestError as error:
        sys.exit(f"os2: {error}")
    kernel = elf.Elf(machine["symbols"])
    taken, atomic = collections.Counter(), collections.Counter()
    for pc, is_atomic in steps:
        name = kernel.function_at(pc) or "(program)"
        taken[name] += 1
        atomic[name] += is_atomic
        if args.list:
            print(f"{pc:x} {name}")
    for name, count in taken.most_common():
        print(f"{count:7} {name}" + (f"   {atomic[name]} atomic" if atomic[name] else ""))
    print(f"{len(steps):7} in all, {sum(atomic.values())} atomic")


if __name__ == "__main__":
    main()
