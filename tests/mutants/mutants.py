#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mutants of the kernel: faults put into its source one at a time, each of which a test must catch; TAP.

    mutants.py [--jobs N] BUILD [WORD]...

BUILD is the host's build folder. table.py has the mutants and says which test is to catch each. WORDs choose those
whose name or source has one of them.

First each test that is relied upon runs on the source as it is, in the very way in which it meets mutants, and must
pass. Then each mutant is built: its source alone is compiled, as the build compiles it but without optimisation, and
linked with all else of a test's program; or it takes its place in a copy of the tree, for a test that reads sources.
It is caught where the test fails, dies of a signal or a sanitizer, or does not end. One that does not compile or link,
or whose text is not there exactly once, is a failure like one that nobody notices.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/host"))
import derive  # noqa: E402

SECONDS = 30        # a test that has not ended by then has caught its mutant
PATIENCE = 600      # for what has no mutant, on a host that has much else to do
UNIT = "tests/unit/test_"
HELD = "tests/sim/held-riscv64"
READERS = {"litmus": "tests/model/litmus.py", "lint": "tests/lint/{}.py"}
PLAIN = ["-O0", "-g0", "-w"]
BUILD = pathlib.Path()  # the host's build folder


class Broken(Exception):
    """A mutant that cannot be built, or a test that cannot be run."""


def run(command, seconds, environment=None):
    """(exit status, output); the status is None where the command did not end."""
    try:
        done = subprocess.run(command, cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=seconds, check=False, env=os.environ | (environment or {}))
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout


def built(command):
    status, output = run(command, PATIENCE)
    if status != 0:
        raise Broken(f"{shlex.join(command)}\n{output}")


class Program:
    """A test's program, as the build links and runs it."""

    def __init__(self, target, commands, tests):
        told = subprocess.run(["ninja", "-t", "commands", "-s", target], cwd=BUILD, capture_output=True, text=True,
                              check=True).stdout
        # What a mutant has in an object of its own is not taken out of a library too.
        self.link = [word for word in shlex.split(told) if not word.endswith("whole-archive")]
        at = self.link.index("-o")
        self.link[at:at + 2] = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
        self.environment = dict(next(test["env"] for test in tests if test["cmd"][0] == str(BUILD / target)))
        # Half of the time of a short test goes into a search for leaks at its end, which is the unit suite's business.
        options = [self.environment.get("ASAN_OPTIONS"), "detect_leaks=0"]
        self.environment["ASAN_OPTIONS"] = ":".join(option for option in options if option)
        self.commands = {}
        for entry in commands:
            output = entry["output"]
            if output in self.link or output.partition(".p/")[0] in self.link:
                self.commands[source_of(entry["file"])] = entry

    def make(self, folder, sources):
        """Link it in `folder`, with other texts for some of its sources: {path: text}."""
        link = list(self.link)
        compiled = sorted(set(users(sources)) & set(self.commands))
        if sources and not compiled:
            raise Broken(f"{', '.join(sources)}: not in this program")
        for number, path in enumerate(compiled):
            entry = self.commands[path]
            command, output = shlex.split(entry["command"]), str(folder / f"{number}.o")
            command[command.index("-o") + 1] = output
            command[command.index("-MF") + 1] = os.devnull
            command[command.index("-c") + 1] = str(folder / path if path in sources else BUILD / entry["file"])
            command[1:1] = [f"-I{folder}", f"-I{folder / 'beside'}"]
            built([*command, *PLAIN])
            link[1:1] = [output]
            if entry["output"] in link:
                link.remove(entry["output"])
        program = folder / "program"
        built([*link, "-o", str(program)])
        return program


def source_of(file):
    """A file that the build names, by its path in the tree; one that the build has derived is in a folder like it."""
    path = (BUILD / file).resolve()
    if not path.is_relative_to(BUILD):
        return path.relative_to(ROOT).as_posix()
    return table.DERIVED.get(path.name, path.relative_to(BUILD).as_posix())


def users(sources):
    """What has to be compiled for other texts of these."""
    for path in sources:
        yield from table.USERS.get(path, [path])


