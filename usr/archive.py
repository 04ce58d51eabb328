#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a boot archive.

    archive.py OUTPUT FILE...

OUTPUT is a newc cpio archive of the files under their own names, in the order given; the kernel runs the first one,
which is init. The same files give the same bytes: owner, time and inode numbers are fixed.
"""
import os
import sys


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def entry(inode, name, mode, content):
    name = name.encode("ascii") + b"\0"
    fields = [inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    return pad(header + name) + pad(content)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    archive = b""
    for inode, path in enumerate(sys.argv[2:], 1):
        with open(path, "rb") as file:
            archive += entry(inode, os.path.basename(path), 0o100644, file.read())
    archive += entry(0, "TRAILER!!!", 0, b"")
    with open(sys.argv[1], "wb") as output:
        output.write(archive)


if __name__ == "__main__":
    main()
