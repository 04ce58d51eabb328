#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""gdb's commands (cross/gdb/os2.py) on a machine that runs, and what is seen when a processor goes wrong.

    debug.py [options of qemu.py] BUILD

gdb is the one of `./os2 debug --attach`, told what to do beforehand. The output is TAP; without gdb it is skipped.
"""
import argparse
import contextlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import qemu
import terminal
from qemu import GuestError

GDB_SECONDS = 60
TRIES = 3  # QEMU 7.2's stub misses a breakpoint now and then, about once in 60 on a busy host: the guest runs past it
HOLES = {"riscv64": r"\1", "x86_64": r"\d+"}  # a PC's RAM has a hole below 1 MiB
PHYSICAL = "(unsigned long){} - 0xffffffff80000000 + 0x80200000"  # of a function in the kernel's image


@contextlib.contextmanager
def stub(args, *extra):
    """A guest with a gdb stub, and a function that runs gdb's commands on it and returns what gdb prints."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = f"{folder}/gdb"
        listener.bind(address)
        listener.listen()  # before QEMU is there: who connects early waits
        machine, line = qemu.command_line(
            args.build, args.smp, args.mem, args.append,
            ["-chardev", f"socket,fd={listener.fileno()},server=on,wait=off,id=gdb", "-gdb", "chardev:gdb", *extra])

        def gdb(*commands):
            start, *rest = qemu.gdb_line(machine, address)
            text = [start, "-batch", "-nx", "-iex", f"set remotetimeout {GDB_SECONDS}", *rest]
            for command in commands:
                text += ["-ex", command]
            done = subprocess.run(text, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=GDB_SECONDS, check=False)
            return done.stdout.decode(errors="replace")

        with terminal.Terminal(line, [listener.fileno()]) as guest:
            guest.seconds, guest.arch = args.silence, machine["arch"]
            yield guest, gdb


def seen(pattern, text):
    if not re.search(pattern, text, re.MULTILINE):
        raise GuestError(f"{pattern!r} is not in what was printed:\n{text}")


def only(arch):
    """A case of one processor."""
    def mark(case):
        case.arch = arch
        return case
    return mark


def panics(guest, pattern):
    """The kernel ends in a panic that says this."""
    with contextlib.suppress(GuestError):
        guest.expect(b"never printed", guest.seconds)
    seen(pattern, guest.text.decode(errors="replace"))


def case_commands(args):
    """Cores, processes, queues, heap, tables and log of a machine with waiting programs; boot's own code is gone."""
    with stub(args) as (guest, gdb):
        guest.prompt(0)
        guest.command("sleep 1000000 &")
        guest.drain(1)
        text = gdb("os2 cores", "os2 processes", "os2 queues", "os2 heap", "os2 tables", "os2 log", "os2 nonsense",
                   "x/bx boot_start", "detach")
        for pattern in (rf"^ *{args.smp - 1} +\d+ +(idle|runs) ", r"^ *\d+ shell +cal +\d+ console",
                        r"^ *\d+ sleep +rcv +nobody", r"^core 0 ready: ",
                        r"pages on the lists and spare, \d+ counted: they agree",
                        rf"^in all (\d+) of \1 frames, {HOLES[guest.arch]} of them RAM",
                        r"^\d{3,} leaves, 0 bad entries",
                        r"^\[.*\] init: ", r"^os2 cores \| processes",
                        r"Cannot access memory at address 0xffffffff80"):  # boot is over
            seen(pattern, text)
        assert guest.command("echo on") == "on\n"


def case_load(args):
    """Stopped amid work: run queues have processes in them, and the tables are still good."""
    with stub(args) as (guest, gdb):
        guest.prompt(0)
        guest.type("primes 1000000000 | cat & primes 1000000000 &\r")
        guest.drain(2)
        text = gdb("os2 queues", "os2 cores", "os2 tables", "detach")
        for pattern in (r"^core \d ready: .*primes", r"^ *0 +\d+ +runs +\d+ primes", r"^\d{3,} leaves, 0 bad entries"):
            seen(pattern, text)


