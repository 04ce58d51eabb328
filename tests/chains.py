#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boot chains and machines: each as far as QEMU can stand in for a board.

    chains.py [options of qemu.py] BUILD CHAIN      boot that one and judge it; the output is TAP
    chains.py --list

A chain says how the machine differs from `./os2 run` (firmware, processors, memory, device tree) and what must be seen:
lines of the kernel's log, and the numbers that the firmware gives to the harts in use. Every chain must come to a
prompt, start programs that talk to each other, account for all of its memory, and end the way its firmware can; or, if
it cannot boot, say why.

A tree that QEMU would not make is the one it makes (dumpdtb), edited as text. What a chain needs is made anew in
BUILD/chains/CHAIN. A chain whose firmware is not installed is skipped, and says so.
"""
import argparse
import dataclasses
import itertools
import pathlib
import re
import shlex
import shutil
import struct
import subprocess
import sys

import qemu
import terminal
from qemu import GuestError

ROOT = pathlib.Path(__file__).resolve().parents[1]
OPENSBI = pathlib.Path("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin")
DISK = ROOT / "cross/disk.py"
U_BOOT = pathlib.Path("/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")


class Skip(Exception):
    """The chain cannot run here; the text says why."""


@dataclasses.dataclass
class Chain:
    """A machine: what differs from `./os2 run`, and what must be seen."""
    smp: int = 2
    memory: str = "128M"
    machine: str = "virt"
    arguments: tuple = ("-bios", "default")
    serials: tuple = ("mon:stdio",)
    harts: tuple = (0, 1)
    some: int = 0               # so many of them, whichever the firmware takes; 0: all
    log: tuple = ()             # regular expressions, each to be found in what is printed before the prompt
    end: str = "shutdown"       # the command that ends QEMU; "": none does
    prepare: object = lambda chain, folder, facts: {}  # makes files; returns more facts for qemu.command_line()
    seconds: int = 120          # to the prompt
    panic: str = ""             # instead of a prompt, this is to be seen
    append: str = ""            # boot arguments
    ends: bool = False          # and then QEMU ends: the machine was started again
    commands: tuple = ()        # more of them, each with what it prints
    later: tuple = ()           # regular expressions, to be found when the commands have run
    after: object = None        # (folder): looks at what is left, when QEMU has ended; GuestError: it is not right


def need(path, package):
    if not path.exists():
        raise Skip(f"{path} is not there (Debian package {package})")
    return str(path)


def run(*line):
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise GuestError(f"{' '.join(line)}: {done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def edited_tree(chain, folder, facts, edit):
    """QEMU's tree of this machine, changed by `edit`, which maps text to text; facts to boot with it."""
    dumped, text, made = folder / "dumped.dtb", folder / "tree.dts", folder / "tree.dtb"
    run(facts["qemu"], "-M", f"{chain.machine},dumpdtb={dumped}", "-smp", str(chain.smp), "-m", chain.memory,
        *chain.arguments, "-display", "none")
    run("dtc", "-q", "-I", "dtb", "-O", "dts", "-o", str(text), str(dumped))
    before = text.read_text(encoding="utf-8")
    after = edit(before)
    if after == before:
        raise GuestError("the tree was not changed")
    text.write_text(after, encoding="utf-8")
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(made), str(text))
    return {"arguments": [*chain.arguments, "-dtb", str(made)]}


def replace_node(text, name, body):
    """Every node whose name matches becomes `body`; it has no children."""
    return re.sub(rf"\n\s*{name} \{{[^{{}}]*\}};", f"\n{body}", text)


def hart_0_disabled(chain, folder, facts):
    def edit(text):
        return re.sub(r'(cpu@0 \{.*?status = )"okay"', r'\1"disabled"', text, count=1, flags=re.DOTALL)
    return edited_tree(chain, folder, facts, edit)


def two_banks(chain, folder, facts):
    """Two memory nodes with a hole between, a reserved child that names its place, and an empty one."""
    def edit(text):
        nodes = "".join(f"\tmemory@{base:x} {{ device_type = \"memory\"; reg = <0 {base:#x} 0 {size:#x}>; }};\n"
                        for base, size in ((0x90000000, 0x10000000), (0x80000000, 0x9000000)))
        reserved = ("\treserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;\n"
                    "\t\tkeep@92000000 { reg = <0 0x92000000 0 0x123000>; no-map; };\n"
                    "\t\tpool { size = <0 0x1000000>; };\n\t};\n")
        return replace_node(text, r"memory@80000000", nodes + reserved)
    return edited_tree(chain, folder, facts, edit)


