#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot OS2 in QEMU: for a person, for one command line, or for a test.

    qemu.py [options] BUILD shell             a terminal
    qemu.py [options] BUILD command TEXT      run shell commands; their output and exit status
    qemu.py [options] BUILD tap [PROGRAM]     run a program that prints TAP; made fit for meson's protocol 'tap'
    qemu.py [options] BUILD boots N           boot N times, each time up to the prompt
    qemu.py [options] BUILD debug             wait for gdb

BUILD is a meson build folder for a machine; its machine.json says how QEMU stands in for that machine. Or a file like
it: machine-offer.json, for the kernel with another run queue.

How a run is known to be good: the guest ends QEMU through a test device, whose code is QEMU's exit status, and init
prints `os2: exit NONCE STATUS`, with a nonce from the boot arguments, which no program can guess. Both must agree. Time
limits only detect a hang: they are silence limits, far above what a slow machine needs, and what the host withholds
from QEMU does not count.
"""
import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import re
import secrets
import select
import shlex
import signal
import subprocess
import sys
import time

import layout

PROMPT = b"os2> "
PANIC = re.compile(rb"^kernel panic", re.MULTILINE)
LOG_LINE = re.compile(rb"\[( *\d+\.\d+[^\]\n]*|log: [^\]\n]*)\]")  # "[  1.000002 core0] text", "[log: 9 bytes lost]"
LOG_LINE_START = re.compile(rb"\[( *|( *\d+(\.(\d+[^\]\n]*)?)?)|l(o(g(:( [^\]\n]*)?)?)?)?)")
ARGUMENTS_MAX = 1023  # struct os2_boot
PR_SET_PDEATHSIG = 1
BRIEF_SECONDS = 1  # most is read within that: for longer waits the host is asked what it did meanwhile


class GuestError(Exception):
    """The guest did not do what it should; the text says what."""


# An instruction is a nanosecond, for the clock chip too; who waits does not wait.
ICOUNT = ["-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]


def large_memory(size):
    """QEMU's arguments for so much RAM that the host need not have."""
    return ["-machine", "memory-backend=ram", "-object", f"memory-backend-ram,id=ram,size={size},reserve=off"]


def device_arguments(machine, line, disk):
    """QEMU's arguments for the devices that have drivers: a source of random bytes always, where this machine of QEMU's
    can have one, and a disk from a raw image."""
    kind = [after for word, after in zip(line, line[1:]) if word == "-M"][-1].split(",")[0]
    words = {name: words.split() for name, _, words in (entry.partition(": ") for entry in machine["devices"] if entry)}
    if disk and f"{kind} disk" not in words:
        raise GuestError(f"no disk is known for the machine {kind!r}")
    found = words.get(f"{kind} random", [])
    if disk:
        wanted = [word.replace("@DISK@", disk) for word in words[f"{kind} disk"]]
        drive = ["-drive", f"if=none,id=disk,format=raw,file={disk}"] if wanted == words[f"{kind} disk"] else []
        found = [*found, *drive, *wanted]
    return found


def command_line(build, smp, memory, append="", extra=(), boot="", tests=False, disk="", **other):
    """QEMU's command line: the same for a person, a test and gdb. `boot` is one of the machine's other ways to boot;
    `tests`: the boot archive has the test programs too; `disk` is a raw image; `other` replaces facts of the
    machine."""
    facts = pathlib.Path(build)
    facts = facts / "machine.json" if facts.is_dir() else facts
    machine = json.loads(facts.read_text(encoding="utf-8"))
    machine |= ({"archive": machine["test_archive"]} if tests else {}) | other
    given = layout.memory_bytes(memory)
    least = machine["least"] + (max(smp - 2, 0) + 3) // 4  # what the kernel keeps for four cores is below 1 MiB
    if given is not None and given < least * layout.MIB:
        raise GuestError(f"{memory} of memory is too little: with {smp} cores {least}M is the least that works")
    boots = {name: words.split() for name, _, words in (entry.partition(": ") for entry in machine["boots"] if entry)}
    if boot and boot not in boots:
        known = f"but by: {' '.join(boots)}" if boots else "nor in any other way than QEMU's own"
        raise GuestError(f"this machine does not boot by {boot!r}, {known}")
    line = [machine["qemu"], "-smp", str(smp), "-m", memory]
    line += [argument for argument in machine["arguments"] if argument]
    line += boots.get(boot, ["-M", machine["machine"]])  # the last of two words for the same thing holds
    line += ["-nographic"]
    for serial in machine.get("serials", ["mon:stdio"]):
        line += ["-serial", serial]
    line += ["-no-reboot"]
    line += device_arguments(machine, [*line, *extra], disk)
    if "@IMAGE@" in line:
        if append:
            raise GuestError("the boot arguments are in the image")
        return machine, [machine["image"] if word == "@IMAGE@" else word for word in line] + list(extra)
    line += ["-kernel", machine["kernel"]]
    if machine["archive"]:
        line += layout.archive_arguments(machine, line, facts.parent, given) or ["-initrd", machine["archive"]]
    append = f"{machine['append']} {append}".strip()
    if append:
        if len(append) > ARGUMENTS_MAX:
            raise GuestError(f"boot arguments are {len(append)} bytes, more than the {ARGUMENTS_MAX} that fit")
        line += ["-append", append]
    return machine, line + list(extra)


