#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Count what the system's operations cost, on the kernel that `./os2 run` boots.

    bench.py [--json FILE] [--check] [-n] BUILD

QEMU boots the image on one processor with -icount, so that every figure is a number of guest instructions, the same on
any host; the program `bench`, run by the shell, counts in user mode (program/bench.c says what). What needs more than
128 MiB is counted on a machine of 10 GiB, of which QEMU gets only what is touched: 1 GiB. Counted here, and not by
the program, are

    boot_instructions   from the kernel's first instruction to init's first, 128 MiB (boot.py); boot_1g, boot_4g
    atomics_per_call    atomic instructions in one round of call_reply (follow.py, which also shows where the rest go)
    max_entry_CALL      the longest entry into the kernel by that call while the system-call suite runs, clearing aside
                        (entries.py); of these only the limit is checked. max_entry_stretch: between two instructions
                        of programs; ..._smpN: on several processors, max_entry_smpN being the longest entry of any kind
    steal, call_pull    what takes two processors, counted on each by itself (several.py)
    ..._smp2, ..._smp4  the instructions of all of so many processors together, the others idle (marks.py)
    lines_...           cache lines touched by one round (marks.py)
    ..._kib             instructions of a pipeline for one more KiB of text (marks.py)
    ..._noasid          the same count of a machine that boots with os2.noasid, as boards without ASIDs are. QEMU's
                        x86_64 has no PCIDs, so there each count is of such a machine already
    kernel_text_data    bytes of code, constants and initialised data in the kernel's ELF file; resident_bytes: without
                        what only boot needs, whose pages go to the heap (arch/boot.lds)
    meta_overhead_ppm   how the kernel's frames grow with the RAM: between machines of 6 and 10 GiB, which have the same
                        process slots, so that what grows is the frame descriptors

The counter is instret on RISC-V and the time-stamp counter on x86_64, which QEMU derives from the instructions it has
run: one nanosecond, and one tick, each. Every round of a repeated string instruction counts as one. The kernel's own
clock is the same counter there, so what waits for a time takes as long as on any machine.