def image_elf(image, base):
    """The flat Image as an ELF whose only segment goes to `base`, which is how QEMU is told another address."""
    size = struct.unpack_from("<Q", image, 16)[0]
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 243, 1, base, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 4096, base, base, len(image), size, 4096)
    return (head + segment).ljust(4096, b"\0") + image


def ram_elsewhere(chain, folder, facts):
    """RAM from 3 GiB on, as the tree has it; the tree itself, and OpenSBI, lie below, where it says nothing is."""
    elf = folder / "kernel.elf"
    elf.write_bytes(image_elf(pathlib.Path(facts["kernel"]).read_bytes(), 0xc0200000))

    def edit(text):
        return replace_node(text, r"memory@80000000",
                            '\tmemory@c0000000 { device_type = "memory"; reg = <0 0xc0000000 0 0x20000000>; };')
    return edited_tree(chain, folder, facts, edit) | {"kernel": str(elf)}


def image_higher(_chain, folder, facts):
    """The image far above the start of its bank, as somebody may load it by hand."""
    elf = folder / "kernel.elf"
    elf.write_bytes(image_elf(pathlib.Path(facts["kernel"]).read_bytes(), 0x84200000))
    return {"kernel": str(elf)}


def nodes_touch(chain, folder, facts):
    """Two memory nodes that touch, the upper one first; QEMU puts the archive at 0x84200000, across their border."""
    def edit(text):
        nodes = "".join(f"\tmemory@{base:x} {{ device_type = \"memory\"; reg = <0 {base:#x} 0 {size:#x}>; }};\n"
                        for base, size in ((0x84240000, 0x3dc0000), (0x80000000, 0x4240000)))
        return replace_node(text, r"memory@80000000", nodes)
    return edited_tree(chain, folder, facts, edit)


def bank_edge(chain, folder, facts):
    """The archive, from 0x84200000 on, ends where its bank does, in the middle of a page; the tree is in a hole."""
    end = 0x84200000 + (pathlib.Path(facts["archive"]).stat().st_size + 15 & ~15)

    def edit(text):
        nodes = "".join(f"\tmemory@{base:x} {{ device_type = \"memory\"; reg = <0 {base:#x} 0 {end - base:#x}>; }};\n"
                        for base, end in ((0x80000000, end), (0x84800000, 0x87c00000), (0x87f00000, 0x88000000)))
        return replace_node(text, r"memory@80000000", nodes)
    return edited_tree(chain, folder, facts, edit)


def many_reserved(chain, folder, facts):
    """More reserved ranges than there is room for, and more banks: gaps are given up, and the smallest banks."""
    def edit(text):
        reserved = "".join(f"\t\tr@{base:x} {{ reg = <0 {base:#x} 0 0x1000>; no-map; }};\n"
                           for base in range(0x82000000, 0x82000000 + 100 * 0x4000, 0x4000))
        banks = "".join(f" 0 {base:#x} 0 {0x1000 * (1 + (base >> 14 & 1)):#x}"
                        for base in range(0x86000000, 0x86000000 + 80 * 0x4000, 0x4000))
        memory = ('\tmemory@80000000 { device_type = "memory"; reg = <0 0x80000000 0 0x6000000 '
                  f"0 0x87000000 0 0x1000000{banks}>; }};\n")
        return replace_node(text, r"memory@80000000",
                            f"{memory}\treserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges;\n"
                            f"{reserved}\t}};\n")
    return edited_tree(chain, folder, facts, edit)


def far_bank(chain, folder, facts):
    """A bank so far away that descriptors for the hole would take all RAM there is; and one above the direct map."""
    def edit(text):
        return replace_node(text, r"memory@80000000",
                            '\tmemory@80000000 { device_type = "memory"; '
                            "reg = <0x1f 0 0 0x4000000  0x30 0 1 0  0 0x80000000 0 0x8000000>; };")
    return edited_tree(chain, folder, facts, edit)