def case_panic_stops_all(args):
    """A panic of one core stops those that compute in programs and those that are idle."""
    four = argparse.Namespace(**vars(args) | {"smp": 4})
    with stub(four) as (guest, gdb):
        guest.prompt(0)
        guest.type("primes 1000000000 | cat & primes 1000000000 &\r")
        guest.drain(1)
        gdb("hbreak syscall_dispatch", "continue", "delete", "set $pc = 0x7000000000", "detach")
        panics(guest, r"^kernel panic: ")
        assert guest.text.count(b"kernel panic") == 1, guest.text
        text = gdb("thread apply all -q info symbol $pc", "detach")
        assert len(re.findall(r"^arch_halt( \+ \d+)? in section", text, re.MULTILINE)) == 4, text


@only("riscv64")
def case_early_letters(args):
    """Stopped at kernel_main, the console shows OS2, letter by letter printed, and the first lines."""
    with stub(args, "-S") as (guest, gdb):
        seen(r"Breakpoint 1, kernel_main", gdb("hbreak kernel_main", "continue", "detach"))
        guest.prompt(0)
        seen(r"^OS2$", guest.text.decode(errors="replace"))


@only("riscv64")
def case_early_trap(args):
    """A trap before there is a handler: the hart stops at halt_trap, and "!" stands on the console."""
    alone = argparse.Namespace(**vars(args) | {"smp": 1})
    with stub(alone, "-S") as (guest, gdb):
        gdb("hbreak *0x80200000", "continue", "delete", "stepi 12", "set $pc = 0x40", "detach")
        guest.expect(b"\n!", args.silence)
        text = gdb("info symbol $pc - 0x80200000 + 0xffffffff80000000", "info registers scause sepc", "detach")
        for pattern in (r"^halt_trap \+", r"^scause +0x1\b", r"^sepc +0x40\b"):
            seen(pattern, text)


