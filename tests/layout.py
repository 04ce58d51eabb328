# SPDX-License-Identifier: MIT
"""Where things lie in a machine with little memory.

QEMU's RISC-V machine puts the boot archive at the half of the memory behind the kernel, and the device tree, for which
it keeps 1 MiB, near the end. From 7 to 8 MiB these two meet, and QEMU refuses ("Some ROM regions are overlapping").
Then the archive goes to the end of memory, and a copy of QEMU's own tree says so: its size is known, so it needs no
1 MiB.
"""
import pathlib
import re
import struct
import subprocess
import tempfile
import zlib

UNITS = {"": 1 << 20, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
MIB = 1 << 20
RAM, KERNEL, PAGE = 0x80000000, 2 * MIB, 4096  # of the machine `virt`: where RAM begins, where in it the kernel lies
QEMU_TREE, TREE_ALIGN = MIB, 2 * MIB
BEGIN_NODE, PROPERTY = 1, 3


def memory_bytes(text):
    """What QEMU's -m takes it for: MiB where no unit is given. None: QEMU will say what is wrong."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([bkmgt]?)", text, re.IGNORECASE)
    return int(float(match[1]) * UNITS[match[2].lower()]) if match else None


def meet(memory, archive):
    """Whether QEMU's places for an archive of that size and for the tree overlap; all in bytes."""
    initrd = KERNEL + min(memory // 2, 128 * MIB)
    tree = (memory - QEMU_TREE) // TREE_ALIGN * TREE_ALIGN
    return initrd < tree + QEMU_TREE and tree < initrd + archive


def add_archive(tree, base, size):
    """A flattened tree whose /chosen names the archive."""
    _, _, at, strings_at, reserved_at, *rest, strings_size, size_of = struct.unpack_from(">10I", tree)
    reserved = tree[reserved_at:at]
    nodes, strings = tree[at:at + size_of], tree[strings_at:strings_at + strings_size]
    chosen = struct.pack(">I", BEGIN_NODE) + b"chosen\0\0"
    where = nodes.index(chosen) + len(chosen)
    added = b""
    for name, value in ((b"linux,initrd-start\0", base), (b"linux,initrd-end\0", base + size)):
        added += struct.pack(">IIIQ", PROPERTY, 8, len(strings), value)
        strings += name
    nodes = nodes[:where] + added + nodes[where:]
    offsets = [40, 40 + len(reserved), 40 + len(reserved) + len(nodes)]
    head = struct.pack(">10I", 0xd00dfeed, offsets[2] + len(strings), offsets[1], offsets[2], offsets[0], *rest,
                       len(strings), len(nodes))
    return head + reserved + nodes + strings


def archive_arguments(machine, line, folder, memory):
    """QEMU's arguments for the boot archive; `line` is the command line without them. None: -initrd will do."""
    archive = pathlib.Path(machine["archive"])
    if machine["arch"] != "riscv64" or machine["machine"] != "virt" or "-dtb" in line or not archive.exists():
        return None
    size = archive.stat().st_size
    if not memory or not meet(memory, size):
        return None
    end = (memory - size) // PAGE * PAGE
    with tempfile.TemporaryDirectory() as dumped:
        path = pathlib.Path(dumped) / "tree.dtb"
        subprocess.run([*line, "-machine", f"dumpdtb={path}"], check=True, capture_output=True)
        tree = add_archive(path.read_bytes(), RAM + end, size)
    made = pathlib.Path(folder) / f"tree-{zlib.crc32(tree):08x}.dtb"  # named by what is in it: no run changes another's
    made.write_bytes(tree)
    return ["-dtb", str(made), "-device", f"loader,file={archive},addr={RAM + end:#x},force-raw=on"]
