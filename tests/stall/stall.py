#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A processor is taken away for milliseconds at each instruction of the short ways, while programs end each other. TAP.

    stall.py [options] BUILD

The program stalltest runs under a plugin of QEMU's (stall.c). The kernel must live, stalltest must see nothing that the
manual does not promise, and every page must come back. And each instruction of the entry path must have been stalled,
TIMES times, while so many processes ended that whoever the call was about is likely to be among them, and its slot
somebody else's: but for those in RARE, which are listed with how many are left. Of the C functions that the entry path
calls, whatever ran OFTEN must have been stalled so many times; what is under a lock there stops the ends.

stalltest runs until all of that is so, --least seconds at least; --most is how long a machine with much else to do may
need, a hang detector.
"""
import argparse
import bisect
import pathlib
import secrets
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "bench"), str(HERE.parent)]

import elf  # noqa: E402
import entries  # noqa: E402
import qemu  # noqa: E402

TIMES, OFTEN = 1, 5000
SILENCE = 120

# The entry path, from its first label to the one behind it.
PATHS = {"riscv64": ("trap_entry_long", "riscv_clear_optional"), "x86_64": ("x86_syscall", "x86_stub_exceptions")}
CALLED = (
    "light_notify", "notify_slot", "message_pass", "message_pass_undo_call", "message_pass_undo_reply",
    "message_looked_at_late", "loop_doomed",
)
END = "process_unmake"  # runs once at the end of each process, when its slot's object goes

# Parts of it that the work comes to by chance, or never. Each goes from its label to the next one.
RACE = "two processors in one moment"
RARE = {
    "riscv64": {
        "trap_entry_long": "only with os2.noshort",
        "kernel_trap": "only where the kernel is wrong", "halt_trapped": "only where the kernel is wrong",
        "next_doomed": RACE, "receive_missed": RACE, "words_missed": RACE, "reply_missed": RACE, "reply_lost": RACE,
        "call_lost": RACE, "reply_again": RACE, "fp_off": RACE,
    },
    "x86_64": {
        "x86_syscall_long": "only with os2.noshort",
        "next_doomed": RACE, "receive_missed": RACE, "words_missed": RACE, "reply_missed": RACE, "reply_lost": RACE,
        "reply_held": RACE, "reply_held_state": RACE,
    },
}


class Kernel:
    """Where the entry path is, and what its parts are called."""

    def __init__(self, machine):
        self.arch = machine["arch"]
        self.file = file = elf.Elf(machine["symbols"])
        first, last = PATHS[self.arch]
        where = {name: address for address, name in file.labels}
        functions = {name: (begin, end) for begin, end, name in file.functions}
        missing = [name for name in (first, last, END, "light_notify", *RARE[self.arch]) if name not in where]
        if missing:
            raise qemu.GuestError(f"the kernel has no {', '.join(missing)}: this test has to follow it")
        self.path = where[first], where[last]
        self.called = {name: functions[name] for name in CALLED if name in functions}
        self.end = functions[END]
        self.labels = [(address, name) for address, name in file.labels if self.path[0] <= address < self.path[1]]
        self.begins = [address for address, _ in self.labels]

    def names(self):
        """The plugin's lines."""
        yield f"end {self.end[0]:x} {self.end[1]:x} {END}"
        yield f"path {self.path[0]:x} {self.path[1]:x} path"
        for name, (first, end) in self.called.items():
            yield f"called {first:x} {end:x} {name}"

    def part(self, address):
        """The label or function that an address belongs to, and where that begins."""
        for name, (first, end) in self.called.items():
            if first <= address < end:
                return name, first
        first, name = self.labels[bisect.bisect_right(self.labels, (address, "\x7f")) - 1]
        return name, first


class Table:
    """What the plugin has counted."""

    def __init__(self, kernel, path):
        self.kernel = kernel
        self.lines = {}
        if path.exists():
            for line in path.read_text(encoding="ascii").splitlines():
                address, *numbers = line.split()
                self.lines[int(address, 16)] = tuple(int(number) for number in numbers)

    def unstalled(self):
        """(the parts where something that should have been is not, of the rare ones) {name: [texts]}"""
        required, rare = {}, {}
        at, end = self.kernel.path
        while at < end:
            name, first = self.kernel.part(at)
            size, ran, stalls, good = self.lines.get(at, (0, 0, 0, 0))
            # What was never translated: up to whatever was, or has a label.
            after = at + size if size else min(a for a in [*self.lines, *self.kernel.begins, end] if a > at)
            if good < TIMES and not (size == 0 and padding(self.kernel.file, at, after)):
                into = rare if name in RARE[self.kernel.arch] else required
                into.setdefault(name, []).append(f"+{at - first} ran {ran}, {good} of {stalls} stalls good")
            at = after if after in self.lines or not size else self.behind(at, after)
        for address, (_, ran, stalls, _) in self.lines.items():
            name, first = self.kernel.part(address)
            if name in self.kernel.called and ran >= OFTEN and stalls < TIMES:
                required.setdefault(name, []).append(f"+{address - first} ran {ran} stalled {stalls}")
        return required, rare

    def behind(self, at, after):
        """The instruction behind the one at `at`; QEMU tells too few bytes of one that crosses the end of a page."""
        known = min((a for a in self.lines if a >= after), default=after)
        return known if known - at < 16 and known >> 12 != at >> 12 else after

    def called_nothing(self):
        """The C functions of which nothing ran."""
        ran = {self.kernel.part(address)[0] for address, line in self.lines.items() if line[1]}
        return [name for name in self.kernel.called if name not in ran]

    def sums(self):
        """(instructions stalled, stalls, stalls in which enough ended)"""
        return (sum(line[3] > 0 for line in self.lines.values()), sum(line[2] for line in self.lines.values()),
                sum(line[3] for line in self.lines.values()))


