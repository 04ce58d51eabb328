#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A source of the kernel's with some text replaced, for a host test.

    derive.py INPUT OUTPUT [--from TEXT --until TEXT] [OLD NEW]...

With --from and --until only what is between the first of each, the end not included. Each OLD must be found exactly
once, so that a test cannot go on without the change that it is about. OLD may leave out how the lines are broken: any
white space in it stands for any white space."""
import re
import sys


class Unfit(Exception):
    """What is to be replaced is not there exactly once."""


def replaced(text, old, new):
    pattern = r"\s+".join(re.escape(word) for word in old.split())
    text, count = re.subn(pattern, lambda _: new, text)
    if count != 1:
        raise Unfit(f"found {count} times: {old}")
    return text


def main():
    source, output, *rest = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    if rest[:1] == ["--from"]:
        start = text.index(rest[1])
        text = text[start : text.index(rest[3], start)]
        rest = rest[4:]
    for old, new in zip(rest[::2], rest[1::2]):
        try:
            text = replaced(text, old, new)
        except Unfit as error:
            sys.exit(f"{source}: {error}")
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
