#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The short ways of the entry paths leave the old tables before they say so: in arch/*/entry.S and what it includes,
a write of satp or CR3 comes directly before a store of the core's `current`, and no such store comes without one. The
partner is roots_left() in ipc/end.c, which frees tables by what it reads there."""
import re

import lint

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
LABEL = re.compile(r"^\s*\w+:")
WRITE = re.compile(r"csrr?[wsc]i?\s+(?:\w+,\s*)?satp\b|mov[ql]?\s+%\w+,\s*%cr3\b")
STORE = re.compile(r"sd\s+\w+,\s*CORE_CURRENT\(|mov[ql]?\s+\S+,\s*%gs:CORE_CURRENT\b")


def check(tree):
    complaints = []
    for path, text in tree.items():
        if not re.fullmatch(r"arch/\w+/\w+\.S", path) or path.endswith("/start.S"):
            continue
        text = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
        lines = [(number, LABEL.sub("", line).strip()) for number, line in enumerate(text.splitlines(), 1)]
        lines = [(number, line) for number, line in lines if line] + [(0, "")]
        before = ""
        for (number, line), (_, after) in zip(lines, lines[1:]):
            if WRITE.match(line) and not STORE.match(after):
                complaints.append(f"{path}:{number}: the core's `current` is not stored directly after the root")
            if STORE.match(line) and not WRITE.match(before):
                complaints.append(f"{path}:{number}: the core's `current` is stored, but not directly after the root")
            before = line
    return complaints


if __name__ == "__main__":
    RISCV, X86 = "arch/riscv64/entry.S", "arch/x86_64/entry.S"
    lint.run(
        check,
        {
            RISCV: "    csrw satp, t0 /* the\n root */\n1:  sd t2, CORE_CURRENT(tp)\n    ld t2, CORE_CURRENT(tp)\n",
            X86: "    movq %rax, %cr3\n    movq %rbp, %gs:CORE_CURRENT\n    movq %gs:CORE_CURRENT, %rsp\n",
            "arch/riscv64/start.S": "    csrw satp, t0\n    nop\n",
        },
        [
            ({RISCV: "    sd t2, CORE_CURRENT(tp)\n    csrw satp, t0\n    nop\n"}, "entry.S:1: "),
            ({RISCV: "    sd t2, CORE_CURRENT(tp)\n    csrw satp, t0\n    nop\n"}, "entry.S:2: "),
            ({RISCV: "    csrw satp, t0\n    fence rw, w\n    sd t5, CORE_CURRENT(tp)\n"}, "entry.S:1: "),
            ({X86: "    movq %rbp, %gs:CORE_CURRENT\n    movq %rcx, %cr3\n"}, "entry.S:1: "),
            ({X86: "    movq %rbp, %gs:CORE_CURRENT\n    movq %rcx, %cr3\n"}, "entry.S:2: "),
        ],
    )
