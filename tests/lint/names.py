#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a comment or a page names is there: functions, by name(), and files, by their path or its end.

A function is there if code calls or defines it, if it is a label of assembly, or a system call. Python's docstrings
are not read, since they name what other projects have.
"""
import re

import lint

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^\s*#(?! *(?:include|define|if|el|end|undef|error|pragma))[^\n]*",
                     re.DOTALL | re.MULTILINE)
FUNCTION = re.compile(r"(?<![\w.>-])([a-z][a-z0-9_]*)\(\)")
FILE = re.compile(r"(?<![\w./<*-])((?:\w[\w.-]*/)*[\w-]+\.(?:c|h|S|py|pml|md|inc))(?![\w(/])")
CALLED = re.compile(r"\bX\(\w+, (\w+),|\b(\w+)\s*\(|^(\w+):", re.MULTILINE)
STRANGERS = {"8250_dw.c", "public/arch-x86/hvm/start_info.h"}  # Linux's, and Xen's


def read(path, text):
    """(offset, comment) of each, and the code without them; a page is all comment."""
    if path.endswith(".md"):
        return [(0, text)], ""
    if not path.endswith((".c", ".h", ".S", ".lds", ".build")):
        return [], text
    return [(found.start(), found[0]) for found in COMMENT.finditer(text)], COMMENT.sub(" ", text)


def check(tree):
    parts = {path: read(path, text) for path, text in tree.items()}
    there = {name for _, code in parts.values() for names in CALLED.findall(code) for name in names}
    ends = {path.split("/", n)[-1] for path in tree for n in range(path.count("/") + 1)}
    complaints = []
    for path, (comments, _) in parts.items():
        for at, comment in comments:
            wrong = [(m.start(), f"there is no function {m[1]}()") for m in FUNCTION.finditer(comment)
                     if m[1] not in there]
            wrong += [(m.start(), f"there is no file {m[1]}") for m in FILE.finditer(comment)
                      if m[1] not in ends | STRANGERS]
            complaints += [f"{path}:{tree[path].count(chr(10), 0, at + start) + 1}: {what}" for start, what in wrong]
    return complaints


if __name__ == "__main__":
    lint.run(
        check,
        {"core/a.c": "/* See go(), exit() of b.h and core/a.c. */\nvoid go(void);\n",
         "usr/b.h": "#define CALLS(X) X(1, exit, \"\")\n",
         "docs/d.md": "`go()` of usr/b.h\n"},
        [({"core/a.c": "/* See gone(). */\nint gone;\n"}, "a.c:1: there is no function gone()"),
         ({"core/a.c": "int a;\n/*\n * See core/b.c. */\n"}, "a.c:3: there is no file core/b.c"),
         ({"docs/d.md": "first\n`stop()`\n"}, "d.md:2: there is no function stop()"),
         ({"docs/d.md": "mm/d.md\n"}, "there is no file mm/d.md")],
        with_pages=True,
    )
