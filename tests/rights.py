#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who holds which right at boot: the table of docs/services.md against what `services` says on the running system.

    rights.py BUILD
"""
import argparse
import io
import pathlib
import re
import sys

import qemu

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "services.md"
ROW = re.compile(r"^\| (\w+) \| ([\w ]*?) ?\|", re.MULTILINE)
LINE = re.compile(r"^ *\d+ (\w+) +(?:runs|ready) +\d+ +\d+\.\d s +\d+K  -  *((?:\w+ ?)*)$", re.MULTILINE)


def rights(pattern, text):
    return {name: set(words.split()) for name, words in pattern.findall(text) if name != "service"}


def main():
    parser = argparse.ArgumentParser(description="Compare docs/services.md with the running system.")
    parser.add_argument("build")
    args = parser.parse_args()
    machine, line, nonce = qemu.commands_line(args.build, 1, "128M", "services")
    output = io.BytesIO()
    try:
        status = qemu.run_commands(machine, line, nonce, output, 180)
    except qemu.GuestError as error:
        sys.exit(f"rights.py: {error}")
    shown = output.getvalue().decode()
    page, system = rights(ROW, PAGE.read_text(encoding="utf-8")), rights(LINE, shown)
    print("1..1\n# " + shown.replace("\n", "\n# "))
    good = status == 0 and page == system and len(system) > 3
    print(f"{'' if good else 'not '}ok 1 - the page says what is so {'' if good else (page, system)}")


if __name__ == "__main__":
    main()
