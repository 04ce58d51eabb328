#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write an SD-card image for a board, and say how to get it there.

    image.py [options] BUILD BOARD

BUILD is a meson build folder for a machine. BOARD names a file of facts in cross/boards/. The image has a GPT, an
empty FAT partition, which is OS2's /disk, and one with what U-Boot's standard boot looks for:

    /extlinux/extlinux.conf    what to boot
    /Image, /boot.cpio         the kernel and its boot archive
    /board.dtb                 only with --dtb; else the kernel gets the tree that U-Boot itself uses
    /vf2_uEnv.txt              VisionFive 2: how the vendor's U-Boot, which does not search the card, finds all this

That partition has the "bootable" attribute, so U-Boot finds it whatever its number. The card holds firmware only if
files are given for it (--spl, --u-boot): most boards have theirs in flash, and a card without leaves it in charge.

Nothing is mounted and no root is needed: the partition table is written here, the FAT by mtools. All is made from the
arguments alone, without the clock or chance, so that the same inputs give the same image.
"""
import argparse
import configparser
import json
import os
import pathlib
import shlex
import struct
import subprocess
import sys
import tempfile
import uuid
import zlib

SECTOR = 512
ENTRIES, ENTRY_BYTES = 128, 128
TABLE_SECTORS = ENTRIES * ENTRY_BYTES // SECTOR
BASIC_DATA = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
BOOTABLE = 1 << 2  # GPT attribute "legacy BIOS bootable", which is U-Boot's `part list -bootable`
FAT_FIRST = 16384  # behind every board's firmware
FAT_SECTORS = 131072  # 64 MiB
DISK_FIRST = FAT_FIRST + FAT_SECTORS
DISK_SECTORS = 262144  # 128 MiB
BOARDS = pathlib.Path(__file__).resolve().parent / "boards"


class ImageError(Exception):
    """The image cannot be made; the text says why."""


def number(section, key):
    return int(section[key], 0)


def load_board(name):
    board = configparser.ConfigParser()
    if not board.read(BOARDS / f"{name}.ini", encoding="utf-8"):
        raise ImageError(f"no such board: {name} (there are {', '.join(board_names())})")
    return board


def board_names():
    return sorted(path.stem for path in BOARDS.glob("*.ini"))


def check_kernel(image, board):
    """The kernel must have the header U-Boot looks for, and fit where this board loads it."""
    if len(image) < 64 or image[0x38:0x3c] != b"RSC\x05":
        raise ImageError("the kernel has no RISC-V Image header")
    text_offset, size = struct.unpack_from("<QQ", image, 8)
    run = number(board["board"], "ram") + text_offset
    limit = number(board["load"], "limit" if "limit" in board["load"] else "archive")
    for start in (run, number(board["load"], "kernel")):
        if start < limit < start + size:
            raise ImageError(f"the kernel at {start:#x} takes {size:#x} bytes and reaches past {limit:#x}")


def stable_uuid(*words):
    return uuid.uuid5(uuid.NAMESPACE_URL, "os2:" + ":".join(words))


def partition_entry(board_name, title, kind, first, last, attributes):
    return struct.pack("<16s16sQQQ72s", uuid.UUID(kind).bytes_le, stable_uuid(board_name, title).bytes_le, first, last,
                       attributes, title.encode("utf-16-le"))


def header(board_name, sectors, here, other, table, table_crc):
    def packed(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, TABLE_SECTORS + 2,
                           sectors - TABLE_SECTORS - 2, stable_uuid(board_name).bytes_le, table, ENTRIES, ENTRY_BYTES,
                           table_crc)
    return packed(zlib.crc32(packed(0))).ljust(SECTOR, b"\0")


def write_table(file, board_name, partitions, sectors):
    """A protective MBR, the GPT, and its copy at the end. `partitions`: number -> (title, type, first, last, flags)."""
    entries = b"".join(
        partition_entry(board_name, *partitions[n]) if n in partitions else bytes(ENTRY_BYTES)
        for n in range(1, ENTRIES + 1))
    crc = zlib.crc32(entries)
    mbr = bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff", 1, sectors - 1) + bytes(48)
    copy = sectors - 1 - TABLE_SECTORS
    file.seek(0)
    file.write(mbr + b"\x55\xaa" + header(board_name, sectors, 1, sectors - 1, 2, crc) + entries)
    file.seek(copy * SECTOR)
    file.write(entries + header(board_name, sectors, sectors - 1, 1, copy, crc))


def extlinux(title, arguments, has_tree):
    lines = ["default os2", "timeout 10", "label os2", f"    menu label OS2 ({title})", "    kernel /Image",
             "    initrd /boot.cpio"]
    if has_tree:
        lines.append("    fdt /board.dtb")
    if arguments:
        lines.append(f"    append {arguments}")
    return "\n".join(lines) + "\n"


def by_hand(board):
    """The U-Boot command that does what U-Boot does by itself, also in those before 2022.01, whose sysboot hands on its
    own tree only when told to."""
    part = f"{board['board']['device']}:{board['boot partition']['number']}"
    return f"setenv fdt_addr ${{fdtcontroladdr}}; sysboot {part} any ${{scriptaddr}} /extlinux/extlinux.conf"


def write_fat(path, files):
    """Format the boot partition in the image at `path` and copy `files` (name -> bytes) into it; format the other
    one."""
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1", SOURCE_DATE_EPOCH="315532800", TZ="UTC")
    drive = f"{path}@@{FAT_FIRST * SECTOR}"

    def run(*line):
        try:
            subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError:
            raise ImageError(f"{line[0]} is needed (Debian package mtools)") from None
        except subprocess.CalledProcessError as error:
            raise ImageError(f"{shlex.join(line)}: {error.stdout.decode(errors='replace').strip()}") from None

    shape = ("-h", "255", "-s", "63", "::")
    run("mformat", "-i", f"{path}@@{DISK_FIRST * SECTOR}", "-v", "OS2", "-N", "05200002", "-T", str(DISK_SECTORS),
        "-c", "8", *shape)
    run("mformat", "-i", drive, "-v", "OS2BOOT", "-N", "05200001", "-T", str(FAT_SECTORS), *shape)
    run("mmd", "-i", drive, "::/extlinux")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            source = pathlib.Path(folder) / "file"
            source.write_bytes(data)
            os.utime(source, (315532800, 315532800))
            run("mcopy", "-m", "-i", drive, str(source), f"::/{name}")


def add_firmware(file, board, name, path, partitions):
    section = f"{name} partition"
    if section not in board:
        raise ImageError(f"this board's {name} does not come from a card")
    first, last = number(board[section], "first"), number(board[section], "last")
    data = path.read_bytes()
    if len(data) > (last + 1 - first) * SECTOR:
        raise ImageError(f"{path}: {len(data)} bytes are too many for the partition of {name}")
    file.seek(first * SECTOR)
    file.write(data)
    partitions[1 + (name == "u-boot")] = (name, board[section]["type"], first, last, 0)


def make(args, board, kernel, archive):
    files = {"extlinux/extlinux.conf": extlinux(board["board"]["name"], args.append, args.dtb).encode(),
             "Image": kernel, "boot.cpio": archive}
    if args.dtb:
        files["board.dtb"] = args.dtb.read_bytes()
    if "environment" in board["board"]:
        files[board["board"]["environment"]] = f"boot2={by_hand(board)}\n".encode()
    sectors = DISK_FIRST + DISK_SECTORS + TABLE_SECTORS + 1
    boot = number(board["boot partition"], "number")
    partitions = {boot: ("os2", BASIC_DATA, FAT_FIRST, DISK_FIRST - 1, BOOTABLE),
                  boot + 1: ("disk", BASIC_DATA, DISK_FIRST, DISK_FIRST + DISK_SECTORS - 1, 0)}
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with open(args.output, "wb") as file:
        file.truncate(sectors * SECTOR)
        for name, path in (("spl", args.spl), ("u-boot", args.u_boot)):
            if path:
                add_firmware(file, board, name, path, partitions)
        write_table(file, args.board, partitions, sectors)
    write_fat(args.output, files)


def explain(args, board, machine):
    """The exact commands, for the card and for the network."""
    load, image = board["load"], shlex.quote(str(args.output))
    print(f"{args.output}: {board['board']['name']}, {args.output.stat().st_size >> 20} MiB\n")
    if args.board == "virt":
        print("To boot it in QEMU, through OpenSBI and U-Boot (Debian package u-boot-qemu):\n"
              f"    {machine['qemu']} -M virt -smp 2 -m 512M -nographic -bios default \\\n"
              "        -kernel /usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin \\\n"
              f"        -drive file={image},format=raw,if=none,id=card -device virtio-blk-device,drive=card")
    else:
        print("To write it to a card, with the name lsblk shows for the card in place of sdX (all on it is lost):\n"
              f"    sudo dd if={image} of=/dev/sdX bs=4M conv=fsync status=progress")
    print(f"U-Boot boots it by itself, from 2022.01 on. By hand, at its prompt:\n    {by_hand(board)}\n")
    print("To boot over the network, with SERVER's address, on the server:\n"
          f"    cp {shlex.quote(machine['kernel'])} {shlex.quote(machine['archive'])} /srv/tftp/\n"
          "and at U-Boot's prompt:\n"
          "    setenv autoload no; dhcp; setenv serverip SERVER\n"
          f"    tftpboot {load['kernel']} Image\n"
          f"    tftpboot {load['archive']} boot.cpio\n"
          f"    setenv bootargs {shlex.quote(args.append)}\n"
          f"    booti {load['kernel']} {load['archive']}:${{filesize}} ${{fdtcontroladdr}}")


def main():
    parser = argparse.ArgumentParser(description="Write an SD-card image for a board.")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="image file (build/os2-BOARD.img)")
    parser.add_argument("--append", default="", help="boot arguments")
    parser.add_argument("--dtb", type=pathlib.Path, help="device tree to boot with, instead of U-Boot's own")
    parser.add_argument("--spl", type=pathlib.Path, help="put this SPL on the card")
    parser.add_argument("--u-boot", type=pathlib.Path, help="put this U-Boot (u-boot.itb) on the card")
    parser.add_argument("build", type=pathlib.Path, help="build folder")
    parser.add_argument("board", help=", ".join(board_names()))
    args = parser.parse_args()
    args.output = args.output or pathlib.Path("build") / f"os2-{args.board}.img"
    try:
        board = load_board(args.board)
        machine = json.loads((args.build / "machine.json").read_text(encoding="utf-8"))
        kernel = pathlib.Path(machine["kernel"]).read_bytes()
        check_kernel(kernel, board)
        make(args, board, kernel, pathlib.Path(machine["archive"]).read_bytes())
    except (ImageError, OSError) as error:
        sys.exit(f"os2: {error}")
    explain(args, board, machine)


if __name__ == "__main__":
    main()
