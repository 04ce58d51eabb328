#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every system call of os2/syscalls.h has a section in docs/syscalls.md, and every section a call.

A section is a heading of the call's name alone, with or without backquotes: "### `block_alloc`".
"""
import re
import sys

import lint

LIST = "usr/include/os2/syscalls.h"
MANUAL = "docs/syscalls.md"


def check(tree):
    calls = re.findall(r"X\(\d+, (\w+),", tree[LIST])
    sections = re.findall(r"^#{2,4} `?([a-z][a-z_]*)`?\s*$", tree[MANUAL], re.MULTILINE)
    complaints = [f"{MANUAL}: no section for {call}" for call in calls if call not in sections]
    complaints += [f"{MANUAL}: two sections for {call}" for call in calls if sections.count(call) > 1]
    if len(calls) < 2:
        complaints.append(f"{LIST}: no list of calls found")
    return complaints


if __name__ == "__main__":
    TWO = "    X(0, exit, \"...\")\n    X(1, yield, \"...\")\n"
    tree = lint.tree
    if not (lint.ROOT / MANUAL).exists():
        print(f"there is no {MANUAL}")
        sys.exit(77)  # meson: skipped
    lint.tree = lambda: {**tree(), MANUAL: (lint.ROOT / MANUAL).read_text(encoding="utf-8")}
    lint.run(
        check,
        {LIST: TWO, MANUAL: "# Calls\n### exit\n\n### `yield`\n"},
        [
            ({LIST: TWO, MANUAL: "### exit\n"}, "no section for yield"),
            ({LIST: TWO, MANUAL: "### exit\n### yield\n### yield\n"}, "two sections for yield"),
            ({LIST: "", MANUAL: ""}, "no list of calls"),
        ],
    )