def exit_code(machine, status):
    """The code the guest gave, from QEMU's exit status, as far as that tells it; None if QEMU ended otherwise."""
    if machine["exit"] == "debug_exit":
        return status >> 1 if status & 1 else None
    return status if status >= 0 else None


def exit_code_seen(machine, code):
    """What exit_code() gives for a guest's code: isa-debug-exit shifts it left, and a status has 8 bits."""
    return code & 0x7F if machine["exit"] == "debug_exit" else code


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def withheld(process):
    """For how many seconds the host had something else to do while QEMU wanted to go on: of its threads, the one that
    waited longest. 0 where the host does not count this."""
    longest = 0
    for path in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # the thread has ended
            longest = max(longest, int(path.read_text(encoding="ascii").split()[1]))
    return longest / 1e9


class Limit:
    """A time after which a guest hangs. What the host withheld from QEMU does not count, so that a limit that is long
    on a quiet host is so on any."""

    def __init__(self, process, seconds):
        self.process, self.end, self.withheld = process, time.monotonic() + seconds, withheld(process)

    def left(self):
        """Seconds; 0: it is over."""
        if time.monotonic() >= self.end:
            before, self.withheld = self.withheld, max(self.withheld, withheld(self.process))
            self.end += self.withheld - before
        return max(0, self.end - time.monotonic())


class Guest:
    """A running QEMU whose console is a pair of pipes, or a terminal if `terminal` is a slave's descriptor.
    `descriptors` are those it gets besides."""

    def __init__(self, line, terminal=None, descriptors=()):
        stdin, stdout = (subprocess.PIPE, subprocess.PIPE) if terminal is None else (terminal, terminal)
        self.process = subprocess.Popen(line, stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT,
                                        start_new_session=True, preexec_fn=die_with_parent, pass_fds=descriptors)
        self.input = self.process.stdin.fileno() if terminal is None else None
        self.output = self.process.stdout.fileno() if terminal is None else None
        self.text = b""  # all that came, without carriage returns: how many there are depends on the terminal
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def read(self, seconds):
        """New bytes, waiting up to `seconds` for the first. False at the end; GuestError after silence."""
        if self.ended:
            return False
        if not self.comes(seconds):
            raise GuestError(f"silent for {seconds:g} s")
        try:
            got = os.read(self.output, 65536)
        except OSError:  # how a terminal says that its other side has closed
            got = b""
        self.ended = got == b""
        got = got.replace(b"\r", b"")
        self.text += got
        return False if self.ended else got

    def comes(self, seconds):
        """Waits for something to read; for ever, if `seconds` is None."""
        if select.select([self.output], [], [], seconds and min(seconds, BRIEF_SECONDS))[0]:
            return True
        limit = Limit(self.process.pid, max(0, seconds - BRIEF_SECONDS))
        while left := limit.left():
            if select.select([self.output], [], [], left)[0]:
                return True
        return False

    def write(self, data):
        os.write(self.input, data)

    def expect(self, text, seconds, start=0):
        """Read until `text` stands in the console's output from `start` on; returns the offset behind it."""
        limit = Limit(self.process.pid, seconds)
        while text not in self.text[start:]:
            if PANIC.search(self.text):
                self.drain(1)
                raise GuestError("kernel panic")
            left = limit.left()
            if not left or (select.select([self.output], [], [], left)[0] and self.read(left) is False):
                raise GuestError(f"{'ended' if self.ended else f'{seconds:g} s'} without {text!r}")
        return self.text.index(text, start) + len(text)

    def drain(self, seconds):
        """Read what comes in the next seconds."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0 and select.select([self.output], [], [], left)[0]:
            if self.read(left) is False:
                break

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise GuestError(f"QEMU still runs {seconds:g} s after its console closed") from None

    def kill(self):
        """End QEMU and all it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def tail(self, lines=25):
        return b"\n".join(self.text.split(b"\n")[-lines:]).decode(errors="replace")

    def comment(self):
        """The last lines of the console, as a comment for TAP."""
        return "# " + self.tail().replace("\n", "\n# ")


