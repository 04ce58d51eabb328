#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The shell and the tools on a disk, against the host's own. TAP.

    tools.py [options of qemu.py] BUILD

One script is run twice: by the host's sh with the host's tools, in a folder, and by OS2 from a disk with a copy of that
folder. Each of its lines must print the same. Then OS2 is used through a terminal: what
is typed is kept over a boot, /disk/autorun is run, and edit changes a text.
"""
import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import qemu
import terminal
from terminal import CTRL_C, clean, expect_in

DISK_PY = pathlib.Path(__file__).parent.parent / "cross/disk.py"

SAME = r"""
cat words | wc | cat
head -n 3 words
head words nothing-is-here numbers
tail -n 4 words
tail -n 2 words numbers
cat words | tail
grep a.*b words
grep -n '^[a-f]*$' words
grep -c z words numbers
grep -iv 'A' words
grep -F '.' odd
grep 'x*y$' odd
grep '^\.' odd
grep 'ü.b' odd
grep -n '[^a-z]' words odd
sort words
sort -r words
sort -n numbers
sort -nr numbers
sort -u words odd
sort -nu numbers
cat words | sort | head -n 5
md5sum words numbers large large2 empty
cat large | md5sum
hexdump odd
hexdump < large
if cmp large large; then echo same; fi
if cmp large large2; then echo same; else echo other; fi
ls | cat
ls folder | cat
ls -a folder | cat
find folder | sort
for i in 1 2 3; do echo $i; done
for i in *; do echo "<$i>"; done
for i in folder/* folder/*/*.txt [a-n]* no*thing; do echo "$i"; done
A='two  words'; for i in $A "$A" '$A' \$A "\$A"; do echo "[$i]"; done
if test -f words && [ -d folder ] && ! [ -e nothing ]; then echo good; else echo bad; fi
i=; while [ "$i" != xxxx ]; do i=x$i; echo $i; done
until false; do echo once; break; done
for i in a b c d; do if [ $i = b ]; then continue; fi; if [ $i = d ]; then break; fi; echo $i; done
false || echo a; true && echo b; false && echo c || echo d; ! true || echo e
false; echo $?; true; echo $?; ! false; echo $?
if false; then echo a; elif true; then echo b; else echo c; fi
[ 3 -lt 10 ] && [ -3 -gt -10 ] && [ 007 -eq 7 ] && echo numbers
echo a\ b 'c  d' "e  f" g"h"'i' \* "*" '$#' # and no more
echo one two | cat | cat | wc | cat
B=1; B=${B}2; echo $B ${B}3 "$B"4
cat < words | head -n 2
sh script.sh one 'two words' 3; echo $?
. ./sourced.sh; echo $SOURCED
cp words copied; cmp words copied && echo copied
cp -r folder other; find other | sort
mkdir -p new/a/b; touch new/a/b/c; find new | sort
mkdir new2; cp words numbers new2; ls new2 | cat
mv new2 new3; mv copied new3/renamed; ls new3 | cat; cat new3/renamed
rm -r new3; rm -f nothing; ls | cat
echo first > appended; echo second >> appended; cat appended
echo a > "with blank"; cat with\ blank; ls with* | cat
cat large large > twice; md5sum twice
cp twice twice2; cmp twice twice2; echo $?
echo hello | tee tee1 tee2; cat tee1 tee2
cd folder; echo *; cd ..; cd other/sub; echo *.txt; cd ../..
""".strip().splitlines()
HOST = {"sh script.sh": "sh ./script.sh", "hexdump": "hexdump -vC", "ls ": "ls -p ", "ls -p -a": "ls -p -A"}
GUEST = {"sh script.sh": "./script.sh"}

SCRIPT = '#!/bin/sh\necho $# $0x "$1" $2 "$2"\nfor i in "$@"; do echo "[$i]"; done\nfor i\ndo echo $i; done\n' \
         'while [ $# != 0 ]; do echo $1; shift; done\ncd /\nINNER=1\nexit 7\n'


def make_folder(folder, rng):
    """The files that the script reads."""
    def text(lines, letters, most):
        return "".join("".join(rng.choice(letters) for _ in range(rng.randrange(most))) + "\n" for _ in range(lines))

    large = rng.randbytes(300000)
    files = {
        "words": text(400, "abcdefgz", 9),
        "numbers": "".join(f"{rng.randrange(-3000, 3000)} {i}\n" for i in range(200)),
        "odd": "a.b\n.\nxxy\nxyx\nüüb\nüb\n\t tab\n  \n[x]\n\\\nlast without an end", "empty": "",
        "folder/one.txt": "1", "folder/two": "2", "folder/.hidden": "3", "folder/sub/three.txt": "4\n",
        "script.sh": SCRIPT, "sourced.sh": "SOURCED=yes\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (folder / "large").write_bytes(large)
    (folder / "large2").write_bytes(large[:200000] + b"?" + large[200001:])


def replaced(line, words):
    for word, other in words.items():
        line = line.replace(word, other)
    return line


def disk(image, *words):
    subprocess.run([sys.executable, DISK_PY, words[0], image, *words[1:]], check=True, stdout=subprocess.DEVNULL)


def host_output(folder):
    """What the host's sh prints, with marks between the lines of the script."""
    lines = [f"echo '--- {number}'\n{replaced(line, HOST)}\n" for number, line in enumerate(SAME)]
    environment = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    return subprocess.run(["sh", "-c", "".join(lines) + "echo '--- end'\n"], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, env=environment, check=False).stdout


