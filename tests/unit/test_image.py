#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cross/image.py: the image's partition table and files for every board, and what it refuses."""
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import uuid
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "cross"))
import image  # noqa: E402


def kernel(size=0x30000, magic=b"RSC\x05"):
    head = struct.pack("<IIQQQIIQ8s", 0, 0, 0x200000, size, 0, 2, 0, 0, b"RISCV")
    return head.ljust(0x38, b"\0") + magic + bytes(9000)


class ImageTest(unittest.TestCase):
    def setUp(self):
        if not shutil.which("mformat"):
            self.skipTest("mformat is not installed (Debian package mtools)")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "Image").write_bytes(kernel())
        (self.folder / "boot.cpio").write_bytes(b"070701" + bytes(1000))
        (self.folder / "machine.json").write_text(json.dumps(
            {"kernel": str(self.folder / "Image"), "archive": str(self.folder / "boot.cpio"), "qemu": "qemu"}))

    def make(self, board, *options):
        path = self.folder / "card.img"
        done = subprocess.run([sys.executable, str(ROOT / "cross/image.py"), "-o", str(path), *options,
                               str(self.folder), board], capture_output=True, text=True, check=False)
        return done, path.read_bytes() if path.exists() else b""

    def table(self, data):
        """The partitions by number, from the first table; that it and its copy are whole."""
        tables = []
        for at in (512, len(data) - 512):
            head = bytearray(data[at:at + 92])
            _, _, size, crc, _, here, other, first, last = struct.unpack_from("<8sIIIIQQQQ", head)
            entries_at, count, entry, entries_crc = struct.unpack_from("<QIII", head, 72)
            struct.pack_into("<I", head, 16, 0)
            entries = data[entries_at * 512:entries_at * 512 + count * entry]
            self.assertEqual((size, zlib.crc32(head), zlib.crc32(entries), here), (92, crc, entries_crc, at // 512))
            self.assertEqual(other * 512, len(data) - at)
            tables.append((entries, first, last))
        self.assertEqual(tables[0], tables[1])
        found = {}
        for number in range(128):
            kind, _, first, last, flags = struct.unpack_from("<16s16sQQQ", tables[0][0], number * 128)
            if any(kind):
                self.assertTrue(tables[0][1] <= first <= last <= tables[0][2])
                found[number + 1] = (str(uuid.UUID(bytes_le=kind)).upper(), first, last, flags)
        return found

    def file(self, name):
        drive = f"{self.folder / 'card.img'}@@{image.FAT_FIRST * 512}"
        return subprocess.run(["mtype", "-i", drive, f"::/{name}"], capture_output=True, check=True).stdout

    def test_every_board(self):
        for board in image.board_names():
            done, data = self.make(board, "--append", "os2.noasid")
            self.assertEqual(done.returncode, 0, done.stderr)
            found = self.table(data)
            number = 1 if board == "virt" else 3
            self.assertEqual(found, {number: (image.BASIC_DATA, 16384, 16384 + 131072 - 1, 4),
                                     number + 1: (image.BASIC_DATA, 147456, 147456 + 262144 - 1, 0)})
            self.assertEqual(data[510:512], b"\x55\xaa")
            self.assertEqual(self.file("Image"), kernel())
            self.assertEqual(self.file("boot.cpio"), (self.folder / "boot.cpio").read_bytes())
            lines = [line.split() for line in self.file("extlinux/extlinux.conf").decode().splitlines()]
            for line in (["kernel", "/Image"], ["initrd", "/boot.cpio"], ["append", "os2.noasid"]):
                self.assertIn(line, lines)
            self.assertIn("tftpboot", done.stdout)
            self.assertIn(f"sysboot {'virtio 0' if board == 'virt' else 'mmc'}", done.stdout)
            self.assertEqual(self.make(board, "--append", "os2.noasid")[1], data, "made twice, it differs")

    def test_firmware(self):
        (self.folder / "spl").write_bytes(b"spl!" * 1000)
        (self.folder / "itb").write_bytes(b"itb!" * 1000)
        for board in ("unleashed", "unmatched", "visionfive2"):
            done, data = self.make(board, "--spl", str(self.folder / "spl"), "--u-boot", str(self.folder / "itb"))
            self.assertEqual(done.returncode, 0, done.stderr)
            found = self.table(data)
            self.assertEqual(sorted(found), [1, 2, 3, 4])
            self.assertEqual(data[found[1][1] * 512:][:4000], b"spl!" * 1000)
            self.assertEqual(data[found[2][1] * 512:][:4000], b"itb!" * 1000)
            self.assertLess(found[1][2], found[2][1])
            self.assertLess(found[2][2], found[3][1])
        self.assertIn("does not come from a card", self.make("virt", "--spl", str(self.folder / "spl"))[0].stderr)

    def test_vendor_environment(self):
        """The vendor's U-Boot imports at most 512 bytes of variables and runs boot2."""
        done, _ = self.make("visionfive2")
        text = self.file("vf2_uEnv.txt").decode()
        name, command = text.rstrip("\n").split("=", 1)
        self.assertEqual(name, "boot2")
        self.assertEqual(command, "setenv fdt_addr ${fdtcontroladdr}; "
                         "sysboot mmc 1:3 any ${scriptaddr} /extlinux/extlinux.conf")
        self.assertIn(f"    {command}\n", done.stdout)
        self.assertLess(len(text), 512)

    def test_refused(self):
        self.assertIn("no such board", self.make("toaster")[0].stderr)
        (self.folder / "Image").write_bytes(kernel(magic=b"MZ\0\0"))
        self.assertIn("no RISC-V Image header", self.make("virt")[0].stderr)
        (self.folder / "Image").write_bytes(kernel(size=0x3800000))
        self.assertIn("reaches past 0x43900000", self.make("visionfive2")[0].stderr)
        self.assertEqual(self.make("unleashed")[0].returncode, 0)


class LauncherTest(unittest.TestCase):
    """./os2 image, in a copy of the tree whose kernel is built already, called from another folder."""

    def setUp(self):
        for program in ("mformat", "ninja", "meson", "riscv64-unknown-elf-gcc"):
            if not shutil.which(program):
                self.skipTest(f"{program} is not installed")
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.tree, self.user = self.folder / "tree", self.folder / "user"
        build = self.tree / "build/riscv64"
        for made in (build, self.user):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "os2", self.tree)
        shutil.copytree(ROOT / "cross", self.tree / "cross")
        (build / "build.ninja").write_text("build all: phony\n")
        (build / "Image").write_bytes(kernel())
        (build / "boot.cpio").write_bytes(b"070701" + bytes(1000))
        (build / "machine.json").write_text(json.dumps(
            {"kernel": str(build / "Image"), "archive": str(build / "boot.cpio"), "qemu": "qemu"}))
        for name in ("tree.dtb", "spl", "u-boot"):
            (self.user / name).write_bytes(name.encode() * 100)

    def run_os2(self, folder, *options):
        return subprocess.run([str(self.tree / "os2"), "image", *options], cwd=folder, capture_output=True, text=True,
                              check=False)

    def test_files_are_the_users(self):
        done = self.run_os2(self.user, "--board", "visionfive2", "-o", "card.img", "--", "--dtb", "tree.dtb", "--spl",
                            "spl", "--u-boot", "u-boot")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.user / "card.img").exists())
        self.assertFalse((self.tree / "card.img").exists())
        self.assertIn("card.img: ", done.stdout)

    def test_other_folders(self):
        for folder, shown in ((self.user, self.tree / "build/os2-virt.img"), (self.tree, "build/os2-virt.img")):
            done = self.run_os2(folder, "--board", "virt")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((self.tree / "build/os2-virt.img").exists())
            self.assertIn(f"{shown}: ", done.stdout)
            (self.tree / "build/os2-virt.img").unlink()
        self.assertEqual(self.run_os2(self.user, "--board", "virt", "-n", "-o", "x.img").returncode, 0)


if __name__ == "__main__":
    unittest.main()
