#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the short ways of the entry paths owe others, in arch/*/entry.S and what it includes.

A look at what is pending is taken for its answer: a branch directly follows. A way that publishes its process as one
that waits has a full fence behind the store, and looks again behind that; arch/riscv64's fences are litmus.py's. And
where the RISC-V port takes a leaf out of a table, the fence of its address directly follows."""
import re

import assembly
import lint

LOOK = re.compile(r"lw\s+(\w+),\s*SLOT_PENDING\(|cmpl\s+\$0,\s*SLOT_PENDING\(")
PUBLISH = re.compile(r"(?:sd\s+\w+,|movq\s+%\w+,)\s*SLOT_WORD\((?:t2|%r14)\)|amoswap\S*\s.*\(t6\)"
                     r"|xchgq\s+%rax,\s*SLOT_WORD\(%rsi\)")
FENCE = re.compile(r"fence\b|amoswap|lr\.d|xchg|lock\b")
WAITS = r"riscv_receive|short_receive|short_reply_receive(_block)?"
LEAF = re.compile(r"sd\s+zero,\s*0\(")


def branches(look, line):
    """Does this line branch by what the look has found?"""
    return re.match(rf"bnez\s+{look[1]},\s*\w+$" if look[1] else r"jne\s+\w+$", line)


def check_way(way):
    """What is wrong with a way that waits; "" if nothing."""
    at = [i for i, line in enumerate(way) if PUBLISH.match(line)]
    if len(at) != 1:
        return f"publishes {len(at)} times"
    behind = way[at[0]:]
    fences = [i for i, line in enumerate(behind) if FENCE.match(line)]
    looks = [i for i, line in enumerate(behind) if LOOK.match(line)]
    if not looks:
        return "does not look again"
    return "" if fences and fences[0] < looks[0] else "looks again without a fence"


def check(tree):
    complaints = []
    for path, text in assembly.entries(tree):
        for number, line, after in assembly.followed(text):
            if (look := LOOK.match(line)) and not branches(look, after):
                complaints.append(f"{path}:{number}: what is pending is looked at, and no branch follows")
            if LEAF.match(line) and not re.match(r"sfence\.vma\s+\w+,", after):
                complaints.append(f"{path}:{number}: a leaf is taken out, and no fence of its address follows")
        for label, way in assembly.ways(text, WAITS).items():
            if wrong := check_way(way):
                complaints.append(f"{path}:1: {label} {wrong}")
    return complaints


if __name__ == "__main__":
    RISCV, X86 = "arch/riscv64/entry.S", "arch/x86_64/entry.S"
    WAIT = "riscv_receive:\n    amoswap.d.aqrl zero, a3, (t6)\n"
    LOOKS = "    lw t4, SLOT_PENDING(t6)\n    bnez t4, missed\n"
    WAIT86, LOOKS86 = "    xchgq %rax, SLOT_WORD(%rsi)\n", "    cmpl $0, SLOT_PENDING(%rsi)\n    jne missed\n"
    lint.run(
        check,
        {
            RISCV: f"{WAIT}{LOOKS}    sret\n    sd zero, 0(a0)\n    sfence.vma a1, zero\n",
            X86: f"short_receive:\n{LOOKS86}{WAIT86}{LOOKS86}    sysretq\n",
        },
        [
            ({RISCV: f"{WAIT}    lw t4, SLOT_PENDING(t6)\n    nop\n    sret\n"}, "entry.S:3: what is pending"),
            ({RISCV: f"{WAIT}    lw t4, SLOT_PENDING(t6)\n    bnez t5, missed\n    sret\n"}, "entry.S:3: "),
            ({RISCV: f"{WAIT}    sret\n"}, "riscv_receive does not look again"),
            ({RISCV: f"riscv_receive:\n{LOOKS}    sret\n"}, "riscv_receive publishes 0 times"),
            ({X86: f"short_receive:\n{LOOKS86}{WAIT86}    sysretq\n"}, "short_receive does not look again"),
            ({X86: f"short_reply_receive:\n    movq %r15, SLOT_WORD(%r14)\n{LOOKS86}    sysretq\n"}, "without a fence"),
            ({X86: "    cmpl $0, SLOT_PENDING(%rsi)\n    je missed\n"}, "entry.S:1: "),
            ({RISCV: "    sd zero, 0(a0)\n    nop\n    sfence.vma a1, zero\n"}, "entry.S:1: a leaf"),
        ],
    )
