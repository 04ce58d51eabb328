#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The house rules that a machine can see: an SPDX line first, file and line lengths, no architecture test in
architecture-neutral code, no note that something is unfinished."""
import re

import lint

LINES_MAX = 600
COLUMNS_MAX = 120
SPDX = "SPDX-License-Identifier: MIT"
ARCHITECTURE = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*(?:__riscv|__x86_64__|__amd64__|__i386__|__aarch64__)")
UNFINISHED = re.compile(
    r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|place" r"holder)\b|not (?:yet )?imple" r"mented|\bfor n" r"ow\b", re.IGNORECASE
)


def architecture_neutral(path):
    return lint.is_c(path) and not path.startswith(("arch/", "tests/"))


def check(tree):
    complaints = []
    for path, text in tree.items():
        lines = text.splitlines()
        if SPDX not in "\n".join(lines[:2]):
            complaints.append(f"{path}:1: no line {SPDX}")
        if len(lines) > LINES_MAX:
            complaints.append(f"{path}: {len(lines)} lines, more than {LINES_MAX}")
        if not text.endswith("\n") or text.endswith("\n\n"):
            complaints.append(f"{path}: must end with one newline")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                complaints.append(f"{path}:{number}: {len(line)} columns, more than {COLUMNS_MAX}")
            if line != line.rstrip():
                complaints.append(f"{path}:{number}: blanks at the end")
            if UNFINISHED.search(line):
                complaints.append(f"{path}:{number}: says that something is unfinished")
            if architecture_neutral(path) and ARCHITECTURE.match(line):
                complaints.append(f"{path}:{number}: tests the architecture outside arch/")
    return complaints


if __name__ == "__main__":
    HEAD = f"/* {SPDX} */\n"
    lint.run(
        check,
        {
            "mm/good.c": HEAD + "int x;\n",
            "arch/arch.h": HEAD + "#ifdef __riscv\n#endif\n",
        },
        [
            ({"mm/a.c": "int x;\n"}, "no line SPDX"),
            ({"mm/a.c": HEAD + "int x;\n" * LINES_MAX}, "601 lines"),
            ({"mm/a.c": HEAD + "int x;"}, "one newline"),
            ({"mm/a.c": HEAD + "x" * 121 + "\n"}, "121 columns"),
            ({"mm/a.c": HEAD + "int x; \n"}, "blanks"),
            ({"mm/a.c": HEAD + "/* TO" "DO: free it */\n"}, "unfinished"),
            ({"mm/a.c": HEAD + "/* good enough for n" "ow */\n"}, "unfinished"),
            ({"mm/a.c": HEAD + "# ifdef __riscv\n"}, "architecture"),
            ({"usr/a.c": HEAD + "#if __riscv_xlen == 64\n"}, "architecture"),
            ({"usr/include/os2/abi.h": HEAD + "#if 1\n#elif defined(__x86_64__)\n"}, "abi.h:3"),
        ],
    )
