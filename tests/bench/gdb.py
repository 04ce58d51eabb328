# SPDX-License-Identifier: MIT
"""A QEMU that runs under the gdb protocol, on its standard input and output, and counts instructions."""
import os
import re
import select
import subprocess
import time

import qemu

SECONDS = 60


class Riscv64:
    """What must be known of a processor: how to ask QEMU's gdb stub for its registers' numbers, which are the program
    counter and the root of the page tables, what a system call, the wait for an interrupt and a mark (arch_stub.h)
    look like; and whether QEMU's has ASIDs."""
    features, description, asids = "riscv", "riscv-csr.xml", True
    pc, space = 32, "satp"
    call = bytes.fromhex("73000000")
    halt, mark, relax = bytes.fromhex("73005010"), bytes.fromhex("132050"), bytes.fromhex("0f000001")

    @staticmethod
    def is_atomic(code):
        """A read-modify-write: AMO, or the store half of a pair of LR and SC."""
        word = int.from_bytes(code[:4], "little")
        return word & 0x7f == 0x2f and word >> 27 != 2

    @staticmethod
    def count(guest):
        """The counter of retired instructions."""
        return guest.number(guest.registers()["minstret"])


class X86:
    features, description, asids = "i386", "i386-64bit.xml", False
    pc, space = 16, "cr3"
    call = bytes.fromhex("0f05")
    halt, mark, relax = bytes.fromhex("f4"), bytes.fromhex("0f1f80") + b"OS2", bytes.fromhex("f390")
    rax, rdx = 0, 3
    rdtsc = bytes.fromhex("0f31")

    @staticmethod
    def is_atomic(code):
        """With a lock prefix, which stands before REX, or an exchange with memory."""
        while code[:1] in (b"\x64", b"\x65", b"\x66", b"\xf2", b"\xf3"):
            code = code[1:]
        opcode = code[1:] if code[:1] and code[0] & 0xf0 == 0x40 else code
        return code[:1] == b"\xf0" or (opcode[:1] in (b"\x86", b"\x87") and opcode[1] < 0xc0)

    @staticmethod
    def count(guest):
        """The time-stamp counter, which QEMU lets go up by one for each instruction. The stub does not show it: the
        guest is made to read it, in the place of what it would do next."""
        guest.registers()  # or the stub changes none
        kept = [(register, guest.number(register)) for register in (X86.rax, X86.rdx, X86.pc)]
        at = kept[-1][1]
        code = guest.memory(at, len(X86.rdtsc))
        guest.put_memory(at, X86.rdtsc)
        guest.step()
        value = guest.number(X86.rax) | guest.number(X86.rdx) << 32
        guest.put_memory(at, code)
        for register, before in kept:
            guest.put_number(register, before)
        return value


PROCESSORS = {"riscv64": Riscv64, "x86_64": X86}


class Gdb:
    """One request at a time. The machine has one processor and is stopped before its first instruction."""

    def __init__(self, machine, line):
        self.processor = PROCESSORS[machine["arch"]]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        preexec_fn=qemu.die_with_parent)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def receive(self):
        limit = time.monotonic() + SECONDS
        while not (match := re.search(rb"\$([^#]*)#..", self.buffer)):
            if not select.select([self.process.stdout], [], [], limit - time.monotonic())[0]:
                raise qemu.GuestError(f"no answer from QEMU's gdb stub in {SECONDS} s")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                raise qemu.GuestError("QEMU ended while it was debugged")
            self.buffer += got
        self.buffer = self.buffer[match.end():]
        self.send(b"+")
        return match[1].decode(errors="replace")

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ask(self, text):
        data = text.encode()
        self.send(b"$" + data + b"#%02x" % (sum(data) & 255))
        return self.receive()

    def expect(self, text, answer):
        got = self.ask(text)
        if not got.startswith(answer):
            raise qemu.GuestError(f"QEMU's gdb stub answered {text!r} with {got!r}")

    def registers(self):
        """Number of each register, from the description the stub gives: they count up where none is given."""
        self.ask(f"qSupported:xmlRegisters={self.processor.features}")
        self.ask("qXfer:features:read:target.xml:0,800")
        text, more = "", True
        while more:
            got = self.ask(f"qXfer:features:read:{self.processor.description}:{len(text):x},800")
            text, more = text + got[1:], got[0] == "m"
        numbers, following = {}, 0
        for name, words in re.findall(r'<reg name="(\w+)"([^>]*)', text):
            given = re.search(r'regnum="(\d+)"', words)
            numbers[name] = int(given[1]) if given else following
            following = numbers[name] + 1
        return numbers

    def number(self, register):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{register:x}")), "little")

    def memory(self, address, size):
        """Bytes at a virtual address of whoever runs; empty where nothing is mapped."""
        got = self.ask(f"m{address:x},{size:x}")
        return b"" if got.startswith("E") else bytes.fromhex(got)

    def put_number(self, register, value):
        self.expect(f"P{register:x}={value.to_bytes(8, 'little').hex()}", "OK")

    def put_memory(self, address, data):
        self.expect(f"M{address:x},{len(data):x}:{data.hex()}", "OK")

    def step(self):
        self.expect("s", "T05")

    def run_to(self, address):
        self.expect(f"Z1,{address:x},4", "OK")
        self.expect("c", "T05")
        self.expect(f"z1,{address:x},4", "OK")


def command_line(build, append="", tests=False, memory="128M"):
    """With the default sleep=on: a stopped machine of sleep=off goes straight to the end of time."""
    extra = ["-icount", "shift=0", "-monitor", "none", "-S", "-gdb", "stdio"]
    if memory != "128M":
        extra += qemu.large_memory(memory)
    machine, line = qemu.command_line(build, 1, memory, append, extra, tests=tests)
    return machine, [word.replace("mon:stdio", "null") for word in line]
