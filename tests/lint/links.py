#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Links of the pages to lines of source: [`name`](../file#L1) leads to where file defines `name`.

    links.py            check
    links.py --write    write the numbers anew

A name is that of a function, a label or macro of assembly, a structure or a constant.
"""
import os
import re
import sys

import lint

LINK = re.compile(r"\[`(?:struct )?(\w+)(?:\(\))?`\]\(([^)#\s]+)#L(\d+)\)")


def line_of(name, text):
    """The number of the line that defines it; None: it does not."""
    text = text.replace(" __attribute__((always_inline))", "")
    head = rf"(?:[\w*][^\n;=(]*[\s*])?{name}\((?:[^;{{]|;(?!\n))*?\)\s*\{{|{name}:|#define {name}\b|struct {name} \{{"
    found = re.search(rf"^(?:{head}|\s*\.macro {name}\b|\s+{name},)", text, re.MULTILINE)
    return found and text.count("\n", 0, found.start()) + 1


def renewed(page, text, tree, complaints):
    """The page with right numbers; complaints grows by each that is not."""
    def link(match):
        name, target, number = match.groups()
        path = os.path.normpath(os.path.join(os.path.dirname(page), target))
        line = line_of(name, tree.get(path, ""))
        if line is None:
            complaints.append(f"{page}: {path} does not define {name}")
        elif line != int(number):
            complaints.append(f"{page}: {name} is at {path}:{line}, not {number}; run tests/lint/links.py --write")
        return match[0].replace(f"#L{number}", f"#L{line or number}")
    return LINK.sub(link, text)


def check(tree):
    complaints = []
    for page, text in tree.items():
        if page.endswith(".md"):
            renewed(page, text, tree, complaints)
    return complaints


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        sources = {**lint.tree(), **lint.pages()}
        for path, old in lint.pages().items():
            (lint.ROOT / path).write_text(renewed(path, old, sources, []), encoding="utf-8")
        sys.exit()
    SOURCE = "int go(int);\nstatic int\ngo(int a) {\n    if (go(1)) {\n"
    SOURCE += "#define TOP 1\nlabel:\n    .macro leave\nstruct s {\n"
    lint.run(
        check,
        {"a/b.c": SOURCE, "docs/d.md": "[`go`](../a/b.c#L2) [`TOP`](../a/b.c#L5) [`label`](../a/b.c#L6)\n"
                                       "[`leave`](../a/b.c#L7) [`struct s`](../a/b.c#L8)\n"},
        [({"a/b.c": SOURCE, "docs/d.md": "[`go`](../a/b.c#L1)\n"}, "go is at a/b.c:2, not 1"),
         ({"a/b.c": SOURCE, "docs/d.md": "[`gone()`](../a/b.c#L1)\n"}, "a/b.c does not define gone"),
         ({"docs/d.md": "[`go`](../a/c.c#L1)\n"}, "a/c.c does not define go")],
        with_pages=True,
    )