def no_tree(_chain, folder, facts):
    """As U-Boot's `go` starts it: a1 is 0, by an instruction put before the Image's first one, which is a c.j."""
    image = bytearray(pathlib.Path(facts["kernel"]).read_bytes())
    first, = struct.unpack_from("<H", image)
    target = 0x40
    if first != (0xa001 | 1 << 7):   # c.j to `start`, 0x40 bytes on
        raise GuestError(f"the Image does not start with c.j {target:#x} but with {first:#x}")
    to = target - 2
    jump = 0xa001 | (to >> 5 & 1) << 2 | (to >> 1 & 7) << 3 | (to >> 4 & 1) << 11
    struct.pack_into("<HH", image, 0, 0x4581, jump)   # c.li a1, 0; c.j
    elf = folder / "kernel.elf"
    elf.write_bytes(image_elf(bytes(image), 0x80200000))
    return {"kernel": str(elf)}


def u_boot(_chain, folder, facts):
    """The very image that `./os2 image --board virt` writes, as a virtio disk."""
    card = folder / "card.img"
    told = run(sys.executable, str(ROOT / "cross/image.py"), "-o", str(card), facts["build"], "virt")
    return {"kernel": need(U_BOOT, "u-boot-qemu"), "archive": "", "told": told,
            "arguments": ["-bios", "default", "-drive", f"file={card},format=raw,if=none,id=card",
                          "-device", "virtio-blk-device,drive=card"]}


def commands_told(told, heading):
    """The indented lines below the one that ends with the heading."""
    lines = told[told.index(heading + "\n") + len(heading) + 1:].split("\n")
    return [line.strip() for line in itertools.takewhile(lambda line: line.startswith("    "), lines)]


def u_boot_by_hand(chain, folder, facts):
    """What it says to type at U-Boot's prompt, typed there."""
    other = u_boot(chain, folder, facts)
    return other | {"typed": ["virtio scan"] + commands_told(other["told"], "By hand, at its prompt:")}


def u_boot_by_tftp(chain, folder, facts):
    """The same with the commands for the network; QEMU's own server has the files."""
    other = u_boot(chain, folder, facts)
    for file in shlex.split(commands_told(other["told"], "on the server:")[0])[1:-1]:
        shutil.copy(file, folder)
    typed = [line.replace("SERVER", "10.0.2.2") for line in commands_told(other["told"], "and at U-Boot's prompt:")]
    return other | {"typed": typed,
                    "arguments": ["-bios", "default", "-netdev", f"user,id=net,tftp={folder}",
                                  "-device", "virtio-net-device,netdev=net"]}


