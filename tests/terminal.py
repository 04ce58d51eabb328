#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Drive OS2's shell through a terminal, as a person does, and judge what the terminal shows.

    terminal.py [options of qemu.py] BUILD [CASE...]

QEMU gets the slave of a pty, with the same command line as `./os2 run`. A case is a function named case_...; it gets a
Terminal, types into it, and raises GuestError, or an assertion, when the terminal does not show what it should. All
cases share one boot, and each begins and ends at an empty prompt; so a case also tests that the one before left the
shell whole. The output is TAP.
"""
import argparse
import os
import pty
import re
import signal
import sys
import termios
import time
import tty

import qemu
from qemu import PROMPT, GuestError

CTRL_C, CTRL_R, BACKSPACE, ENTER = b"\x03", b"\x12", b"\x7f", b"\r"
HOME = b"\x1b[H"
UP, DOWN, LEFT, RIGHT = b"\x1b[A", b"\x1b[B", b"\x1b[D", b"\x1b[C"
KEY_GAP = 0.002  # between two typed characters: 16550s have 16 bytes of buffer, a person is slower by far


class Terminal(qemu.Guest):
    """A guest behind a pty. Offsets into `text` tell new output from old."""

    def __init__(self, line, descriptors=()):
        master, slave = pty.openpty()
        tty.setraw(slave, termios.TCSANOW)
        super().__init__(line, slave, descriptors)
        os.close(slave)
        self.input = self.output = master
        self.seconds = 90

    def type(self, data):
        """Types character by character; reads meanwhile, so that neither side can fill the pty and stop."""
        for byte in data if isinstance(data, bytes) else data.encode():
            self.write(bytes([byte]))
            self.drain(KEY_GAP)

    def mark(self):
        return len(self.text)

    def until(self, text, start):
        return self.expect(text if isinstance(text, bytes) else text.encode(), self.seconds, start)

    def prompt(self, start):
        """Waits for a prompt at the start of a line, with nothing typed behind it yet; returns what stood before it."""
        end = self.until(PROMPT, start)
        return clean(self.text[start:end - len(PROMPT)])

    def patient(self, condition):
        """Reads until what came fulfils a condition, or for as long as anything is waited for."""
        limit = qemu.Limit(self.process.pid, self.seconds)
        while not condition() and limit.left():
            self.drain(0.1)

    def command(self, line):
        """Types a line and Enter; returns what is printed until the next prompt, without the echo of the line."""
        start = self.mark()
        self.type(line)
        self.type(ENTER)
        shown = self.prompt(start)
        return shown.split("\n", 1)[1] if "\n" in shown else ""


def clean(data):
    """Without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode(errors="replace"))


def expect_in(wanted, shown):
    assert wanted in shown, f"{wanted!r} not in {shown!r}"


def case_help(terminal):
    """help names commands, one of them itself, and programs; no manifest has a line that is ignored."""
    shown = terminal.command("help")
    expect_in("\n  primes N [WORKERS] ", shown)
    assert "ignored" not in shown, shown
    expect_in("help [COMMAND]: ", terminal.command("help help"))
    expect_in("wc [FILE...]: ", terminal.command("wc --help"))


def case_echo(terminal):
    """A command's output is exactly its output."""
    assert terminal.command("echo one two") == "one two\n"


def case_unknown(terminal):
    """A command that does not exist is named in the message, and the shell goes on."""
    expect_in("no-such-program", terminal.command("no-such-program"))
    assert terminal.command("echo on") == "on\n"


def case_empty_lines(terminal):
    """Enter on an empty line gives the next prompt and nothing else."""
    for _ in range(3):
        assert terminal.command("").strip() == ""


def case_backspace(terminal):
    """Backspace takes a character back; on an empty line it does nothing, not even to the prompt."""
    terminal.type(BACKSPACE * 8)
    assert terminal.command("echo wrogn" + "\x7f" * 2 + "ng") == "wrong\n"
    start = terminal.mark()
    terminal.type(b"xyz" + BACKSPACE * 10)
    terminal.type("echo still" + "\r")
    terminal.prompt(terminal.until("\nstill\n", start))


def case_characters(terminal):
    """Keys act on characters of several bytes as on others; bytes that are none are ignored."""
    assert terminal.command("echo hä€".encode() + BACKSPACE * 2 + b"ej") == "hej\n"
    assert terminal.command("echo aüb".encode() + LEFT * 2 + "é".encode()) == "aéüb\n"
    assert terminal.command("echo aüb".encode() + LEFT * 2 + b"\x04") == "ab\n"
    assert terminal.command(b"echo \x80\xffo\xc3k") == "ok\n"


