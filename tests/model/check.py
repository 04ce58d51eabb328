#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check Spin models completely, and that each mutant of them is caught; TAP.

    check.py [--long] MODEL.pml...

A model says in its head comment how it is to be checked:

    check FLAGS          a complete search with these -D flags finds no error
    large FLAGS          the same, and it is large enough for gcc to pay
    long FLAGS           the same, with --long only: minutes and gigabytes
    mutant NAME TEXT     with -DNAME as well, a search with the flags of one of the above finds an error

A search that does not end for want of memory or time is a failure, not a success. The trail of an error stays in the
folder given by --keep.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

MEMORY_MB = 16000
SECONDS = 3600
# A verifier fills its tables with zeros before it begins, which takes longer than a small search: depth, and the binary
# logarithm of how many lists of states there are. A search that is deeper says so, and has failed; lists may be long.
SMALL = ["-m20000", "-w20"]
LARGE = ["-m4000000", "-w24"]


def directives(text):
    """The lines of the file's head that say how to check: a list of (word, rest)."""
    head = text.split("*/")[1]  # behind the licence line
    return re.findall(r"^ \* (check|large|long|mutant) +(.*)$", head, re.MULTILINE)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


def build_verifier(folder, memory, mutant=False, optimise=False):
    """Compile what Spin wrote into `folder`; returns the status and what was said. -DCOLLAPSE keeps a state in a third
    of the space, for a little time. -DHC4 keeps a hash of it, in half the time: a search may then take two states for
    one and miss what follows, but an error that it finds is one, and of a mutant no more is asked. A search of seconds
    is as fast by tcc, which compiles in a fortieth of gcc's time."""
    compiler = ["gcc", "-O1"] if optimise else ["tcc"]
    kept = "-DHC4" if mutant else "-DCOLLAPSE"
    return run([*compiler, "-w", "-DSAFETY", kept, f"-DMEMLIM={memory}", "-o", "pan", "pan.c"], folder)


def search(model, word, flags, folder):
    """A search of this kind: ("good", states), ("error", what) or ("broken", why)."""
    # Spin writes where it runs, and includes what lies there.
    for name in model.parent.iterdir():
        if name.suffix in (".pml", ".inc"):
            (folder / name.name).write_text(name.read_text(encoding="utf-8"), encoding="utf-8")
    code, output = run(["spin", "-a", *flags, model.name], folder)
    if code or "rror" in output:
        return "broken", output.strip()
    large = word in ("large", "long")
    code, output = build_verifier(folder, MEMORY_MB, word == "mutant", large)
    if code:
        return "broken", output.strip()
    code, output = run(["./pan", *(LARGE if large else SMALL)], folder)
    error = re.search(r"^pan:1: (.*)$", output, re.MULTILINE)
    if error:
        return "error", error[1]
    states = re.search(r"(\S+) states, stored", output)
    cut = any(words in output for words in ("not completed", "truncated", "max search depth"))
    if "errors: 0" not in output or cut or not states:
        return "broken", output.strip()[-500:]
    return "good", states[1]


def main():
    parser = argparse.ArgumentParser(description="Check Spin models and their mutants.")
    parser.add_argument("--long", action="store_true", help="the long searches as well")
    parser.add_argument("--keep", type=pathlib.Path, help="work in this folder, and leave it")
    parser.add_argument("model", type=pathlib.Path, nargs="+")
    args = parser.parse_args()
    words = ("check", "large", "long") if args.long else ("check", "large")
    plan = [(model, word, rest) for model in args.model
            for word, rest in directives(model.read_text(encoding="utf-8")) if word in (*words, "mutant")]
    print(f"1..{len(plan)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for number, (model, word, rest) in enumerate(plan, 1):
            if word == "mutant":
                name, text = rest.split(None, 1)
                wanted, results = "error", []
                for _, flags in (one for one in directives(model.read_text(encoding="utf-8")) if one[0] in words):
                    results.append(search(model, word, [*flags.split(), f"-D{name}"], folder))
                    if results[-1][0] != "good":
                        break
                got, what = results[-1]
                title = f"{model.stem}: caught: {text}"
            else:
                wanted = "good"
                got, what = search(model, word, rest.split(), folder)
                title = f"{model.stem}: {rest}"
            failed += got != wanted
            detail = f"{what} states" if got == "good" else what.replace("\n", "\n# ")
            print(f"# {detail}\n{'' if got == wanted else 'not '}ok {number} - {title}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