def guest_output(args, image, folder):
    """The same of OS2, which reads the script from the disk."""
    lines = [f"echo '--- {number}'\n{replaced(line, GUEST)}\n" for number, line in enumerate(SAME)]
    path = folder.parent / "same.sh"
    path.write_text("cd /disk/t\n" + "".join(lines) + "echo '--- end'\n", encoding="utf-8")
    disk(image, "put", str(folder), str(path))
    line = [sys.executable, qemu.__file__, "--smp", str(args.smp), "--silence", "120", "--disk", str(image), args.build,
            "command", ". /disk/same.sh; sync"]
    return subprocess.run(line, stdout=subprocess.PIPE, check=False, timeout=900).stdout


def parts(output):
    """What each line of the script printed, without what is said of errors: both say it in their own words."""
    found = {}
    for part in ("\n" + output.decode(errors="replace").replace("\r", "")).split("\n--- ")[1:]:
        number, _, text = part.partition("\n")
        lines = [line for line in text.split("\n") if ": no such file" not in line and " differ: " not in line]
        found[number.strip()] = "\n".join(lines).rstrip("\n")
    return found


def compare(args, image, folder):
    """One line of TAP for each of the script."""
    wanted, found = parts(host_output(shutil.copytree(folder, folder.parent / "host" / "t"))), {}
    found = parts(guest_output(args, image, folder))
    failed = 0
    for number, line in enumerate(SAME):
        good = found.get(str(number)) == wanted[str(number)]
        failed += not good
        print(f"{'' if good else 'not '}ok {number + 1} - {line}", flush=True)
        if not good:
            for name, text in (("here", found.get(str(number))), ("there", wanted[str(number)])):
                print("".join(f"# {name}: {row}\n" for row in str(text).split("\n")[:30]), end="")
    return failed


# ---- By hand. ----

def edit_text(guest):
    """edit: a new file, changed, saved, searched in, changed again."""
    start = guest.mark()
    guest.type("edit /disk/note\r")
    start = guest.until("a new file", start)
    guest.type("hello\rw\u00f6rld\x1b[A\x1b[HX")
    guest.type("\x13")
    start = guest.until("saved", start)
    guest.type("\x11")
    guest.prompt(start)
    assert guest.command("cat /disk/note; echo") == "Xhello\nw\u00f6rld\n", guest.text[start:]
    start = guest.mark()
    guest.type("edit /disk/note\r")
    start = guest.until("line 1 of 2", start)
    guest.type("\x06rld\r")
    start = guest.until("line 2 of 2, column 3", start)
    guest.type("!\x1b[3~\x1b[D\x7f\x11")
    start = guest.until("not saved", start)
    guest.type("\x13")
    start = guest.until("saved", start)
    guest.type("\x11")
    guest.prompt(start)
    assert guest.command("cat /disk/note; echo; ls /disk/note*") == "Xhello\nw!ld\n/disk/note\n"


def live_programs(guest):
    """top until q, watch until ^C."""
    start = guest.mark()
    guest.type("top\r")
    for text in ("core  0 [", "shell", "core  0 ["):
        start = guest.until(text, start)
    guest.type("q")
    guest.prompt(start)
    start = guest.mark()
    guest.type("watch -n 1 echo tick\r")
    for _ in range(3):
        start = guest.until("\ntick", start)
    guest.type(CTRL_C)
    guest.prompt(start)