def icicle(_chain, folder, _facts):
    tree = folder / "icicle.dtb"
    run("dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(tree), str(ROOT / "tests/trees/icicle.dts"))
    return {"arguments": ["-bios", need(OPENSBI, "opensbi"), "-dtb", str(tree)]}


CARD_FILES = {"hello.txt": b"hello from the host\n", "many.bin": bytes(range(256)) * 777 + b"end"}


def sd_card(_chain, folder, _facts):
    """A card with files of the host's."""
    card = folder / "card.img"
    run(sys.executable, str(DISK), "make", str(card), "--size", "64M")  # a power of two, as QEMU wants it of cards
    for name, text in CARD_FILES.items():
        (folder / name).write_bytes(text)
        run(sys.executable, str(DISK), "put", str(card), str(folder / name))
    return {"disk": str(card)}


def sd_card_after(folder):
    got = folder / "got"
    shutil.rmtree(got, ignore_errors=True)
    got.mkdir()
    run(sys.executable, str(DISK), "get", str(folder / "card.img"), "/disk/note", "/disk/copy.bin", "--to", str(got))
    if (got / "note").read_bytes() != b"written here\n" or (got / "copy.bin").read_bytes() != CARD_FILES["many.bin"]:
        raise GuestError("the host does not read what was written")


def no_archive(_chain, _folder, _facts):
    return {"archive": ""}


def archive_over_kernel(chain, folder, facts):
    """Who loaded the archive wrote it over the kernel's last pages, or says so."""
    def edit(text):
        return text.replace("chosen {", "chosen { linux,initrd-start = <0 0x80210000>; "
                            "linux,initrd-end = <0 0x80310000>;")
    return edited_tree(chain, folder, facts, edit) | {"archive": ""}


def banks_overlap(chain, folder, facts):
    """Firmware and its own tree both name the memory, not in the same words."""
    def edit(text):
        nodes = "".join(f"\tmemory@{base:x} {{ device_type = \"memory\"; reg = <0 {base:#x} 0 {size:#x}>; }};\n"
                        for base, size in ((0x82000000, 0x1000000), (0x80000000, 0x8000000)))
        return replace_node(text, r"memory@80000000", nodes)
    return edited_tree(chain, folder, facts, edit)


def small_controller(chain, folder, facts):
    """An interrupt controller without room for its contexts."""
    def edit(text):
        return re.sub(r"(plic@c000000 \{.*?reg = <0x00 0xc000000 0x00) 0x\w+>", r"\1 0x1000>", text, flags=re.DOTALL)
    return edited_tree(chain, folder, facts, edit)


def no_uart_interrupt(chain, folder, facts):
    """The UART's interrupt line is not connected: the console polls, and says so."""
    def edit(text):
        return re.sub(r"(serial@10000000 \{[^}]*?)\tinterrupts = [^;]*;", r"\1", text)
    return edited_tree(chain, folder, facts, edit)


def reserved_uart(chain, folder, facts):
    """The UART is the firmware's own, as its node says: the console is the firmware's."""
    def edit(text):
        return text.replace("serial@10000000 {", 'serial@10000000 { status = "reserved";')
    return edited_tree(chain, folder, facts, edit)


def unknown_uart(chain, folder, facts):
    """U-Boot makes the UART one of a kind that has no driver, after OpenSBI has found it."""
    other = u_boot_by_hand(chain, folder, facts)
    *load, boot = other["typed"]
    return other | {"typed": [*load, "fdt addr ${fdtcontroladdr}", "fdt set /soc/serial@10000000 compatible acme,uart",
                              boot]}


def foreign_interrupt(chain, folder, facts):
    """The console's UART is wired to the first processor's own controller, not to the PLIC."""
    def edit(text):
        local = re.search(r"cpu@0 \{.*?interrupt-controller \{.*?phandle = <(0x\w+)>", text, flags=re.DOTALL).group(1)
        return re.sub(r"(serial@10000000 \{[^}]*interrupt-parent = <)0x\w+>", rf"\g<1>{local}>", text)
    return edited_tree(chain, folder, facts, edit)


def no_mmu_in_tree(chain, folder, facts):
    return edited_tree(chain, folder, facts, lambda text: re.sub(r"mmu-type = [^;]*;", "", text))


def long_arguments(chain, folder, facts):
    def edit(text):
        return text.replace("chosen {", f'chosen {{ bootargs = "os2.noasid {"x" * 2000} os2.notime";')
    return edited_tree(chain, folder, facts, edit)


def no_hsm(chain, folder, facts):
    return edited_tree(chain, folder, facts, lambda text: text.replace("chosen {", 'chosen { bootargs = "os2.nohsm";'))


FIRMWARES = (r"init\(\d+\): no UART that I know in the device tree: the console is the firmware's",
             r"the firmware's console has no interrupt: it is polled")

CHAINS = {
    "opensbi": Chain(log=(r"image at 80200000", r"RAM 80000000\.\.88000000", r"clock 10000000 Hz",
                          r"2 of 2 cores are up")),
    "u-boot": Chain(memory="512M", prepare=u_boot,
                    log=(r"U-Boot ", r"Found /extlinux/extlinux.conf", r"Starting kernel", r"image at 80200000",
                         r"2 of 2 cores are up")),
    "u-boot by hand": Chain(memory="512M", prepare=u_boot_by_hand,
                            log=(r"Retrieving file: /boot.cpio", r"Starting kernel")),
    "u-boot by TFTP": Chain(memory="512M", prepare=u_boot_by_tftp, log=(r"Bytes transferred", r"Starting kernel")),
    "sifive_u": Chain(machine="sifive_u", smp=5, memory="512M", harts=(1, 2, 3, 4), end="reboot",
                      log=(r"4 cpus, clock 1000000 Hz", r"timer by SBI", r"4 of 4 cores are up"),
                      later=(r"disk0: no card; it is looked for each second",),
                      commands=(("ls /disk", "ls: /disk: no such file\n"), ("devices", "disk0            sd_spi"))),
    "SD card": Chain(machine="sifive_u", smp=5, memory="512M", harts=(1, 2, 3, 4), end="reboot", prepare=sd_card,
                     later=(r"disk0: an SD card of 64 MiB",), after=sd_card_after,
                     commands=(("cat /disk/hello.txt", "hello from the host\n"),
                               ("echo written here > /disk/note; cat /disk/note", "written here\n"),
                               ("cp /disk/many.bin /disk/copy.bin; cmp /disk/many.bin /disk/copy.bin && echo same",
                                "same\n"), ("sync; echo $?", "0\n"))),
    "icicle": Chain(machine="microchip-icicle-kit", smp=5, memory="2G", serials=("null", "mon:stdio"), prepare=icicle,
                    harts=(1, 2, 3, 4), end="",
                    log=(r"RAM 80000000\.\.c0000000", r"RAM 1000000000\.\.1040000000", r"4 of 4 cores are up")),
    "hart 0 disabled": Chain(smp=4, harts=(1, 2, 3), prepare=hart_0_disabled, log=(r"3 of 3 cores are up",)),
    "two banks": Chain(memory="512M", prepare=two_banks,
                       log=(r"RAM 90000000\.\.a0000000", r"RAM 80000000\.\.89000000")),
    "ram elsewhere": Chain(memory="2G", prepare=ram_elsewhere,
                           log=(r"image at c0200000, device tree at bf", r"copied bf", r"RAM c0000000\.\.e0000000")),
    "image higher": Chain(memory="512M", prepare=image_higher,
                          log=(r"image at 84200000", r"RAM 80000000\.\.84200000, below the image, is left to")),
    "nodes touch": Chain(prepare=nodes_touch, log=(r"RAM 80000000\.\.88000000\n",)),
    "far bank": Chain(prepare=far_bank, log=(r"RAM 1f00000000\.\.1f04000000 is too far from the rest to be used",
                                             r"RAM 3000000000\.\.3100000000 is out of reach: not used",
                                             r"init: .*quota \d+ of 32768")),
    "no tree": Chain(prepare=no_tree, panic=r"kernel panic: no device tree: a1 is 0. U-Boot: `booti "),
    "bank edge": Chain(prepare=bank_edge, log=(r"copied 84200000\.\.\w+, which is not in RAM that can be used",
                                               r"copied 87e00000\.\.\w+, which is not in RAM that can be used")),
    "many ranges": Chain(prepare=many_reserved, log=(r"more than 64 pieces: the smallest, \d+ KiB, are not used",
                                                     r"reserved memory is in \d+ pieces too many")),
    "smp 8": Chain(smp=8, harts=tuple(range(8)), log=(r"8 of 8 cores are up",)),
    "64 MiB": Chain(memory="64M", log=(r"RAM 80000000\.\.84000000",)),
    "8 GiB": Chain(memory="8G", log=(r"RAM 80000000\.\.280000000",)),
    "no archive": Chain(prepare=no_archive, panic=r"OS2\n(\[.*\n)+\n*kernel panic: no boot archive"),
    "panic restarts": Chain(prepare=no_archive, append="os2.panic=restart", ends=True,
                            panic=r"kernel panic: no boot archive"),
    "archive over kernel": Chain(prepare=archive_over_kernel,
                                 panic=r"kernel panic: the boot archive at 80210000\.\.80310000 lies over the kernel"),
    "banks overlap": Chain(prepare=banks_overlap, log=(r"RAM 82000000\.\.83000000 is in the device tree twice",
                                                       r"init: .*quota \d+ of 32768")),
    "small controller": Chain(prepare=small_controller,
                              log=(r"context \d lies outside of the interrupt controller's 1000 bytes",)),
    "no UART interrupt": Chain(prepare=no_uart_interrupt,
                               log=(r"the UART has no interrupt: it is polled",)),
    "foreign interrupt": Chain(prepare=foreign_interrupt,
                               log=(r"the console's interrupt goes to a controller that the kernel does not drive",)),
    "reserved UART": Chain(prepare=reserved_uart, log=FIRMWARES),
    "unknown UART": Chain(memory="512M", prepare=unknown_uart, log=FIRMWARES),
    "no HSM": Chain(prepare=no_hsm, smp=3, harts=(0, 1, 2), some=1,
                    log=(r"the firmware starts no harts \(no HSM\): those that it sent here itself are waited for",
                         r"\A((?!does not start it)[\s\S])*\Z", r"core 2 \(cpu [12]\) has not arrived",
                         r"1 of 3 cores are up")),
    "no MMU in the tree": Chain(prepare=no_mmu_in_tree, smp=1, harts=(0,), log=(r"1 of 1 cores are up",)),
    "long arguments": Chain(prepare=long_arguments, log=(r"2022 bytes of boot arguments: those from 1023 on",
                                                         r"ASIDs 0\.\.65535 not used, .*stimecmp")),
    "no Sv39": Chain(arguments=("-bios", "default", "-cpu", "rv64,mmu=off"), smp=1, panic=r"\nOS\?$"),
    "no floating point": Chain(arguments=("-bios", "default", "-cpu", "rv64,f=off,d=off"), smp=1,
                               panic=r"kernel panic: hart [01] has no floating point"),
    "sifive-u54": Chain(arguments=("-bios", "default", "-cpu", "sifive-u54"), log=(r"timer by SBI",)),
}


def type_at_u_boot(guest, lines):
    """Stops U-Boot as it counts down, and types the lines at its prompt."""
    at = guest.until("Hit any key to stop autoboot", 0)
    guest.type(" ")
    for line in lines:
        at = guest.until("\n=> ", at)
        guest.type(line + "\r")


def judge(chain, line, typed):
    """Boots; yields a line for each thing seen. GuestError: it was not."""
    with terminal.Terminal(line) as guest:
        guest.seconds = chain.seconds
        if chain.panic:
            try:
                while not re.search(chain.panic, terminal.clean(guest.text)):
                    if guest.read(chain.seconds) is False or qemu.PROMPT in guest.text:
                        raise GuestError(f"the boot does not print {chain.panic}")
            except GuestError as error:
                raise GuestError(f"{error}\n{guest.comment()}") from None
            yield f"prints {chain.panic}"
            if chain.ends:
                while guest.read(chain.seconds) is not False:
                    pass
                yield "starts again"
            return
        try:
            if typed:
                type_at_u_boot(guest, typed)
            booted = guest.prompt(0)
            yield "comes to a prompt"
            for pattern in chain.log:
                if not re.search(pattern, booted):
                    raise GuestError(f"the boot does not print {pattern}")
                yield f"prints {pattern}"
            rows = [row.split() for row in guest.command("cores").splitlines()[1:]]
            harts = sorted(int(row[1]) for row in rows if row[-1] == "runs")
            if len(harts) != (chain.some or len(chain.harts)) or not set(harts) <= set(chain.harts):
                raise GuestError(f"harts {harts} run, not {list(chain.harts)}")
            yield f"runs on harts {harts}"
            for command, shown in (("echo a line | cat | cat", "a line\n"), ("primes 2000", "303 primes up to 2000"),
                                   ("mem", "the states add up to the RAM"), *chain.commands):
                if shown not in (got := guest.command(command)):
                    raise GuestError(f"{command} does not print {shown!r} but {got!r}")
                yield command
            for pattern in chain.later:
                if not re.search(pattern, terminal.clean(guest.text)):
                    raise GuestError(f"{pattern} is not printed")
                yield f"prints {pattern}"
            if chain.end:
                guest.type(chain.end + "\r")
                while guest.read(chain.seconds) is not False:
                    pass
                if (status := guest.wait(10)) != 0:
                    raise GuestError(f"QEMU ended with {status}")
                yield f"ends by {chain.end}"
        except GuestError as error:
            raise GuestError(f"{error}\n{guest.comment()}") from None


def run_chain(args, name):
    chain = CHAINS[name]
    folder = pathlib.Path(args.build) / "chains" / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    facts, _ = qemu.command_line(args.build, 1, "128M")
    try:
        other = {"machine": chain.machine, "arguments": list(chain.arguments), "serials": chain.serials}
        other |= chain.prepare(chain, folder, facts | {"build": args.build})
    except Skip as reason:
        print(f"1..0 # SKIP {reason}")
        return 0
    _, line = qemu.command_line(args.build, chain.smp, chain.memory, f"{args.append} {chain.append}".strip(),
                                   **other)
    if args.dry_run:
        print(shlex.join(line))
        return 0
    print(f"# {shlex.join(line)}", flush=True)
    seen = 0
    try:
        for seen, what in enumerate(judge(chain, line, other.get("typed")), 1):
            print(f"ok {seen} - {what}".replace("#", ""), flush=True)
        if chain.after:
            chain.after(folder)
            seen += 1
            print(f"ok {seen} - the host reads what was written", flush=True)
    except GuestError as error:
        print(f"not ok {seen + 1} - {error}\n1..{seen + 1}")
        return 1
    print(f"1..{seen}")
    return 0


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CHAINS))
        return 0
    parser = argparse.ArgumentParser(description="Boot OS2 by a chain of firmware, on a machine.")
    qemu.add_options(parser)
    parser.add_argument("chain", choices=CHAINS)
    args = parser.parse_args()
    return run_chain(args, args.chain)


if __name__ == "__main__":
    sys.exit(main())