goals.json has the goals and the peers' figures; the peers were measured on the same emulator in the same way. --check
compares with the committed table, ARCH.json beside this file, and fails where a count is more than 3 % worse, or 25 %
where several processors took part, or is missing. `./os2 bench --json tests/bench/ARCH.json` renews the table.
"""
import argparse
import concurrent.futures
import io
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import boot  # noqa: E402
import elf  # noqa: E402
import entries  # noqa: E402
import follow  # noqa: E402
import gdb  # noqa: E402
import marks  # noqa: E402
import qemu  # noqa: E402
import several  # noqa: E402

TOLERANCE = 0.03
TOLERANCE_SEVERAL = 0.25
SILENCE = 120
# Memory, and what is counted there: everything that fits, what is too large for that, and the frames once more.
LARGE = "move_64m move_order17 move_1g move_scattered exit_100k_gap spawn_exit_4096 frames"
RUNS = (("128M", ""), ("10G", LARGE), ("6G", "frames"))
SEVERAL = (2, 4)  # processors, for the entries and stretches, and for what all of them run
NO_ASIDS = ("null_call", "poll_empty", "call_reply", "call_deadline", "notify_roundtrip", "reply_then_receive",
            "send_receive", "yield_switch", "move_4k", "move_2m", "block_alloc_free", "spawn_exit")
FILES = "read_4k read_2m write_4k open_file stat_file"
# What waits for a device does so in the host's time, and the processor has other work meanwhile: no two runs agree.
WAITING = ("read_4k_disk", "read_2m", "write_4k", "irq_to_driver")
FACTS = ("frames_slots", "frames_ram", "frames_kernel")


class Run:
    """One run of the program: its counts, and what it said of them."""

    def __init__(self, build, memory, names, append="", disk=""):
        # A disk answers in the host's time: who waits for it waits, or each deadline would pass at once.
        extra = ["-icount", "shift=0"] if disk else qemu.ICOUNT
        extra = extra + (qemu.large_memory(memory) if memory != "128M" else [])
        self.machine, self.line, self.nonce = qemu.commands_line(build, 1, memory, f"bench {names}".strip(), append,
                                                                  extra, tests=True, disk=disk)
        self.counts, self.notes, self.spreads, self.skipped = {}, {}, {}, {}

    def go(self):
        sink = io.BytesIO()
        status = qemu.run_commands(self.machine, self.line, self.nonce, sink, SILENCE)
        self.read(sink.getvalue().decode(errors="replace"))
        if status:
            raise qemu.GuestError(f"bench ended with status {status}")

    def read(self, text):
        """What the program printed; anything else goes to stderr."""
        for line in text.splitlines():
            if match := re.fullmatch(r"bench (\w+) (\d+)", line):
                self.counts[match[1]] = int(match[2])
            elif match := re.fullmatch(r"bench-(note|spread|skip) (\w+) (.*)", line):
                {"note": self.notes, "spread": self.spreads, "skip": self.skipped}[match[1]][match[2]] = match[3]
            else:
                print(line, file=sys.stderr)

    def rename(self, suffix):
        self.counts, self.notes, self.spreads, self.skipped = (
            {name + suffix: value for name, value in facts.items()}
            for facts in (self.counts, self.notes, self.spreads, self.skipped))

    def add(self, other):
        """What another run could count and this one could not."""
        new = [name for name in other.counts if name not in self.counts]
        for name in new:
            self.skipped.pop(name, None)
        for mine, others in ((self.counts, other.counts), (self.notes, other.notes), (self.spreads, other.spreads)):
            mine.update({name: others[name] for name in new if name in others})


def measure(build, disk):
    """All counts, as one Run. `disk` is an image that the files' counts may write to."""
    runs = [Run(build, memory, names) for memory, names in RUNS]
    files = Run(build, "128M", FILES, disk=disk)
    no_asids = Run(build, "128M", " ".join(NO_ASIDS), "os2.noasid")
    asids = gdb.PROCESSORS[no_asids.machine["arch"]].asids
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(run.go) for run in [*runs, files, *([no_asids] if asids else [])]]
        booted = {memory: pool.submit(boot.count, build, memory) for memory in ("128M", "1G", "4G")}
        followed = pool.submit(follow.atomics, build)
        entered = pool.submit(entries.longest, build)
        together = {smp: pool.submit(entries.longest_of_several, build, smp) for smp in SEVERAL}
        stolen = pool.submit(several.count, build, disk + ".irq")
        lines, filters = pool.submit(marks.lines, build), pool.submit(marks.filters, build)
        whole = {smp: pool.submit(marks.together, build, smp) for smp in SEVERAL}
        for job in jobs:
            job.result()
        facts = [[run.counts.pop(name) for name in FACTS] for run in runs]
        main = runs[0]
        main.add(runs[1])
        main.add(files)
        no_asids.rename("_noasid")
        main.add(no_asids)
        if not asids:
            main.skipped["..._noasid"] = "QEMU's processor has no PCIDs: every count here is without"
        main.counts["atomics_per_call"] = followed.result()
        main.notes["atomics_per_call"] = "read-modify-writes in a round of call_reply, seen one by one"
        for name, memory in (("boot_instructions", "128M"), ("boot_1g", "1G"), ("boot_4g", "4G")):
            main.counts[name] = booted[memory].result()
            main.notes[name] = f"the kernel's first instruction to init's first, {memory}, one processor; least of 3"
    try:
        found = entered.result()
        worst = max(found, key=lambda kind: found[kind][0])
        main.counts.update({f"max_entry_{kind}": length for kind, (length, _) in sorted(found.items())})
        main.notes[f"max_entry_{worst}"] = "the longest of all, while systest and `crash all` run"
        for smp, job in together.items():
            seen = job.result()
            spin = seen.pop("spin")
            main.counts.update(seen)
            main.notes[f"max_entry_stretch_smp{smp}"] = f"spinning on locks, up to the host, aside: at most {spin}"
        main.counts.update(stolen.result())
        main.notes["steal"] = "an idle processor wakes; to the first instruction of the process it stole; 2 processors"
        main.notes["irq_to_driver"] = "an idle processor is interrupted; to the first instruction of the disk's driver"
        main.notes["lines_call"] = "cache lines of 64 bytes of one round, data and code together, as all lines_..."
        for smp, job in whole.items():
            main.counts.update(job.result())
            main.notes[f"call_reply_smp{smp}"] = "all processors together; QEMU runs them by turns, as for all ..._smpN"
        main.counts.update(lines.result() | filters.result())
        main.notes["gen_wc_kib"] = "what 1024 bytes more cost in `gen | wc`, all processes and the kernel"
        main.notes["call_pull"] = "as call_reply, the server having last run on the other one of 2 processors"
    except entries.NoPlugins as error:
        main.skipped |= dict.fromkeys(("max_entry", "steal", "call_pull", "lines_...", "..._kib", "..._smpN"),
                                      str(error))
    main.counts["kernel_text_data"] = elf.Elf(main.machine["symbols"]).text_and_data()
    main.notes["kernel_text_data"] = "bytes of the loaded sections: code, constants, initialised data"
    main.counts["resident_bytes"] = elf.Elf(main.machine["symbols"]).text_and_data(without=".boot")
    main.notes["resident_bytes"] = "the same without what goes to the heap when boot is over"
    (large_slots, large_ram, large_kernel), (small_slots, small_ram, small_kernel) = facts[1:]
    if large_slots == small_slots:
        grown = (large_kernel - small_kernel) * 1000000
        main.counts["meta_overhead_ppm"] = round(grown / (large_ram - small_ram))
        main.notes["meta_overhead_ppm"] = "the kernel's frames per million frames of RAM, between 6 and 10 GiB"
    else:
        main.skipped["meta_overhead_ppm"] = "machines of 6 and 10 GiB differ in more than frame descriptors"
    return main