@only("riscv64")
def case_lost_lottery(args):
    """A hart started by HSM that arrives at the entry, as old firmware lets it: it waits, and becomes its core."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    with stub(two, "-S") as (guest, gdb):
        text = gdb(f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue",
                   "set $pc = 0x80200000", "set $a1 = 0x87e00000", "detach")
        seen(r"hit Breakpoint 1", text)
        guest.prompt(0)
        seen(r"2 of 2 cores are up", guest.text.decode(errors="replace"))
        rows = guest.command("cores").splitlines()[1:]
        assert [row.split()[-1] for row in rows] == ["runs", "runs"], rows
        seen(r"primes up to 2000", guest.command("primes 2000"))


@only("riscv64")
def case_registers_as_firmware_left_them(args):
    """Whatever firmware lets programs do, on the first hart and on one started later: the kernel lets them do what it
    says itself."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    names = ("senvcfg", "scounteren", "sstatus")
    spoil = [f"set ${name} = {value:#x}" for name, value in zip(names, (0xf1, 0xffffffff, 0xe6700))]
    show = [f'printf "{name} %lx\\n", ${name}' for name in names]
    with stub(two, "-S") as (guest, gdb):
        text = gdb("hbreak *0x80200000", "continue", "delete", *spoil, *show,
                   f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue", "delete", *spoil, *show, "detach")
        for value in ("senvcfg f1", "scounteren ffffffff"): # else nothing is shown by what comes
            assert text.count(value) == 2, text
        guest.prompt(0)
        guest.type("primes 1000000000 & primes 1000000000 &\r")
        guest.drain(1)
        text = gdb(*(command for thread in (1, 2) for command in (f"thread {thread}", *show)), "detach")
        assert len(re.findall(r"^senvcfg 0$", text, re.MULTILINE)) == 2, text
        assert len(re.findall(r"^scounteren 7$", text, re.MULTILINE)) == 2, text
        states = [int(state, 16) for state in re.findall(r"^sstatus ([0-9a-f]+)$", text, re.MULTILINE)]
        # XL is 64 bits; no SUM, MXR, vector, UBE.
        assert [state & 0x3000c0640 for state in states] == [0x200000000] * 2, text


@only("riscv64")
def case_sleepless_hart(args):
    """The same where wfi returns at once, as it may: the hart waits by the clock, 40 000 000 ticks at 10 MHz."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    satp = f"{{unsigned long}}({PHYSICAL.format('(unsigned long)&riscv_secondary_satp')})"
    with stub(two, "-S") as (guest, gdb):
        text = gdb(f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue", "set $core = $a1",
                   f"set $satp_kept = {satp}", f"set {satp} = 0",
                   f"set {{unsigned int}}({PHYSICAL.format('(unsigned long)&loser_wait')}) = 0x13",  # nop
                   "set scheduler-locking on", f"hbreak *({PHYSICAL.format('(unsigned long)&halt_no_core')})",
                   "set $pc = 0x80200000", "python import time; start = time.monotonic()", "continue",
                   'python print("waited", int(time.monotonic() - start))', f"set {satp} = $satp_kept",
                   f"set $pc = {PHYSICAL.format('riscv_secondary')}", "set $a1 = $core", "detach")
        seen(r"hit Breakpoint 2", text)
        seen(r"^waited ([3-9]|\d\d)", text)
        guest.prompt(0)
        guest.drain(1)
        rows = guest.command("cores").splitlines()[1:]
        assert [row.split()[-1] for row in rows] == ["runs", "runs"], rows


@only("riscv64")
def case_absent_hart(args):
    """A hart that firmware says it has started, and that never arrives: logged, and boot goes on without it."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    with stub(two, "-S") as (guest, gdb):
        gdb(f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue",
            f"set $pc = {PHYSICAL.format('&halt_no_core')}", "detach")
        guest.prompt(0)
        text = guest.text.decode(errors="replace")
        seen(r"core 1 \(cpu \d\) has not arrived", text)
        seen(r"1 of 2 cores are up", text)
        seen(r"primes up to 2000", guest.command("primes 2000"))


@only("riscv64")
def case_late_hart(args):
    """A hart that firmware has started, and that arrives when the shell has long been running, takes part."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    held = PHYSICAL.format("(unsigned long)&halt_no_core")
    with stub(two, "-S") as (guest, gdb):
        text = gdb(f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue", "thread",
                   f"set {{unsigned int}}({held}) = 0x6f", f"set $pc = {held}", "detach")  # j .
        thread = re.search(r"Current thread is (\d+)", text)[1]
        guest.prompt(0)
        seen(r"1 of 2 cores are up", guest.text.decode(errors="replace"))
        gdb(f"thread {thread}", f"set $pc = {PHYSICAL.format('riscv_secondary')}", "detach")
        guest.drain(1)
        rows = guest.command("cores").splitlines()[1:]
        assert [row.split()[-1] for row in rows] == ["runs", "runs"], rows
        seen(r"primes up to 2000", guest.command("primes 2000"))


@only("riscv64")
def case_hart_arrives_twice(args):
    """A hart that comes with the struct core of another one, which runs already, is sent away."""
    three = argparse.Namespace(**vars(args) | {"smp": 3})
    with stub(three, "-S") as (guest, gdb):
        text = gdb(f"hbreak *({PHYSICAL.format('riscv_secondary')})", "continue", "set $first = $a1", "continue",
                   "p/x $a1 != $first", "set $a1 = $first", "detach")
        seen(r"^\$\d = 0x1$", text)
        guest.prompt(0)
        text = guest.text.decode(errors="replace")
        seen(r"core [12] \(cpu \d\) has not arrived", text)  # whichever was second
        seen(r"2 of 3 cores are up", text)
        seen(r"primes up to 2000", guest.command("primes 2000"))


@only("x86_64")
def case_trap_in_the_kernel(args):
    """It is reported, also before there are page tables of the kernel's own."""
    with stub(args, "-S") as (guest, gdb):
        gdb("hbreak acpi_read", "continue", "delete", "set $pc = 0x7000000000", "detach")
        panics(guest, r"^kernel panic: trap in the kernel.*: vector 14 error 10 pc 7000000000 ")


@only("x86_64")
def case_nmi_at_the_door(args):
    """A non-maskable interrupt at the first instruction of a system call, where gs and rsp are still the program's."""
    alone = argparse.Namespace(**vars(args) | {"smp": 1})
    with stub(alone) as (guest, gdb):
        guest.prompt(0)
        guest.type("primes 1000000000 &\r")
        guest.drain(1)
        gdb("hbreak *(unsigned long)&x86_syscall", "continue", "delete", "set $rsp = 0x10", "monitor nmi", "detach")
        panics(guest, r"^kernel panic: trap in the kernel.*: vector 2 .* cs 8 sp 10 ")


@only("x86_64")
def case_smep_and_smap(args):
    """A kernel that goes astray into a program's text, or has a program's page for a stack, traps at once."""
    saved = "cores[$_thread - 1]->current->context"
    for register, value, what in ("pc", "pc", "14 error 11"), ("rsp", "sp", "14 error 3"):
        with stub(args) as (guest, gdb):
            guest.prompt(0)
            guest.type("primes 1000000000 &\r")
            gdb("hbreak syscall_dispatch", "continue", "delete", f"set ${register} = {saved}.{value}", "detach")
            panics(guest, rf"^kernel panic: trap in the kernel.*: vector {what} .* cs 8 ")


def case_kernel_stack_full(args):
    """What is below a kernel stack is not mapped: who needs more than there is overwrites nothing, and is reported."""
    with stub(args) as (guest, gdb):
        guest.prompt(0)
        guest.type("primes 1000000000 &\r")
        gdb("hbreak syscall_dispatch", "continue", "delete", "set $sp -= 16384 - 64", "detach")
        panics(guest, r"^kernel panic: a kernel stack is full: pc ")


@only("x86_64")
def case_double_fault(args):
    """A kernel stack that is gone: a fault is taken on a stack of its own, and where that is gone too on a third."""
    gone = [f"set cores[{core}]->arch.tss.ist[0] = 0x10" for core in range(args.smp)]
    for commands, what in ([], "vector 14 error 2"), (gone, "vector 8 error 0"):
        with stub(args) as (guest, gdb):
            guest.prompt(0)
            guest.type("primes 1000000000 &\r")
            gdb("hbreak syscall_dispatch", "continue", "delete", "set $rsp = 0x10", *commands, "detach")
            panics(guest, rf"^kernel panic: trap in the kernel.*: {what} .* cs 8 sp 10 ")


def disassembly(kernel):
    return subprocess.run(["objdump", "-d", "--no-show-raw-insn", kernel], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


@only("x86_64")
def case_registers_as_firmware_left_them(args):
    """Whatever firmware lets programs do, on the first core and on another: the kernel lets them do what it says
    itself."""
    two = argparse.Namespace(**vars(args) | {"smp": 2})
    machine, _ = qemu.command_line(args.build, 2, args.mem)
    kept = ("rip", "rax", "rcx", "rdx")
    save = ["set scheduler-locking on"] + [f"set $kept_{name} = ${name}" for name in kept]
    restore = [f"set ${name} = $kept_{name}" for name in kept] + ["stepi", "set scheduler-locking off"]
    text = disassembly(machine["kernel"])
    # Where the kernel has them; they may be run out of turn.
    places = {name: re.search(rf"^([0-9a-f]+):\s*{name}\s*$", text, re.MULTILINE)[1] for name in ("rdmsr", "wrmsr")}
    # sysenter's target; the types of memory; EFER with a bit that the kernel has no use for.
    registers = {0x174: (0x8, 0), 0x277: (0, 0x70406), 0xc0000080: (0x1d01, 0xd01)}

    def run(instruction, number, value=0):
        return [f"set $rcx = {number}", f"set $rax = {value}", "set $rdx = 0",
                f"set $rip = 0x{places[instruction]}", "stepi"]

    def show(number):
        return [*run("rdmsr", number), f'printf "{number:x} %lx\\n", $rax']

    spoil, look = list(save), list(save)
    for number, (value, _) in registers.items():
        spoil += run("wrmsr", number, value) + show(number)
        look += show(number)
    with stub(two, "-S") as (guest, gdb):
        text = gdb(*(["hbreak cpu_init", "continue", "delete", *spoil, *restore] * 2), "detach")
        for number, (value, _) in registers.items():
            assert len(re.findall(rf"^{number:x} {value:x}$", text, re.MULTILINE)) == 2, text
        guest.prompt(0)
        guest.type("primes 1000000000 & primes 1000000000 &\r")
        guest.drain(1)
        look = ["hbreak syscall_dispatch", "continue", "delete", *look, "monitor info registers", *restore]
        text = gdb(*look, *look, *look, *look, "detach")
        for number, (_, value) in registers.items():
            assert re.findall(rf"^{number:x} ([0-9a-f]+)$", text, re.MULTILINE) == [f"{value:x}"] * 4, text
        assert re.findall(r"^LDT=(\w+ \w+ \w+)", text, re.MULTILINE) == ["0000 0000000000000000 00000000"] * 4, text


def edges_of_the_kernel(kernel):
    """Instructions of the kernel at which gs is the program's: the first ones of a trap, and the last of each way out.
    (The first of a system call has a case of its own; ways that are not here leave by the same macro as one that is.)
    """
    rows = re.findall(r"^(?:[0-9a-f]+ <(\w+)>|([0-9a-f]+)):\s*(\w*)", disassembly(kernel), re.MULTILINE)
    first, last = ("interrupt", "exception"), ("x86_syscall", "leave", "call_claimed", "reply_stated", "trap")
    edges, function = {}, ""
    for name, address, instruction in rows:
        function = name or function
        if function in (first if instruction == "swapgs" else last if instruction in ("sysretq", "iretq") else ()):
            edges[function] = int(address, 16)
    assert sorted(edges) == sorted(first + last), edges
    return edges


@only("x86_64")
def case_nmi_at_every_edge(args):
    """A non-maskable interrupt where gs is the program's is reported by a kernel that found its own gs, and says where
    it came."""
    machine, _ = qemu.command_line(args.build, 1, args.mem)
    alone = argparse.Namespace(**vars(args) | {"smp": 1})
    for function, at in edges_of_the_kernel(machine["kernel"]).items():
        with stub(alone) as (guest, gdb):
            guest.prompt(0)
            guest.type("primes 1000000000 & pingpong 100000000 & crash all 1000 &\r")
            gdb(f"hbreak *{at}", "continue", "delete", "monitor nmi", "detach")
            panics(guest, rf"^kernel panic: trap in the kernel.*: vector 2 error 0 pc {at:x} cs 8 ")
        print(f"# {function} {at:x}", flush=True)


CASES = {name[5:].replace("_", " "): case for name, case in list(globals().items()) if name.startswith("case_")}


def run(case, args):
    """The case, and once more where gdb waited in vain for a breakpoint: of two processors that come to one at the same
    moment the second may be past it when QEMU has stopped both."""
    for left in reversed(range(TRIES)):
        try:
            return case(args)
        except subprocess.TimeoutExpired as late:
            hits = len(re.findall(rb"hit (?:Temporary b|B)reakpoint", late.stdout or b""))
            if not left or hits >= late.cmd.count("continue"):
                raise
            print("# the guest ran past a breakpoint: once more", flush=True)
    return None


def main():
    parser = argparse.ArgumentParser(description="Test gdb's commands.")
    qemu.add_options(parser)
    args = parser.parse_args()
    machine, _ = qemu.command_line(args.build, args.smp, args.mem)
    if not shutil.which(machine["gdb"]):
        print(f"1..0 # SKIP {machine['gdb']} is not installed")
        return 0
    failed = 0
    cases = {name: case for name, case in CASES.items() if getattr(case, "arch", machine["arch"]) == machine["arch"]}
    print(f"1..{len(cases)}", flush=True)
    for number, (name, case) in enumerate(cases.items(), 1):
        try:
            run(case, args)
            print(f"ok {number} - {name}", flush=True)
        except (GuestError, AssertionError, subprocess.TimeoutExpired) as error:
            failed += 1
            text = f"{error}\n{(getattr(error, 'stdout', None) or b'').decode(errors='replace')}".rstrip()
            print(f"not ok {number} - {name}\n# " + text.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
