#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The short ways of the entry paths leave the old tables before they say so: in arch/*/entry.S and what it includes,
a write of satp or CR3 comes directly before a store of the core's `current`, and no such store comes without one. The
partner is roots_left() in ipc/end.c, which frees tables by what it reads there. And a caller, who may be ended by
another core from then on, is published only behind both.

On RISC-V the write is root_load, and by no other way is satp written there: a machine without ASIDs puts a fence behind
each of those. The macro's two writes, the fence and the way back are as mmu.c takes them to be."""
import re

import assembly
import lint

SATP = re.compile(r"csrr?[wsc]i?\s+(?:\w+,\s*)?satp\b")
WRITE = re.compile(r"root_load\s+\w+$|mov[ql]?\s+%\w+,\s*%cr3\b")
MACRO = r""".macro root_load root
.option push
.option norvc
.Lload\@:
csrw satp, \root
.subsection 1
.Lfenced\@:
csrw satp, \root
li \root, 0
.Lfence\@:
sfence.vma x0, \root
j .Lload\@ + 4
.previous
.pushsection .root_loads, "a"
.dword .Lload\@, .Lfenced\@, .Lfence\@
.popsection
.option pop
.endm""".splitlines()
STORE = re.compile(r"sd\s+\w+,\s*CORE_CURRENT\(|mov[ql]?\s+\S+,\s*%gs:CORE_CURRENT\b")
PUBLISH = re.compile(r"sd\s+\w+,\s*SLOT_WORD\(|movq\s+%\w+,\s*SLOT_WORD\(")
CALLS = r"short_call(_block)?"


def check(tree):
    complaints = []
    for path, text in assembly.entries(tree):
        before, inside = "", []
        for number, line, after in assembly.followed(text):
            if inside or line.startswith(".macro root_load"):
                inside.append(line)
                if line == ".endm":
                    if inside != MACRO:
                        complaints.append(f"{path}:{number}: root_load is not what is known of it")
                    inside = []
                continue
            if SATP.match(line):
                complaints.append(f"{path}:{number}: satp is written, but not by root_load")
            if WRITE.match(line) and not STORE.match(after):
                complaints.append(f"{path}:{number}: the core's `current` is not stored directly after the root")
            if STORE.match(line) and not WRITE.match(before):
                complaints.append(f"{path}:{number}: the core's `current` is stored, but not directly after the root")
            before = line
        for label, way in assembly.ways(text, CALLS).items():
            steps = [("left" if STORE.match(line) else "published") for line in way
                     if STORE.match(line) or PUBLISH.match(line)]
            if steps != ["left", "published"]:
                complaints.append(f"{path}:1: {label} does not leave the caller's tables and then publish him: {steps}")
    return complaints


if __name__ == "__main__":
    RISCV, X86 = "arch/riscv64/entry.S", "arch/x86_64/entry.S"
    MACRO_TEXT = "\n".join(MACRO) + "\n"
    LEAVE, PUBLISHED = "    root_load t0\n    sd t5, CORE_CURRENT(tp)\n", "    sd t4, SLOT_WORD(t2)\n"
    LEAVE86, PUBLISHED86 = "    movq %rax, %cr3\n    movq %rbp, %gs:CORE_CURRENT\n", "    movq %r11, SLOT_WORD(%r14)\n"
    lint.run(
        check,
        {
            RISCV: f"{MACRO_TEXT}    root_load t0 /* the\n root */\n1:  sd t2, CORE_CURRENT(tp)\n"
                   "    ld t2, CORE_CURRENT(tp)\n"
                   f"    .macro publish word\n{LEAVE}    sd \\word, SLOT_WORD(t2)\n    .endm\n"
                   "short_call:\n    publish t4\n    sret\n    sd t4, SLOT_WORD(t3)\n",
            X86: "    movq %rax, %cr3\n    movq %rbp, %gs:CORE_CURRENT\n    movq %gs:CORE_CURRENT, %rsp\n"
                 f"short_call_block:\n{LEAVE86}{PUBLISHED86}    sysretq\n",
            "arch/riscv64/start.S": "    csrw satp, t0\n    nop\n",
        },
        [
            ({RISCV: "    sd t2, CORE_CURRENT(tp)\n    root_load t0\n    nop\n"}, "entry.S:1: "),
            ({RISCV: "    sd t2, CORE_CURRENT(tp)\n    root_load t0\n    nop\n"}, "entry.S:2: "),
            ({RISCV: "    root_load t0\n    fence rw, w\n    sd t5, CORE_CURRENT(tp)\n"}, "entry.S:1: "),
            ({RISCV: "    csrw satp, t0\n    sd t5, CORE_CURRENT(tp)\n"}, "entry.S:1: satp is written, but not"),
            ({RISCV: MACRO_TEXT.replace("sfence.vma x0, \\root\n", "")}, "root_load is not what"),
            ({X86: "    movq %rbp, %gs:CORE_CURRENT\n    movq %rcx, %cr3\n"}, "entry.S:1: "),
            ({X86: "    movq %rbp, %gs:CORE_CURRENT\n    movq %rcx, %cr3\n"}, "entry.S:2: "),
            ({RISCV: f"short_call:\n{PUBLISHED}{LEAVE}    sret\n"}, "short_call does not leave"),
            ({RISCV: f"short_call:\n{LEAVE}    sret\n"}, "short_call does not leave"),
            ({X86: f"short_call_block:\n{PUBLISHED86}{LEAVE86}    sysretq\n"}, "short_call_block does not leave"),
        ],
    )