class CommandOutput:
    """Passes on what commands print, as it comes, without the boot's chatter, the log and init's last line."""

    def __init__(self, nonce, sink):
        self.last = f"os2: exit {nonce} ".encode()
        self.sink = sink
        self.held = b""      # the start of a line that may still turn out to be one to drop
        self.passing = False  # inside a line that is passed on
        self.booted = False  # the kernel has logged: the firmware is done
        self.status = None

    def line_kind(self, line):
        """"log", "last", "text", or "unknown" while a line is too short to say."""
        if LOG_LINE.match(line) or PANIC.match(line):
            return "log"
        if line.startswith(self.last):
            return "last"
        if self.last.startswith(line) or LOG_LINE_START.fullmatch(line):
            return "unknown"
        return "text"

    def feed(self, data):
        for piece in data.splitlines(keepends=True):
            self.feed_piece(piece)
        self.sink.flush()

    def feed_piece(self, piece):
        whole = piece.endswith(b"\n")
        self.held += piece
        kind = "text" if self.passing else self.line_kind(self.held.rstrip(b"\n"))
        if whole:
            if kind == "log":
                self.booted = True
            elif kind == "last":
                self.status = int(self.held[len(self.last):] or b"-1")
            elif self.booted:
                self.sink.write(self.held)
            self.held, self.passing = b"", False
        elif kind == "text" and self.booted:
            self.sink.write(self.held)
            self.held, self.passing = b"", True


def run_shell(args):
    _, line = command_line(args.build, args.smp, args.mem, args.append, args.icount, args.boot, args.tests, args.disk)
    if args.dry_run:
        return print(shlex.join(line))
    print("To leave: Ctrl-A, then X.", flush=True)
    os.execvp(line[0], line)


GDB_COMMANDS = pathlib.Path(__file__).resolve().parents[1] / "cross/gdb/os2.py"


def gdb_line(machine, address):
    """gdb's command line: the kernel's symbols, the commands that print its state, the machine at `address`."""
    return [machine["gdb"], "-q", machine["symbols"], "-x", str(GDB_COMMANDS), "-ex", f"target remote {address}"]


def run_debug(args):
    wait = ["-S", "-gdb", f"tcp:127.0.0.1:{args.port}"]
    machine, line = command_line(args.build, args.smp, args.mem, args.append, wait, args.boot, args.tests,
                                 args.disk)
    gdb = gdb_line(machine, f"127.0.0.1:{args.port}")
    if args.dry_run:
        return print(shlex.join(line) + "\n" + shlex.join(gdb))
    if args.attach:
        os.execvp(gdb[0], gdb)
    print(f"Stopped before its first instruction. In another terminal: ./os2 debug --attach, which is\n    "
          f"{shlex.join(gdb)}\nTo leave: Ctrl-A, then X.", flush=True)
    os.execvp(line[0], line)


def commands_line(build, smp, memory, text, append="", extra=(), boot="", tests=False, disk=""):
    """QEMU's command line to run shell commands, and the nonce with which init will end."""
    nonce = secrets.token_hex(8)
    append = f"{append} os2.run={text.encode().hex()} os2.nonce={nonce}".strip()
    return *command_line(build, smp, memory, append, extra, boot, tests, disk), nonce


def run_commands(machine, line, nonce, sink, silence):
    """Boot, write what the commands print to `sink`, return their status. GuestError, with the console's end on stderr,
    if the guest did not finish."""
    output = CommandOutput(nonce, sink)
    with Guest(line) as guest:
        try:
            while (data := guest.read(silence or None)) is not False:
                output.feed(data)
                if PANIC.search(guest.text):
                    guest.drain(1)
                    raise GuestError("kernel panic")
            code = exit_code(machine, guest.wait(10))
            if output.status is None:
                raise GuestError("QEMU ended, but the guest did not say that the commands did")
            if exit_code_seen(machine, output.status) != code:
                raise GuestError(f"the guest said status {output.status}, QEMU ended with {code}")
            return output.status
        except GuestError:
            print(guest.tail(), file=sys.stderr)
            raise


def run_command(args):
    machine, line, nonce = commands_line(args.build, args.smp, args.mem, args.text, args.append, args.icount,
                                         args.boot, args.tests, args.disk)
    if args.dry_run:
        return print(shlex.join(line))
    try:
        return run_commands(machine, line, nonce, sys.stdout.buffer, args.silence)
    except GuestError as error:
        print(f"os2: {error}", file=sys.stderr)
        return 125