def paths(guest):
    """Completion of names with blanks; the prompt tells the folder."""
    guest.command("touch '/disk/a blank'")
    assert guest.command("ls /disk/a\t") == "/disk/a blank\n"
    assert guest.command("ls /disk/a\\ b\t") == "/disk/a blank\n"
    start = guest.mark()
    guest.type("cd /disk\r")
    guest.until("\n/disk os2> ", start)
    assert guest.command("ls no\t").split("\n")[0] == "note"
    guest.command("cd")


def copies(guest):
    """A file is not copied to itself by another case of its name, which would empty it; nor a folder into itself."""
    guest.command("echo kept > /disk/Keep; mkdir /disk/ä; echo kept > /disk/ä/f")
    expect_in("to itself", guest.command("cp /disk/Keep /disk/KEEP"))
    expect_in("to itself", guest.command("cp /disk/ä/f /disk/Ä/F"))
    expect_in("into itself", guest.command("cp -r /disk/ä /disk/Ä"))
    expect_in("into itself", guest.command("cp -r /disk /disk/Ä/new"))
    assert guest.command("cat /disk/Keep /disk/ä/f; find /disk/ä") == "kept\nkept\n/disk/ä\n/disk/ä/f\n"
    assert guest.command("cp -r /disk/ä /disk/other; cat /disk/other/f; rm -r /disk/ä /disk/other") == "kept\n"
    expect_in("no such file", guest.command("echo x > /nowhere/x"))


def before_boot(guest):
    guest.command("echo 'echo started by itself in; pwd' > /disk/autorun")
    guest.command("echo typed before; sync")


def lengthen_history(image):
    """Puts so many lines before those of the history that it is cut at the next boot."""
    old = "".join(f"echo old {i:06}\n" for i in range(5000)).encode()
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / ".history"
        disk(image, "get", "/disk/.history", "--to", scratch)
        assert b"echo typed before; sync\n" in path.read_bytes()
        path.write_bytes(old + path.read_bytes())
        disk(image, "put", str(path))


def after_boot(guest):
    """What was typed before the boot is in the history, and the autorun has run, before the first prompt."""
    expect_in("started by itself in\n/boot\n", clean(guest.text).replace("\r", ""))
    expect_in("echo typed before; sync\n", guest.command("history"))
    expect_in("typed before\n", guest.command(b"\x1b[A" * 2))
    size = int(guest.command("cat /disk/.history | wc").split()[2])
    assert 30000 < size < 34000, size
    shown = guest.command("tail -n 4 /disk/.history")
    expect_in("history\necho typed before; sync\n", shown)
    guest.command("rm /disk/autorun; sync")


def by_hand(args, image, first):
    """Two boots, with cases in each."""
    _, line = qemu.command_line(args.build, args.smp, args.mem, args.append, boot=args.boot, disk=str(image))
    failed = 0
    for cases in ((edit_text, live_programs, paths, copies, before_boot), (after_boot,)):
        if after_boot in cases:
            lengthen_history(image)
        with terminal.Terminal(line) as guest:
            guest.prompt(0)
            for case in cases:
                problem = ""
                try:
                    case(guest)
                except (qemu.GuestError, AssertionError) as error:
                    problem = f": {str(error)!r}\n{guest.comment()}"
                print(f"{'not ' if problem else ''}ok {first} - {case.__name__}{problem}", flush=True)
                if problem:
                    failed += 1
                    guest.type(b"\x11\x11" + CTRL_C)  # so that the next one finds a prompt if there can be one
                    guest.drain(1)
                first += 1
    return failed


def clean_disk(image):
    """Does fsck.fat find nothing?"""
    part = image.with_suffix(".fat")
    part.write_bytes(image.read_bytes()[1 << 20:])
    done = subprocess.run(["/sbin/fsck.fat", "-n", part], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print("".join(f"# {line}\n" for line in done.stdout.splitlines()), end="")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description="The shell and the tools on a disk, against the host's own.")
    qemu.add_options(parser)
    args = parser.parse_args()
    count = len(SAME) + 7
    print(f"1..{count}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder, image = pathlib.Path(scratch) / "t", pathlib.Path(scratch) / "disk.img"
        make_folder(folder, random.Random(1))
        disk(image, "make", "--size", "64M")
        failed = compare(args, image, folder)
        failed += by_hand(args, image, len(SAME) + 1)
        good = clean_disk(image)
        print(f"{'' if good else 'not '}ok {count} - fsck.fat finds nothing", flush=True)
        failed += not good
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
