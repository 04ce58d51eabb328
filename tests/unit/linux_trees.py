#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Read Linux's own trees of the boards, where Debian's linux-source package is installed, and compare with the facts.

    linux_trees.py TEST_BOARDS FOLDER

TEST_BOARDS is the compiled tests/unit/test_boards.c, which prints the facts of a tree. The trees are taken out of the
package's archive, preprocessed and compiled in FOLDER; nothing of them is in this repository. The output is TAP; where
the package, or a program, is not there, the test is skipped and says which.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

SOURCES = pathlib.Path("/usr/src")
WANTED = re.compile(
    r"linux-source-[^/]+/(arch/riscv/boot/dts|include/dt-bindings|include/uapi/linux/input-event-codes)")

HARTS = "".join(f"hart {hart} context {2 * hart}\n" for hart in range(1, 5))
VISIONFIVE2 = ("ram 40000000 size 100000000\n" + HARTS + "plic c000000 sources 136\ntimebase 4000000\n"
               "console dw-apb 10000000 shift 2 width 4 irq 32\n")
BOARDS = {
    "sifive/hifive-unleashed-a00":
        "ram 80000000 size 200000000\n" + HARTS + "plic c000000 sources 53\ntimebase 1000000\n"
        "console sifive 10010000 shift 2 width 4 irq 4\n",
    "sifive/hifive-unmatched-a00":
        "ram 80000000 size 400000000\n" + HARTS + "plic c000000 sources 69\ntimebase 1000000\n"
        "console sifive 10010000 shift 2 width 4 irq 39\n",
    "starfive/jh7110-starfive-visionfive-2-v1.2a": VISIONFIVE2,
    "starfive/jh7110-starfive-visionfive-2-v1.3b": VISIONFIVE2,
}


def newest_source():
    def version(path):
        return [int(part) for part in re.findall(r"\d+", path.name)]
    return max(SOURCES.glob("linux-source-*.tar.xz"), key=version, default=None)


def extract(archive, folder):
    """The trees' sources, once for each archive; returns the root of the source."""
    done = folder / "extracted"
    stamp = f"{archive.name} {archive.stat().st_size}\n"
    if not done.exists() or done.read_text(encoding="utf-8") != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tarfile.open(archive, "r|xz") as tar:
            for member in tar:
                if WANTED.match(member.name) and (member.isfile() or member.issym()):
                    tar.extract(member, folder)
        done.write_text(stamp, encoding="utf-8")
    return next(folder.glob("linux-source-*"))


def facts(test_boards, root, name, folder):
    trees = root / "arch/riscv/boot/dts"
    source = trees / f"{name}.dts"
    text = subprocess.run(["cpp", "-nostdinc", "-undef", "-x", "assembler-with-cpp", f"-I{source.parent}", f"-I{trees}",
                           f"-I{root / 'include'}", str(source)], check=True, stdout=subprocess.PIPE).stdout
    blob = folder / (source.stem + ".dtb")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", str(blob), "-"], input=text, check=True)
    return subprocess.run([test_boards, "facts", str(blob)], check=True, stdout=subprocess.PIPE).stdout.decode()


def main():
    test_boards, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    archive = newest_source()
    missing = [program for program in ("cpp", "dtc") if not shutil.which(program)]
    if not archive or missing:
        reason = f"{missing[0]} is not installed" if missing else f"no {SOURCES}/linux-source-*.tar.xz (Debian)"
        print(f"1..0 # SKIP {reason}")
        return 0
    root = extract(archive, folder)
    print(f"# {archive.name}\n1..{len(BOARDS)}")
    failed = 0
    for number, (name, expected) in enumerate(BOARDS.items(), 1):
        got = facts(test_boards, root, name, folder)
        failed += got != expected
        print(f"{'ok' if got == expected else 'not ok'} {number} - {name}")
        if got != expected:
            print("# read:", *got.splitlines(), "# expected:", *expected.splitlines(), sep="\n# ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