def case_history(terminal):
    """Arrow up brings lines back, the newest first; arrow down goes forward again."""
    for word in ("first", "second", "third"):
        terminal.command(f"echo {word}")
    assert terminal.command(UP * 3) == "first\n"
    assert terminal.command(UP * 2) == "third\n"
    assert terminal.command(UP * 3 + DOWN) == "first\n"


def case_search(terminal):
    """^R finds an older line by a piece of it, and the next older one; ^G brings back what was typed."""
    for word in ("needle one", "straw", "needle two"):
        terminal.command(f"echo {word}")
    for keys, found in ((CTRL_R + b"needle", "needle two"), (CTRL_R + b"needle" + CTRL_R, "needle one"),
                        (b"echo back" + CTRL_R + b"straw\x07", "back")):
        start = terminal.mark()
        terminal.type(keys + ENTER)
        terminal.prompt(terminal.until(f"\n{found}\n", start))


def case_completion(terminal):
    """Tab completes commands and paths as far as there is one way, and lists the ways at the second one."""
    assert terminal.command("ec\twords") == "words\n"
    expect_in("One Page at a Time", terminal.command("cat po\t"))
    expect_in("One Page at a Time", terminal.command("cat /bo\tpoe\t"))
    start = terminal.mark()
    terminal.type("cat demos.\t | m\t\t")
    end = terminal.until("\nos2> cat demos.programs  | m", start)
    shown = clean(terminal.text[start:end]).split()
    assert {"matmul", "mem", "mount", "msort"} <= set(shown) and "cat" not in shown[4:-4], shown
    terminal.type(CTRL_C)
    terminal.prompt(end)


def case_long_line(terminal):
    """A line over several rows is edited as any other."""
    assert terminal.command(b"echo " + b"y" * 300 + HOME + RIGHT * 5 + b"X") == "X" + "y" * 300 + "\n"
    assert terminal.command(b"echo " + b"z" * 200 + LEFT * 100 + BACKSPACE * 90) == "z" * 110 + "\n"


def case_wide(terminal):
    """Wide characters and those that combine are one character each to the keys."""
    assert terminal.command("echo 你好".encode() + BACKSPACE + b"x") == "你x\n"
    assert terminal.command("echo 你好".encode() + LEFT + b"x") == "你x好\n"
    assert terminal.command("echo ae\u0301".encode() + BACKSPACE + b"b") == "ab\n"
    assert terminal.command("echo e\u0301a".encode() + LEFT * 2 + b"\x04") == "a\n"


def case_width(terminal):
    """The terminal is asked how wide it is, and nothing waits for its answer; the answer is no input."""
    expect_in("\x1b[6n", terminal.text.decode(errors="replace"))
    start = terminal.mark()
    terminal.type("echo right\x0c")
    terminal.until("\x1b[6n", start)
    terminal.type("\x1b[24;40R")
    assert terminal.command("ly" + "." * 60) == "rightly" + "." * 60 + "\n"
    terminal.type("\x0c\x1b[24;80R")
    terminal.drain(0.2)
    terminal.type(ENTER)
    terminal.drain(0.2)


def case_grammar(terminal):
    """Variables, loops, conditions and patterns; a mistake is named; a command goes on over several lines."""
    assert terminal.command("A='x y'; for i in 1 $A \"$A\"; do echo \"<$i>\"; done") == "<1>\n<x>\n<y>\n<x y>\n"
    assert terminal.command("if [ -f poem.txt ] && ! test -d poem.txt; then echo file; fi") == "file\n"
    assert terminal.command("false || echo $? *.txt p*.tx? '*'") == "1 poem.txt poem.txt *\n"
    assert terminal.command("wc < poem.txt").split() == ["21", "158", "743"]
    assert terminal.command("echo x > /boot/new") == "/boot/new: can only be read\n"
    assert terminal.command("fi") == "fi: no if before it\n"
    assert terminal.command("cd /; pwd").split("\n")[0] == "/"
    assert terminal.command("cd; pwd") == "/boot\n"
    start = terminal.mark()
    terminal.type("for i in a b\r")
    start = terminal.until("\n> ", start)
    terminal.type("do echo \"[$i\r")
    start = terminal.until("\n> ", start)
    terminal.type("]\"; done\r")
    terminal.prompt(terminal.until("\n[a\n]\n[b\n]\n", start))


def case_interrupt_loop(terminal):
    """^C ends a loop, of the shell's own commands and of programs, and what stands behind it."""
    for loop in ("while true; do true; done; echo wrong", "for i in 1 2 3 4; do sleep 100000; done; echo wrong"):
        start = terminal.mark()
        terminal.type(loop + "\r")
        start = terminal.until("\n", start)
        terminal.drain(0.3)
        terminal.type(CTRL_C)
        assert "wrong" not in terminal.prompt(start)


