#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a CD image that boots OS2 on a PC: GRUB, by BIOS and by UEFI, which starts the kernel by multiboot2.

    iso.py OUTPUT KERNEL ARCHIVE [ARGUMENTS]

GRUB shows no menu; it also writes to the first serial port. ARGUMENTS are the kernel's boot arguments.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

CONFIGURATION = """serial --unit=0 --speed=115200
terminal_output console serial
set timeout=0
menuentry OS2 {
    multiboot2 /boot/kernel.elf @ARGUMENTS@
    module2 /boot/boot.cpio
}
"""


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    output, kernel, archive = sys.argv[1:4]
    arguments = sys.argv[4] if len(sys.argv) == 5 else ""
    if not re.fullmatch(r"[\w .,=:/+-]*", arguments):
        sys.exit(f"iso.py: GRUB would not pass these on as they are: {arguments}")
    with tempfile.TemporaryDirectory() as folder:
        boot = pathlib.Path(folder) / "boot"
        (boot / "grub").mkdir(parents=True)
        shutil.copy(kernel, boot / "kernel.elf")
        shutil.copy(archive, boot / "boot.cpio")
        (boot / "grub" / "grub.cfg").write_text(CONFIGURATION.replace("@ARGUMENTS@", arguments), encoding="ascii")
        subprocess.run(["strip", "--strip-debug", boot / "kernel.elf"], check=True)
        made = subprocess.run(["grub-mkrescue", "-o", output, folder], capture_output=True, text=True, check=False)
        if made.returncode:
            sys.exit(f"grub-mkrescue failed:\n{made.stderr}")


if __name__ == "__main__":
    main()