def padding(file, at, end):
    """Is what is between a never translated address and the label behind it there only to align that label?"""
    return end - at < 16 and end % 16 == 0 and file.bytes_at(at, 1) in (b"\x90", b"\x66", b"\x0f", b"\x2e")


def work(guest, kernel, path, least, most):
    """Let it run until all has been stalled, or time is up; then let it end."""
    start = time.monotonic()
    asked = False
    while True:
        try:
            if guest.read(1) is False:
                return
            heard = time.monotonic()
        except qemu.GuestError:  # it has nothing to say while it works
            pass
        if qemu.PANIC.search(guest.text) or b"trap in the kernel" in guest.text:
            guest.drain(2)
            raise qemu.GuestError("kernel panic")
        spent = time.monotonic() - start
        if not asked and path.exists() and (spent > most or (spent > least and not Table(kernel, path).unstalled()[0])):
            asked, heard = True, time.monotonic()
            guest.write(b"\r")
        if asked and time.monotonic() - heard > SILENCE:
            raise qemu.GuestError(f"silent for {SILENCE} s after it was told to end")
        if spent > most + SILENCE:
            raise qemu.GuestError("it does not begin")


def report(number, good, text, lines=()):
    print(f"{'' if good else 'not '}ok {number} - {text}")
    for line in lines:
        print(f"#   {line}")
    return good


def main():
    parser = argparse.ArgumentParser(description="Stall processors in the kernel.")
    parser.add_argument("--smp", type=int, default=3)
    parser.add_argument("--least", type=float, default=25, help="seconds")
    parser.add_argument("--most", type=float, default=900, help="seconds")
    parser.add_argument("--keep", type=pathlib.Path, help="where to keep the plugin's table")
    parser.add_argument("build")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        table = args.keep or folder / "table"
        try:
            plugin = entries.build_plugin(folder, "stall", HERE)
            nonce = secrets.token_hex(8)
            extra = ["-plugin", f"{plugin},names={folder / 'names'},table={table}"]
            machine, line = qemu.command_line(args.build, args.smp, "128M", f"os2.start=stalltest os2.nonce={nonce}",
                                              extra, tests=True)
            entries.need_plugins(machine)
        except entries.NoPlugins as error:
            print(f"1..0 # SKIP {error}")
            return 0
        print("1..3", flush=True)
        table.unlink(missing_ok=True)
        begun = time.monotonic()
        with qemu.Guest(line) as guest:
            try:
                kernel = Kernel(machine)
                (folder / "names").write_text("\n".join(kernel.names()), encoding="ascii")
                work(guest, kernel, table, args.least, args.most)
                code = qemu.exit_code(machine, guest.wait(30))
            except qemu.GuestError as error:
                print(guest.comment())
                print(f"Bail out! {error}")
                return 1
        print(f"# {time.monotonic() - begun:.0f} s")
        text = guest.text.decode(errors="replace")
        good = report(1, f"os2: exit {nonce} 0\n" in text and code == 0, "the machine lives, and its end is told")
        good &= report(2, "\nok 1 " in text and "\nok 2 " in text and "\nok 3 " in text and "\nnot ok" not in text,
                       "programs see what the manual promises")
        print(guest.comment() if not good else f"# {text[text.find('ok 2 -'):].splitlines()[0]}")
        found = Table(kernel, table)
        required, rare = found.unstalled()
        for label, why in RARE[kernel.arch].items():
            print(f"# {label} ({why}): {len(rare[label])} instructions are left" if label in rare else
                  f"# {label} ({why}): stalled all the same")
        for name in found.called_nothing():
            print(f"# {name}() never ran")
        count, stalls, ends = found.sums()
        good &= report(3, not required,
                       f"{count} instructions stalled, in {stalls} stalls, of which {ends} outlasted several processes",
                       [f"{name}: {len(texts)} were not, the first: {texts[0]}" for name, texts in required.items()])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