def case_interrupt_line(terminal):
    """^C on a half-typed line drops it."""
    start = terminal.mark()
    terminal.type("echo never")
    terminal.type(CTRL_C)
    terminal.prompt(start)
    assert terminal.command("echo after") == "after\n"


def case_interrupt_program(terminal):
    """^C ends a program that waits, one that computes without a system call, and whole trees and pipelines."""
    for program in ("sleep 1000000", "crash loop", "primes 1000000000", "gen 1G | upper | wc"):
        start = terminal.mark()
        terminal.type(program + "\r")
        start = terminal.until("\n", start)
        terminal.drain(0.3)
        assert PROMPT not in terminal.text[start:], f"{program} ended by itself"
        terminal.type(CTRL_C)
        terminal.prompt(start)
    assert terminal.command("echo alive") == "alive\n"


def case_pipeline(terminal):
    """What one program prints, the next reads."""
    assert terminal.command("echo a line | cat") == "a line\n"
    assert terminal.command("echo a line | cat | cat | cat") == "a line\n"


def case_files(terminal):
    """ls and the filters take names; a name that is no file is told, and the others are done all the same."""
    assert terminal.command("ls nofile") == "ls: nofile: no such file\n"
    shown = terminal.command("ls poem.txt nofile cat").split()
    assert [word for word in shown if word in ("poem.txt", "cat")] == ["poem.txt", "cat"], shown
    expect_in("TIME ENOUGH TO WRITE.", terminal.command("upper poem.txt"))
    for filter_name in ("cat", "upper"):
        shown = terminal.command(f"{filter_name} nofile poem.txt | wc")
        expect_in(f"{filter_name}: nofile: no such file", shown)
        expect_in("21     158     743", shown)


def case_shipped(terminal):
    """The archive that ships has programs and a line about each, and no test program."""
    shown = terminal.command("ls").split()
    missing = {"init", "ls", "crash", "bin.programs", "demos.programs"} - set(shown)
    extra = {"bench", "pathtest", "schedtest", "stalltest", "systest", "tests.programs"} & set(shown)
    assert not missing and not extra, shown
    expect_in("bench: no such program", terminal.command("bench"))


