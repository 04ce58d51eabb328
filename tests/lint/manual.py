#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual, docs/syscalls.md, against the list of calls and against the tests.

    manual.py            check
    manual.py --write    write the manual's table of calls anew from os2/syscalls.h

Every call has one section, a heading of its name alone. The table is the one made from the list. In the sections of the
calls every sentence that promises something ends with its tags in braces; each tag is that of a test in tests/systest/,
and each tag of a test stands in the manual. {by NAME} names a test elsewhere, of those in ELSEWHERE, and {-} says that
no test can show it.

docs/security.md names tests too: by such tags, by functions (test_..., case_...), and behind the word sched by titles.
Each must be there.
"""
import re
import sys

import lint

LIST = "usr/include/os2/syscalls.h"
MANUAL = "docs/syscalls.md"
SECURITY = "docs/security.md"
TESTS = "tests/systest/"
SCHED = "tests/sched/"
START = "<!-- table: written by tests/lint/manual.py --write -->\n"
END = "<!-- end of table -->\n"
CALL = re.compile(r"X\((\d+), (\w+), \"([^\"]*)\"\)")
TAGS = re.compile(r"\{([a-z0-9-]+(?:,\s+[a-z0-9-]+)*)\}")
TEST = re.compile(r"\{\s*\"([a-z0-9 -]+)\",\s*\"[^\"]*\",\s*\w+\}")
FUNCTION = re.compile(r"\b(?:test|case)_\w+")
TITLES = re.compile(r"\bsched ((?:\"[^\"]+\"(?:, )?)+)")
BY = re.compile(r"\{by ([a-z]+)\}")
# What is held elsewhere: the file, and what must stand there.
ELSEWHERE = {
    "block": ("tests/unit/test_block.c", "assert_int_equal(n, DEVICE_BLOCKS)"),
    "chains": ("tests/chains.py", "the console is the firmware's"),
    "disk": ("tests/disk.py", "has no interrupt"),
    "ends": ("tests/qemu.py", "exit_code_seen(machine, output.status) != code"),
    "faults": ("tests/meson.build", "os2.faults"),
    "turns": ("tests/sched/time.c", "a turn that lasts for the watchdog limit ends at the next call"),
    "terminal": ("tests/terminal.py", "by the console service, and no more by the kernel"),
}
EXEMPT = ("In:", "In,", "Out:", "Out,", "No errors", "No arguments", "Errors", "All errors", "The errors")


def security(tree, tested):
    """Tests that docs/security.md names and that are not there."""
    text = " ".join(tree.get(SECURITY, "").split())
    sources = "".join(source for path, source in tree.items() if path.startswith("tests/"))
    titles = "".join(source for path, source in tree.items() if path.startswith(SCHED))
    for tags in TAGS.findall(text):
        for tag in set(re.split(r",\s+", tags)) - tested:
            yield f"{SECURITY}: {{{tag}}} is the tag of no test"
    for function in sorted(set(FUNCTION.findall(text))):
        if f"{function}(" not in sources:
            yield f"{SECURITY}: there is no {function}()"
    for title in re.findall(r'"([^"]+)"', " ".join(TITLES.findall(text))):
        if f'"{title}"' not in titles:
            yield f"{SECURITY}: no test of schedtest is called: {title}"


def table(calls):
    rows = [f"| {number} | [`{name}`](#{name}) | {summary} |" for number, name, summary in calls]
    return "\n".join(["| number | call | what it does |", "|---|---|---|", *rows]) + "\n"


def paragraphs(text):
    """Paragraphs and list items, each in one line."""
    for piece in re.split(r"\n\s*\n|\n(?=- )", text):
        yield " ".join(piece.split())


def sections(manual):
    parts = re.split(r"^#{2,4} `?([a-z][a-z_]*)`?\s*$", manual, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


def check(tree):
    manual = tree[MANUAL]
    calls = CALL.findall(tree[LIST])
    named = [name for name, _ in sections(manual)]
    complaints = [f"{MANUAL}: no section for {name}" for _, name, _ in calls if name not in named]
    complaints += [f"{MANUAL}: two sections for {name}" for _, name, _ in calls if named.count(name) > 1]
    if len(calls) < 2:
        complaints.append(f"{LIST}: no list of calls found")
    if START + table(calls) + END not in manual:
        complaints.append(f"{MANUAL}: the table is not that of {LIST}; run tests/lint/manual.py --write")

    for name, text in sections(manual):
        for sentence in paragraphs(text):
            if sentence and not sentence.startswith(EXEMPT) and not sentence.endswith("}"):
                complaints.append(f"{MANUAL}: {name}: no tag behind: {sentence}")
    told = {tag for tags in TAGS.findall(manual) for tag in re.split(r",\s+", tags)} - {"-"}
    tested = {tag for path, text in tree.items() if path.startswith(TESTS) and path.endswith(".c")
              for tags in TEST.findall(text) for tag in tags.split()}
    complaints += [f"{MANUAL}: {{{tag}}} is the tag of no test" for tag in sorted(told - tested)]
    complaints += [f"{TESTS}: [{tag}] is no promise of {MANUAL}" for tag in sorted(tested - told)]
    complaints += security(tree, tested)
    for name in sorted(set(BY.findall(manual))):
        path, text = ELSEWHERE.get(name, ("", ""))
        if text not in tree.get(path, "") or not path:
            complaints.append(f"{MANUAL}: {{by {name}}} is no test elsewhere")
    return complaints


def write():
    path = lint.ROOT / MANUAL
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(START)
    calls = CALL.findall((lint.ROOT / LIST).read_text(encoding="utf-8"))
    path.write_text(before + START + table(calls) + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
        sys.exit()
    TWO = 'X(0, exit, "end")\nX(1, yield, "stop")\n'
    GOOD = "# Calls\n" + START + table(CALL.findall(TWO)) + END
    GOOD += "### exit\n\nIt ends. {a}\n\nIn: nothing.\n\n### `yield`\n\n- It stops. {b,\n  c}\n- Odd. {-}\n"
    GOOD += "- Ends. {by ends}\n"
    SUITE = TESTS + "a.c"
    ALL = '    {"a b", "text", run},\n    {"c", "text", run},\n'

    SAFE = 'Shown by {a, c}; test_it, and\nsched "one", "two"; "three".\n'

    def sample(manual=GOOD, calls=TWO, tests=ALL, elsewhere=ELSEWHERE["ends"][1], safe=SAFE):
        return {LIST: calls, MANUAL: manual, SUITE: tests, ELSEWHERE["ends"][0]: elsewhere, SECURITY: safe,
                "tests/unit/a.c": "void test_it(void)", SCHED + "a.c": '{"one", run}, {"two", run}'}

    tree = lint.tree
    pages = {page: (lint.ROOT / page).read_text(encoding="utf-8") for page in (MANUAL, SECURITY)}
    lint.tree = lambda: {**tree(), **pages}
    lint.run(
        check,
        sample(),
        [
            (sample(GOOD.replace("### `yield`", "### `stay`")), "no section for yield"),
            (sample(GOOD + "### yield\n"), "two sections for yield"),
            (sample(calls=""), "no list of calls"),
            (sample(GOOD.replace("| stop |", "| go |")), "the table is not"),
            (sample(GOOD.replace("It ends. {a}", "It ends. {a}\n\nIt never returns.")), "no tag behind: It never"),
            (sample(GOOD.replace("- Odd. {-}", "- Odd.")), "no tag behind: - Odd."),
            (sample(tests=ALL.replace("a b", "a")), "{b} is the tag of no test"),
            (sample(tests=ALL.replace("a b", "a b d")), "[d] is no promise"),
            (sample(elsewhere=""), "{by ends} is no test elsewhere"),
            (sample(GOOD + "- More. {by luck}\n"), "{by luck} is no test elsewhere"),
            (sample(safe=SAFE.replace("a, c", "a, d")), "{d} is the tag of no test"),
            (sample(safe=SAFE.replace("test_it", "test_its")), "there is no test_its()"),
            (sample(safe=SAFE.replace("two", "four")), "no test of schedtest is called: four"),
        ],
    )
