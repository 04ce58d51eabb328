#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of services, by tables that a test makes: a service that crashes time after time is given up and the others
go on, it can be started again, one that waits for another is started after it, a line that is wrong is told.

    services.py BUILD
"""
import argparse
import pathlib
import re
import sys
import tempfile

import qemu
import terminal

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "usr"))
import archive  # noqa: E402

TABLE = """
service looper
    program true
    pages 8 16
    ends 4
    serve tea

service late
    program true
    pages 8 16
    after files
    ends 2

service never
    program true
    pages 8 16
    after looper

service nothing
    pages 8 16
"""


def with_table(boot, text):
    """The boot archive with another table of services: of two files with one name the later one counts."""
    trailer = archive.entry(0, "TRAILER!!!", 0, b"")
    content = pathlib.Path(boot).read_bytes()
    return content[:content.rindex(trailer[:4] + trailer[4:110])] + archive.entry(9999, "services", 0o100644,
                                                                                  text.encode()) + trailer


def looks(build, folder):
    """Boots; yields (good, what)."""
    facts, line = qemu.command_line(build, 2, "128M")
    path = folder / "boot.cpio"
    table = (ROOT / "usr" / "init" / "services").read_text(encoding="utf-8") + TABLE
    path.write_bytes(with_table(facts["archive"], table))
    wrong = table[:table.index("serve tea")].count("\n") + 1
    with terminal.Terminal([str(path) if word == facts["archive"] else word for word in line]) as guest:
        booted = guest.prompt(0)
        told = f"services:{wrong}: no such word; the line is ignored"
        yield told in booted, "a line that is wrong is told by its number"
        shown = wait_for(guest, r"looper +given up")
        said = guest.text.decode()
        yield "given up after 4 crashes in a row" in said, "one that crashes is given up, and init says so"
        yield re.search(r"looper +given up +3 .* exit 0", shown), "with how it ended and how often it was started again"
        late = wait_for(guest, r"late +given up")
        yield re.search(r"late +given up +1 ", late), "one that waits for another comes after"
        yield re.search(r"never +waits +0 ", shown), "one that waits for what is never ready does not start"
        yield re.search(r"nothing +waits", shown) and "cannot start nothing: " in guest.text.decode(), \
            "one whose program is missing is told"
        yield "21     158     743" in guest.command("cat poem.txt | wc"), "the others go on"
        guest.command("restart looper")
        again = wait_for(guest, r"looper +given up +6 ")
        yield again, "it is started again when asked for, and given up again"
        yield "no such" in guest.command("restart tea") or "invalid" in guest.command("restart tea"), \
            "what is no service is refused"


def wait_for(guest, pattern):
    """What `services` shows when it shows this, or at last."""
    shown = ""
    for _ in range(60):
        shown = guest.command("services")
        if re.search(pattern, shown):
            return shown
        guest.command("sleep 100")
    return shown


def main():
    parser = argparse.ArgumentParser(description="Test init with tables of services.")
    parser.add_argument("build")
    args = parser.parse_args()
    number = 0
    with tempfile.TemporaryDirectory() as name:
        try:
            for good, what in looks(args.build, pathlib.Path(name)):
                number += 1
                print(f"{'' if good else 'not '}ok {number} - {what}", flush=True)
        except qemu.GuestError as error:
            number += 1
            print("# " + str(error).replace("\n", "\n# ") + f"\nnot ok {number} - goes on", flush=True)
    print(f"1..{number}")


if __name__ == "__main__":
    main()
