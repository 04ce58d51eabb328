# SPDX-License-Identifier: MIT
"""A QEMU that runs under the gdb protocol, on its standard input and output, and counts instructions."""
import os
import re
import select
import subprocess
import time

import qemu

SECONDS = 60


class Gdb:
    """One request at a time. The machine has one processor and is stopped before its first instruction."""

    def __init__(self, line):
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
        """Number of each control register, from the description the stub gives."""
        self.ask("qSupported:xmlRegisters=riscv")
        self.ask("qXfer:features:read:target.xml:0,800")
        text, more = "", True
        while more:
            got = self.ask(f"qXfer:features:read:riscv-csr.xml:{len(text):x},800")
            text, more = text + got[1:], got[0] == "m"
        return {name: int(number) for name, number in re.findall(r'<reg name="(\w+)"[^>]*regnum="(\d+)"', text)}

    def number(self, register):
        return int.from_bytes(bytes.fromhex(self.ask(f"p{register:x}")), "little")

    def memory(self, address, size):
        """Bytes at a virtual address of whoever runs; empty where nothing is mapped."""
        got = self.ask(f"m{address:x},{size:x}")
        return b"" if got.startswith("E") else bytes.fromhex(got)

    def step(self):
        self.expect("s", "T05")

    def run_to(self, address):
        self.expect(f"Z1,{address:x},4", "OK")
        self.expect("c", "T05")
        self.expect(f"z1,{address:x},4", "OK")


def command_line(build, append=""):
    """With the default sleep=on: a stopped machine of sleep=off goes straight to the end of time."""
    extra = ["-icount", "shift=0", "-monitor", "none", "-S", "-gdb", "stdio"]
    machine, line = qemu.command_line(build, 1, "128M", append, extra)
    return machine, [word.replace("mon:stdio", "null") for word in line]
