# SPDX-License-Identifier: MIT
"""What the lints share: which files there are, and how a lint is run.

A lint is a function from the tree, {path: text}, to a list of complaints. Before it looks at the real tree, it is run
on small bad trees that it must complain about, and on a good one that it must not: a lint that has gone blind fails.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
C_SUFFIXES = (".c", ".h")
SOURCE_SUFFIXES = C_SUFFIXES + (".S", ".lds", ".py", ".sh", ".ini", ".build", ".dts", ".pml", ".litmus")
SOURCE_NAMES = {"os2", "run", "meson_options.txt"}


def source_paths(root=ROOT):
    """Every source file of the tree, relative to its root."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0] == ".git" or parts[0].startswith("build") or "__pycache__" in parts or not path.is_file():
            continue
        if path.suffix in SOURCE_SUFFIXES or path.name in SOURCE_NAMES:
            yield path.relative_to(root).as_posix()


def tree(root=ROOT):
    return {path: (root / path).read_text(encoding="utf-8") for path in source_paths(root)}


def pages(root=ROOT):
    """The pages: README and docs."""
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for path in [*root.glob("README.md"), *sorted(root.glob("docs/**/*.md"))]}


def is_c(path):
    return path.endswith(C_SUFFIXES)


def run(check, good, bad, with_pages=False):
    """Self-test, then the real tree, or one that the command line names. `good` is a tree; `bad` a list of (tree, part
    of the complaint it must cause)."""
    if complaints := check(good):
        sys.exit(f"self-test: complaints about a good tree: {complaints}")
    for sample, wanted in bad:
        complaints = check(sample)
        if not any(wanted in complaint for complaint in complaints):
            sys.exit(f"self-test: no complaint {wanted!r} about {sample}, but {complaints}")
    roots = [*map(pathlib.Path, sys.argv[1:])]
    complaints = check({**tree(*roots), **(pages(*roots) if with_pages else {})})
    print("\n".join(complaints) or f"self-test saw {len(bad)} bad inputs refused; the tree is good")
    sys.exit(1 if complaints else 0)
