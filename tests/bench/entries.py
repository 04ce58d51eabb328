#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Find the longest entry into the kernel of each system call, in instructions, on the kernel that `./os2 run` boots.

    entries.py [--smp N] [--work COMMANDS] BUILD

The system-call suite and `crash all` run on one processor under a plugin of QEMU's (entries.c) that follows every
block of instructions; so what is counted is the kernel as it is, not one built to be counted. Clearing of memory, at
most 2 MiB an entry, is counted apart. Beside the calls there are the steps of an end, and interrupts. Calls that the
entry path completes by itself appear only where they went the long way.

And there is `stretch`, the most that the kernel runs between two instructions of programs while somebody is ready, by
however many entries; tests/systest/hostile.c is there for it.

On several processors each is followed by itself, and the scheduler's suite runs too. QEMU does not count instructions
for the machine's clock there, so what happens when is up to the host, and the longest of what was seen differs from run
to run; the bound is the same. A loop in which one processor waits for another (a lock) goes round as often as the host
lets it, so its instructions are counted apart, as `spin`, which has no bound in instructions but one in holds of the
lock (mm/lock.h).

bench.py takes its counts max_entry_* from here, and fails where one is above LIMIT.
"""
import argparse
import pathlib
import secrets
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import elf  # noqa: E402
import gdb  # noqa: E402
import qemu  # noqa: E402

PREFIXES = ("sys_", "light_")
OTHERS = {
    "message_receive": "receive", "message_send": "send", "message_reply": "reply",
    "message_reply_receive": "reply_receive",
    "end_step": "end_step", "timer_arrived": "timer", "ipi_arrived": "ipi", "irq_arrived": "irq",
}
PARTS = {
    "arch_idle_look": "idle",
    "arch_idle": "rest", "breath_rest": "rest", "magazine_clear_ahead": "rest",
    "riscv_trap": "trap", "x86_trap": "trap",
    "arch_interrupts_hold": "hold",
    "riscv_enter": "begin", "x86_enter": "begin",
    "memory_clear": "clear",
}
# RISC-V's firmware, which the kernel calls; on x86_64 nothing is run there.
FIRMWARE = (0x80000000, 0x80200000)
SUITE = "systest"  # instead of the shell, which has no right to hand it the machine
SCHEDULER = "schedtest"
WORK = "crash all"
SILENCE = 300
LIMIT = 20000


class NoPlugins(Exception):
    """This QEMU has none, or there is no compiler for them."""


def names(functions):
    """The plugin's lines for the kernel's functions."""
    yield f"firmware {FIRMWARE[0]:x} {FIRMWARE[1]:x} firmware"
    for first, end, name in functions:
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
        kind = name[len(prefix):] if prefix else OTHERS.get(name)
        if kind:
            yield f"kind {first:x} {end:x} {kind}"
        elif name in PARTS:
            yield f"{PARTS[name]} {first:x} {end:x} {name}"


def build_plugin(folder, name, source=HERE):
    """The plugin `name`.c of the folder `source`, built into `folder`."""
    compiler = shutil.which("cc")
    if not compiler:
        raise NoPlugins("there is no C compiler for QEMU's plugin")
    plugin = folder / f"{name}.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", f"-I{HERE}", "-o", plugin, source / f"{name}.c"],
                   check=True)
    return plugin


def need_plugins(machine):
    help_text = subprocess.run([machine["qemu"], "-help"], capture_output=True, text=True, check=True).stdout
    if "-plugin" not in help_text:
        raise NoPlugins(f"{machine['qemu']} has no plugins")


def run_one(build, smp, memory, plugin, folder, append, nonce):
    """Boot with these arguments under the plugin: the lines it logs. GuestError."""
    log = folder / "log"
    machine, _ = qemu.command_line(build, smp, memory)
    words = f"{plugin},names={folder / 'names'}"
    if smp > 1:
        words += f",relax={gdb.PROCESSORS[machine['arch']].relax.hex()}"
    extra = ["-plugin", words, "-d", "plugin", "-D", str(log)] + (qemu.ICOUNT if smp == 1 else [])
    machine, line = qemu.command_line(build, smp, memory, f"{append} os2.nonce={nonce}", extra, tests=True)
    (folder / "names").write_text("\n".join(names(elf.Elf(machine["symbols"]).functions)), encoding="ascii")
    need_plugins(machine)
    with open(folder / "output", "wb") as sink:
        status = qemu.run_commands(machine, line, nonce, sink, SILENCE)
    if status and smp == 1:  # on several, time is the host's and the plugin's; the suites are judged by other tests
        said = (folder / "output").read_text(errors="replace").splitlines()
        bad = [text for text in said if text.startswith("not ok")]
        raise qemu.GuestError("\n".join([f"the work ended with status {status}", *bad]))
    return log.read_text(encoding="ascii").splitlines()


def longest(build, smp=1, work=WORK, memory="128M"):
    """{kind: (instructions, of them clearing)} of the longest entries. NoPlugins, GuestError."""
    found = {}
    suites = [SUITE] if smp == 1 else [SUITE, SCHEDULER]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plugin = build_plugin(folder, "entries")
        for append in (*(f"os2.start={suite}" for suite in suites), f"os2.run={work.encode().hex()}"):
            for text in run_one(build, smp, memory, plugin, folder, append, secrets.token_hex(8)):
                _, kind, length, clearing = text.split()
                found[kind] = max(found.get(kind, (0, 0)), (int(length), int(clearing)))
    return found


def longest_of_several(build, smp):
    """{count: instructions}: the longest entry of all kinds, and the longest stretch. Spinning comes as `spin`."""
    found = longest(build, smp)
    stretch, (spin, _) = found.pop("stretch")[0], found.pop("spin")
    return {f"max_entry_smp{smp}": max(length for length, _ in found.values()), f"max_entry_stretch_smp{smp}": stretch,
            "spin": spin}


def main():
    parser = argparse.ArgumentParser(description="Find the longest entries into the kernel.")
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="processors")
    parser.add_argument("--work", default=WORK, help="shell commands to run")
    parser.add_argument("build", help="build folder")
    args = parser.parse_args()
    try:
        found = longest(args.build, args.smp, args.work)
    except (NoPlugins, qemu.GuestError) as error:
        sys.exit(f"os2: {error}")
    for kind, (length, clearing) in sorted(found.items(), key=lambda item: -item[1][0]):
        print(f"{length:8} {kind}" + (f" and {clearing} of clearing" if clearing else ""))


if __name__ == "__main__":
    main()