TAP_LINE = re.compile(rb"(ok|not ok)\b|1\.\.\d+|TAP version|Bail out!")


def bail_out(text):
    print(f"Bail out! {text}", flush=True)
    return 1


def run_tap(args):
    nonce = secrets.token_hex(8)
    machine, line = command_line(args.build, args.smp, args.mem,
                                 f"{args.append} os2.start={args.program} os2.nonce={nonce}".strip(), args.icount,
                                 args.boot, tests=True, disk=args.disk)
    if args.dry_run:
        return print(shlex.join(line))
    print(f"# {shlex.join(line)}", flush=True)
    plan, good, bad, rest = None, 0, 0, b""
    with Guest(line) as guest:
        try:
            while (data := guest.read(args.silence or None)) is not False:
                *lines, rest = (rest + data).split(b"\n")
                for one in lines:
                    tap = TAP_LINE.match(one)
                    print(("" if tap else "# ") + one.decode(errors="replace"), flush=True)
                    good += one.startswith(b"ok")
                    bad += one.startswith(b"not ok")
                    if match := re.match(rb"1\.\.(\d+)", one):
                        if plan is not None:
                            return bail_out("two plans: the guest started again")
                        plan = int(match[1])
                if PANIC.search(guest.text):
                    guest.drain(1)
                    print(guest.comment())
                    return bail_out("kernel panic")
            code = exit_code(machine, guest.wait(10))
        except GuestError as error:
            return bail_out(f"{error}; after {good + bad} of {plan} tests")
    if plan is None:
        return bail_out("no plan arrived")
    if good + bad != plan:
        return bail_out(f"{good + bad} tests ran, {plan} were planned")
    if bad == 0 and code != 0:
        return bail_out(f"all tests passed, but QEMU ended with {code}")
    return 1 if bad else 0


def run_boots(args):
    _, line = command_line(args.build, args.smp, args.mem, args.append, boot=args.boot, tests=args.tests,
                           disk=args.disk)
    if args.dry_run:
        return print(shlex.join(line))
    failed = 0
    print(f"1..{args.count}\n# {shlex.join(line)}", flush=True)
    for number in range(1, args.count + 1):
        with Guest(line) as guest:
            try:
                guest.expect(PROMPT, args.silence)
                print(f"ok {number} - boot", flush=True)
            except GuestError as error:
                failed += 1
                print(f"not ok {number} - boot: {error}\n{guest.comment()}", flush=True)
    return 1 if failed else 0


def add_options(parser):
    parser.add_argument("--smp", type=int, default=2, help="processors (2)")
    parser.add_argument("--mem", default="128M", help="memory (128M)")
    parser.add_argument("--boot", default="", help="another way to boot, of those in the cross file")
    parser.add_argument("--append", default="", help="more boot arguments")
    parser.add_argument("--silence", type=float, default=180, help="seconds of silence that are a hang (180; 0: never)")
    parser.add_argument("--icount", action="store_const", const=ICOUNT, default=[],
                        help="count instructions; on one processor only")
    parser.add_argument("--tests", action="store_true",
                        help="with the test programs in the boot archive; mode tap has them always")
    parser.add_argument("--disk", default="", metavar="FILE", help="a disk: this raw image")
    parser.add_argument("-n", "--dry-run", action="store_true", help="print QEMU's command line, run nothing")
    parser.add_argument("build", help="build folder")


def main():
    parser = argparse.ArgumentParser(description="Boot OS2 in QEMU.")
    add_options(parser)
    modes = parser.add_subparsers(required=True)
    modes.add_parser("shell").set_defaults(run=run_shell)
    mode = modes.add_parser("command")
    mode.add_argument("text")
    mode.set_defaults(run=run_command)
    mode = modes.add_parser("tap")
    mode.add_argument("program", nargs="?", default="systest")
    mode.set_defaults(run=run_tap)
    mode = modes.add_parser("boots")
    mode.add_argument("count", type=int)
    mode.set_defaults(run=run_boots)
    mode = modes.add_parser("debug")
    mode.add_argument("--port", type=int, default=1234)
    mode.add_argument("--attach", action="store_true", help="start gdb, for a machine that waits for it")
    mode.set_defaults(run=run_debug)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that QEMU is ended too
    try:
        sys.exit(args.run(args))
    except GuestError as error:
        print(f"os2: {error}", file=sys.stderr)
        sys.exit(125 if args.run is run_command else 2)  # 2 may be the status of the commands
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