def case_paste(terminal):
    """4 KiB pasted at once: no byte of the lines is lost, and the shell stays whole."""
    lines = [f"echo {i:03} {'x' * 50}" for i in range(4096 // 60 + 1)]
    start = terminal.mark()
    data = "".join(line + "\r" for line in lines).encode()
    assert len(data) >= 4096
    while data:
        terminal.write(data[:256])
        data = data[256:]
        terminal.drain(0.01)
    for line in lines:
        start = terminal.until("\n" + line[5:] + "\n", start) - 1
    terminal.prompt(start)


def case_held_key(terminal):
    """A key held for a long time: the line has a limit, and Enter or ^C still works."""
    start = terminal.mark()
    for _ in range(64):
        terminal.write(b"k" * 40)
        terminal.drain(0.01)
    terminal.type(CTRL_C)
    terminal.prompt(start)
    assert terminal.command("echo released") == "released\n"


def shows(terminal, name):
    """The identity that ps prints for the process of that name; None if there is none."""
    for line in terminal.command("ps").splitlines():
        words = line.split()
        if name in words[1:2]:
            return words[0]
    return None


def identity(terminal, name):
    if found := shows(terminal, name):
        return found
    raise GuestError(f"ps shows no {name}")


def case_kill_service(terminal):
    """A service that is killed is started again, and the shell works on; also when it is the console itself."""
    for service in ("names", "files", "console"):
        killed = terminal.mark()
        terminal.type(f"kill {identity(terminal, service)}\r")
        terminal.until(f"{service} ended: killed", killed)
        start = terminal.mark()
        terminal.type(ENTER)
        terminal.prompt(start)
        limit = qemu.Limit(terminal.process.pid, terminal.seconds)
        while not shows(terminal, service) and limit.left():  # it is started again when init comes to that
            terminal.drain(0.1)
        identity(terminal, service)
        while terminal.command("echo served | cat") != "served\n":  # after names, the others have to register again
            if not limit.left():
                raise GuestError(f"echo served | cat prints nothing after {service} was killed")
            terminal.drain(0.1)
        expect_in("poem.txt", terminal.command("ls"))
        told = terminal.text[killed:].decode(errors="replace").count(f"{service} ended: killed")
        if told != 1:  # by the console service, and no more by the kernel
            raise GuestError(f"the log says {told} times that {service} ended")


def case_service_as_program(terminal):
    """The name of a service, typed as a command, says what it is and how to see it; nothing hangs, and it runs on."""
    before = [identity(terminal, service) for service in ("names", "console", "files", "shell", "init")]
    for service in ("names", "console", "files", "shell", "shell -c true", "files 0x1000 4096"):
        expect_in(f"{service.split()[0]}: this is a service", terminal.command(service))
        assert terminal.command("echo $?") == "2\n"
    expect_in("init: the kernel starts it", terminal.command("init"))
    assert terminal.command("echo $?") == "2\n"
    expect_in("names: this is a service", terminal.command("echo x | names"))
    assert before == [identity(terminal, service) for service in ("names", "console", "files", "shell", "init")]


GEN_LINE = re.compile(r"(\d{12})  every page has one owner, and a message moves it ")


def case_whole_lines(terminal):
    """Lines of programs that print at the same time do not mix, whatever their lengths."""
    row = re.compile(r" *\d+ \S+ +\w+ +(-|\d+)( +\d+){6} +\d+")
    head = re.compile(r" +ID NAME .* SUPER")
    start = terminal.mark()
    terminal.type("ps | cat & ps & " * 5 + "ps\r")
    start = terminal.until("\n", start)
    terminal.patient(lambda: terminal.text.count(b"SUPER", start) >= 11)
    terminal.drain(0.5)
    shown = clean(terminal.text[start:terminal.text.rindex(b"\n")])
    assert shown.count("SUPER") == 11, shown
    for line in shown.split("\n"):
        if line not in ("", "os2> ") and not line.startswith("["):  # "[1] 7" is the shell's
            assert row.fullmatch(line.removeprefix("os2> ")) or head.fullmatch(line.removeprefix("os2> ")), line
    terminal.type(ENTER)
    terminal.drain(0.5)


def case_large_output(terminal):
    """More than the console's ring holds, at once and in blocks."""
    for command in ("gen 100K", "gen 100K | cat"):
        shown = terminal.command(command)
        assert [int(number) for number in GEN_LINE.findall(shown)] == list(range(1600)), shown


def case_output_of_killed_console(terminal):
    """What a program has printed is not lost with the console: it is there, or written again, or the status says so."""
    console = identity(terminal, "console")
    start = terminal.mark()
    terminal.type(f"gen 12K | cat; status; kill {console}\r")
    terminal.until("console ended: killed", start)
    terminal.patient(lambda: len(GEN_LINE.findall(clean(terminal.text[start:]))) >= 192)
    shown = clean(terminal.text[start:])
    assert [int(number) for number in GEN_LINE.findall(shown)] == list(range(192)), shown
    terminal.type(ENTER)
    terminal.drain(0.5)

    console = identity(terminal, "console")
    start = terminal.mark()
    terminal.type("gen 128K | cat &\r")
    terminal.until("000000000100", start)
    terminal.type(f"kill {console}\r")
    terminal.until("console ended: killed", start)
    terminal.until("000000002047", start)
    for _ in range(180):  # a shell tells of background jobs at its prompt
        terminal.type(ENTER)
        terminal.drain(0.5)
        if b"done, status" in terminal.text[start:]:
            break
    terminal.until("done, status 0: gen 128K | cat", start)
    missing = set(range(2048)) - {int(number) for number in GEN_LINE.findall(clean(terminal.text[start:]))}
    assert not missing, f"{len(missing)} lines are missing, such as {min(missing)}"
    terminal.type(ENTER)
    terminal.drain(0.5)


CASES = {name[5:]: function for name, function in list(globals().items()) if name.startswith("case_")}


def run_cases(terminal, names):
    failed = 0
    print(f"1..{len(names)}", flush=True)
    terminal.prompt(0)
    for number, name in enumerate(names, 1):
        try:
            terminal.drain(0.05)
            CASES[name](terminal)
            print(f"ok {number} - {name}", flush=True)
        except (GuestError, AssertionError) as error:
            failed += 1
            print(f"not ok {number} - {name}: {str(error)!r}\n{terminal.comment()}", flush=True)
            terminal.type(CTRL_C)  # so that the next case finds a prompt if there can be one
            terminal.drain(1)
    return failed


def main():
    parser = argparse.ArgumentParser(description="Drive OS2's shell through a terminal.")
    qemu.add_options(parser)
    parser.add_argument("case", nargs="*", help=", ".join(CASES))
    args = parser.parse_args()
    unknown = [name for name in args.case if name not in CASES]
    if unknown:
        parser.error(f"no such case: {unknown}")
    _, line = qemu.command_line(args.build, args.smp, args.mem, args.append, boot=args.boot)
    if args.dry_run:
        return print(qemu.shlex.join(line))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Terminal(line) as terminal:
        try:
            return 1 if run_cases(terminal, args.case or list(CASES)) else 0
        except GuestError as error:
            print(terminal.comment())
            return qemu.bail_out(error)


if __name__ == "__main__":
    sys.exit(main())
