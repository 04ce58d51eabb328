#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count what the whole machine does between two marks of the program, with a plugin of QEMU's (marks.c).

    marks.py [--smp N [--free]] BUILD

On several processors (names ending in _smpN): the instructions of all of them together, from one of the program's calls
to the same one of the next round. The others have nothing to do but what the program's own processes make them do.
QEMU runs them by turns there, in one thread: a turn ends where a processor sleeps or interrupts another one. So the
counts depend on the host but little. They leave out what processors do only because they run at the same time, such as
looking at each other's queues; with --free each has a thread of the host, whose load then decides what happens: for a
person with a quiet machine to look at. Told is what three in four of the program's batches do not exceed: the order in
which the processors come is another in each, and some orders are lucky.

On one processor, with instructions counted, the cache lines of 64 bytes that a warm round touches (lines.c):

    lines_call      a call and its answer: lines_call_data and lines_call_code together; of the data lines,
                    lines_call_written are written
    lines_notify    notify and receive, and the same in the other process
    lines_yield     yield there and back
    lines_move      a call with a page, and its answer with the page

Each of these is the median of many rounds. The marks are right around the calls, so the program's own lines are its one
or two of code on each side. And of whole commands, on one processor too, what one more KiB of text takes:

    gen_wc_kib        of gen 5M | wc, less gen 1M | wc: all instructions of the machine
    gen_upper_wc_kib  the same with upper between the two
"""
import argparse
import pathlib
import re
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import entries  # noqa: E402
import gdb  # noqa: E402
import qemu  # noqa: E402

SILENCE = 120
SERIES = {1: "lines_call", 2: "lines_notify", 3: "lines_yield", 4: "lines_move"}
BY_TURNS = ["-accel", "tcg,thread=single"]
FILTERS = {"gen_wc_kib": "gen {} | wc", "gen_upper_wc_kib": "gen {} | upper | wc"}
TOGETHER = ("call_reply", "notify_roundtrip", "send_receive", "reply_then_receive")


def follow(build, smp, text, words="", extra=()):
    """Run a command under the plugin: (what it printed, [(series, instructions, data, written, code)], all
    instructions)."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plugin, log = entries.build_plugin(folder, "marks"), folder / "log"
        machine = qemu.command_line(build, smp, "128M", "")[0]
        words = f"{plugin},mark={gdb.PROCESSORS[machine['arch']].mark.hex()}{words}"
        extra = ["-plugin", words, "-d", "plugin", "-D", str(log), *extra]
        machine, line, nonce = qemu.commands_line(build, smp, "128M", text, "", extra, tests=True)
        entries.need_plugins(machine)
        with open(folder / "output", "wb") as sink:
            status = qemu.run_commands(machine, line, nonce, sink, SILENCE)
        output = (folder / "output").read_text(errors="replace")
        if status:
            raise qemu.GuestError(f"{text} ended with status {status}:\n{output}")
        said = log.read_text(encoding="ascii")
        marks = re.findall(r"^mark (\d+) (\d+) (\d+) (\d+) (\d+)$", said, re.MULTILINE)
        every = int(re.search(r"^all (\d+)$", said, re.MULTILINE)[1])
        return output, [tuple(map(int, mark)) for mark in marks], every


def batches(output, marks):
    """{name: instructions a round}, by what the program printed of its batches and what was counted of each."""
    found = {}
    for name, *numbers in re.findall(r"^bench-marked (\w+) (\d+) (\d+) (\d+)$", output, re.MULTILINE):
        first, count, rounds = map(int, numbers)
        counts = [mark[1] for mark in marks[first - 1:first + count]]
        if len(counts) != count + 1:
            raise qemu.GuestError(f"of {name} only {len(counts)} of {count + 1} batches were seen")
        empty, _, *warm = counts
        found[name] = round((statistics.quantiles(warm, n=4)[2] - empty) / rounds)
    return found


def together(build, smp, free=False):
    """{name: instructions of all processors together}. NoPlugins, GuestError."""
    output, marks, _ = follow(build, smp, f"bench --marked {' '.join(TOGETHER)}", "", [] if free else BY_TURNS)
    return {f"{name}_smp{smp}": value for name, value in batches(output, marks).items()}


def lines(build):
    """{name: cache lines}. NoPlugins, GuestError."""
    marks = follow(build, 1, "bench --lines", ",lines=on", qemu.ICOUNT)[1]
    found = {}
    for series, name in SERIES.items():
        data, written, code = (statistics.median_low(column) for column in
                               list(zip(*(mark for mark in marks if mark[0] == series)))[2:])
        found |= {name: data + code, f"{name}_data": data, f"{name}_written": written, f"{name}_code": code}
    return found


def filters(build):
    """{name: instructions a KiB}. NoPlugins, GuestError."""
    found = {}
    for name, command in FILTERS.items():
        few, many = (follow(build, 1, command.format(size), "", qemu.ICOUNT)[2] for size in ("1M", "5M"))
        found[name] = round((many - few) / 4096)
    return found


def main():
    parser = argparse.ArgumentParser(description="Count what the whole machine does between two marks.")
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="processors; 1: cache lines, filters")
    parser.add_argument("--free", action="store_true", help="each processor in a thread of its own")
    parser.add_argument("build", help="build folder")
    args = parser.parse_args()
    try:
        counts = lines(args.build) | filters(args.build) if args.smp == 1 else together(args.build, args.smp, args.free)
        for name, value in counts.items():
            print(f"{name} {value}")
    except (entries.NoPlugins, qemu.GuestError) as error:
        sys.exit(f"os2: {error}")


if __name__ == "__main__":
    main()