def table(run, goals, arch, known):
    """The lines of the table."""
    def number(value):
        return "" if value is None else f"{value:,}".replace(",", " ")

    rows = [("", "count", "goal", "", "seL4", "Linux", "committed")]
    for name in [*goals, *(name for name in run.counts if name not in goals)]:
        facts = goals.get(name, {})
        count = run.counts.get(name)
        goal, sel4, linux = (facts.get(key, {}).get(arch) for key in ("goal", "sel4", "linux"))
        verdict = "" if count is None or goal is None else "met" if count <= goal else "missed"
        shown = "not measured" if count is None else number(count) + (" " + facts["unit"] if "unit" in facts else "")
        rows.append((name, shown, number(goal), verdict, number(sel4), number(linux), number(known.get(name))))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if i in (0, 3) else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def explanations(run):
    yield "How each was counted, and what was subtracted:"
    for name, note in run.notes.items():
        yield f"    {name}: {note}"
    for name, why in run.skipped.items():
        yield f"    {name}: not measured: {why}"
    for name, spread in run.spreads.items():
        yield f"    {name}: DOUBTFUL: between {spread.replace(' ', ' and ')} in the batches of the run"


def compare(counts, known):
    """(failures, remarks): counts against the committed table."""
    failures, remarks = [], []
    for name, after in counts.items():
        if name.startswith("max_entry_") and after > entries.LIMIT:
            failures.append(f"{name}: {after}, more than {entries.LIMIT}")
    for name, before in known.items():
        after = counts.get(name)
        if name.startswith("max_entry_") or name in WAITING:
            continue
        tolerance = TOLERANCE_SEVERAL if re.search(r"_smp\d$", name) else TOLERANCE
        if after is None:
            failures.append(f"{name}: not measured, the table has {before}")
        elif after > before * (1 + tolerance) and after > before + 1:
            percent = 100 * (after / max(before, 1) - 1)
            failures.append(f"{name}: {after}, the table has {before}: worse by {percent:.1f} %")
        elif after < before * (1 - tolerance) and after < before - 1:
            remarks.append(f"{name}: {after}, the table has {before}: better; renew the table")
    remarks += [f"{name}: not in the table; renew it" for name in counts if name not in known and name not in WAITING]
    return failures, remarks


def main():
    parser = argparse.ArgumentParser(description="Count instructions.")
    parser.add_argument("--json", metavar="FILE", help="write the counts as one flat JSON object")
    parser.add_argument("--check", action="store_true", help="compare with the committed table")
    parser.add_argument("-n", "--dry-run", action="store_true", help="print the commands, run nothing")
    parser.add_argument("build", help="build folder")
    args = parser.parse_args()
    if args.dry_run:
        for memory, names in RUNS:
            print(shlex.join(Run(args.build, memory, names).line))
        return print(shlex.join(gdb.command_line(args.build)[1]))
    try:
        with tempfile.TemporaryDirectory() as folder:
            image = pathlib.Path(folder) / "disk.img"
            subprocess.run([sys.executable, HERE.parent.parent / "cross" / "disk.py", "make", image, "--size", "512M"],
                           check=True)
            shutil.copyfile(image, f"{image}.irq")
            run = measure(args.build, str(image))
    except qemu.GuestError as error:
        sys.exit(f"os2: {error}")
    arch = run.machine["arch"]
    goals = json.loads((HERE / "goals.json").read_text(encoding="utf-8"))
    committed = HERE / f"{arch}.json"
    known = json.loads(committed.read_text(encoding="utf-8")) if committed.exists() else {}
    print("\n".join([*table(run, goals, arch, known), "", *explanations(run)]))
    if args.json:
        text = json.dumps({name: count for name, count in run.counts.items() if name not in WAITING}, indent=4)
        pathlib.Path(args.json).write_text(text + "\n", encoding="utf-8")
    if args.check:
        failures, remarks = compare(run.counts, known)
        print("\n".join(["", *remarks, *(f"FAILED {text}" for text in failures)]))
        print(f"{len(known) - len(failures)} counts within {TOLERANCE:.0%} of the table or better, {len(failures)} not")
        sys.exit(1 if failures or not known else 0)


if __name__ == "__main__":
    main()