class Kitchen:
    """Builds and runs tests, with and without mutants."""

    def __init__(self, catchers, temporary):
        commands = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
        tests = json.loads((BUILD / "meson-info/intro-tests.json").read_text(encoding="utf-8"))
        self.temporary = temporary
        self.programs = {target: Program(target, commands, tests)
                         for target in {target_of(catcher) for catcher in catchers} if target}
        chosen = str(temporary / "filter.o")
        built(["cc", "-c", str(ROOT / "tests/mutants/filter.c"), "-o", chosen])
        for program in self.programs.values():
            program.link[1:1] = [chosen]
        self.whole = {target: program.make(pathlib.Path(tempfile.mkdtemp(dir=temporary)), {})
                      for target, program in self.programs.items()}

    def fails(self, catcher, folder, sources):
        """What the test says that fails, with other texts for some sources; "" where it passes."""
        kind, *words = catcher.split()
        target = target_of(catcher)
        seconds = SECONDS if sources else PATIENCE
        if target:
            program = self.programs[target].make(folder, sources) if sources else self.whole[target]
            arguments = ["--scene", words[0]] if kind == "held" else []
            test = {"MUTANTS_TEST": words[1]} if words[1:] else {}
            status, output = run([str(program), *arguments], seconds, self.programs[target].environment | test)
            if not sources and not re.search(r"^ok ", output, re.MULTILINE):
                raise Broken(f"no test passes\n{output}")
            return complaint(output) if status != 0 or re.search(r"^not ok", output, re.MULTILINE) else ""
        reader = ROOT / READERS[kind].format(*words)
        status, output = run([sys.executable, str(reader), str(copy_of_tree(folder, sources)),
                              *(words if kind == "litmus" else [])], seconds)
        if status == 0:
            return ""
        found = re.search(r"^not ok .*|^\S+:\d+: .*", output, re.MULTILINE)
        if status != 1 or not found:
            raise Broken(output)
        return found[0]


def complaint(output):
    """The line of a failed test that tells the most."""
    for pattern in (r"^.*(?:runtime error|ERROR: \w+Sanitizer).*", r"^Bail out! .*", r"^kernel panic: .*",
                    r"^# .*", r"^not ok .*"):
        if found := re.search(pattern, output, re.MULTILINE):
            return found[0].removeprefix("# ")
    return "it died, or did not end"


def target_of(catcher):
    kind, *words = catcher.split()
    return {"unit": UNIT + words[0], "held": HELD}.get(kind)


def copy_of_tree(folder, sources):
    """A tree like the real one but for some texts: links, and folders where something differs."""
    top = folder / "tree"

    def fill(here, there, below):
        there.mkdir()
        for path in here.iterdir():
            deeper = {parts[1:]: text for parts, text in below.items() if parts[0] == path.name}
            if not deeper:
                (there / path.name).symlink_to(path)
            elif () in deeper:
                (there / path.name).write_text(deeper[()], encoding="utf-8")
            else:
                fill(path, there / path.name, deeper)

    fill(ROOT, top, {pathlib.PurePath(path).parts: text for path, text in sources.items()})
    return top


def mutated(kitchen, mutant):
    """{path: text} of a mutant's source, put where a compiler finds it too."""
    source, _, catcher, texts = mutant
    path = ROOT / source
    target = target_of(catcher)
    if target and source in kitchen.programs[target].commands:
        path = BUILD / kitchen.programs[target].commands[source]["file"]
    elif target and source in table.INCLUDED:
        path = BUILD / table.INCLUDED[source]
    text = path.read_text(encoding="utf-8")
    for old, new in zip(texts[::2], texts[1::2]):
        text = derive.replaced(text, old, new)
    return {source: text}


def put(folder, sources):
    """Where the compiler looks first: by the path, and, for what is included by its name alone, beside."""
    for path, text in sources.items():
        for at in (folder / path, folder / "beside" / pathlib.Path(table.INCLUDED.get(path, path)).name):
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(text, encoding="utf-8")


def judge(kitchen, number, case):
    """(good, title, remarks) of one case: a mutant, or a test without any."""
    folder = kitchen.temporary / str(number)
    folder.mkdir()
    if isinstance(case, str):
        try:
            said = kitchen.fails(case, folder, {})
        except Broken as error:
            said = str(error)
        return not said, f"without a mutant: {case}", said
    source, name, catcher, _ = case
    title = f"{source}: {name}"
    try:
        sources = mutated(kitchen, case)
        put(folder, sources)
        said = kitchen.fails(catcher, folder, sources)
    except (Broken, derive.Unfit, OSError) as error:
        return False, f"{title}: cannot be tried", str(error)
    return bool(said), f"{title}: by {catcher}" if said else f"{title}: not noticed by {catcher}", said


def main():
    global BUILD
    parser = argparse.ArgumentParser(description="Try mutants of the kernel.")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("build", type=pathlib.Path, help="the host's build folder")
    parser.add_argument("words", nargs="*", help="only mutants whose name or source has one of these")
    args = parser.parse_args()
    BUILD = args.build.resolve()
    mutants = [mutant for mutant in table.rows()
               if not args.words or any(word in f"{mutant[0]} {mutant[1]}" for word in args.words)]
    catchers = sorted({mutant[2] for mutant in mutants})
    cases = catchers + mutants
    print(f"1..{len(cases)}", flush=True)
    failed = caught = 0
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        kitchen = Kitchen(catchers, pathlib.Path(temporary))
        results = pool.map(lambda numbered: judge(kitchen, *numbered), enumerate(cases, 1))
        for number, (good, title, remarks) in enumerate(results, 1):
            failed += not good
            caught += good and number > len(catchers)
            print(f"{'ok' if good else 'not ok'} {number} - {title}", flush=True)
            if remarks:
                print("# " + remarks.strip().replace("\n", "\n# "), flush=True)
    print(f"# mutants: {caught} of {len(mutants)} caught")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
