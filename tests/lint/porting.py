#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/porting.md has the table of the ports' files, each function of arch/arch.h is in the same file in each port, and
an empty port fails to build naming each thing missing.

    porting.py            check all
    porting.py --table    print the table of files: which functions of arch/arch.h each has, and lines

The last is tried with the host's compiler: arch/arch.h is compiled against an empty port.h, and everything that its
list of the inline half names must be missing; a program that calls each function of the out-of-line half must not link,
and the linker must name each. So that this is all that is missing, the kernel uses nothing of a port that arch/arch.h
does not name, and all that it names.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/porting.md"
START, END = "<!-- table -->\n", "<!-- end -->\n"


def ports():
    return sorted(path.parent.name for path in ROOT.glob("arch/*/meson.build"))


def files(folder):
    """{name: text} of the files in arch/, or in a port."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "arch" / folder).iterdir())
            if path.is_file()}


def homes(port):
    """{function: the C files that define it}, of the out-of-line half: the port's own, or one in arch/ for all."""
    found = {name: [] for name in sorted(contract()[3])}
    for where in (port, ""):
        for file, text in files(where).items():
            for name in re.findall(r"^\w[^\n;=]*\b(arch_\w+)\([^;{]*\) \{", text, re.MULTILINE):
                if file.endswith(".c") and name in found:
                    found[name].append(file if where else f"../{file}")
    return found


def strays(found):
    """What is not defined once, or not in the same file in each of {port: homes}."""
    names = sorted(set().union(*found.values()))
    said = {name: " and ".join(f"{', '.join(found[port][name]) or 'nowhere'} in {port}" for port in found)
            for name in names}
    return [f"{name} is in {said[name]}" for name in names
            if len({tuple(homes_of[name]) for homes_of in found.values()}) > 1 or
            any(len(homes_of[name]) != 1 for homes_of in found.values())]


def table():
    """Each file's part of the contract, its lines in each port, and the sums."""
    texts, found = {port: files(port) for port in ports()}, homes(ports()[0])
    lines = [f"| file | {' | '.join(ports())} | of `arch.h`: `arch_` |", "|---|" + "---:|" * len(ports()) + "---|"]
    for name in sorted(set().union(*texts.values())):
        counts = [str(len(texts[port][name].splitlines())) if name in texts[port] else "" for port in ports()]
        jobs = ", ".join(job.removeprefix("arch_") for job in found if found[job] == [name])
        lines.append(f"| {name} | {' | '.join(counts)} | {jobs} |")
    sums = [str(sum(len(text.splitlines()) for text in texts[port].values())) for port in ports()]
    lines.append(f"| all | {' | '.join(sums)} | |")
    return "\n".join(lines) + "\n"


def near(told, counted):
    """Are these the same tables, but for counts that are off by less than a tenth and ten lines?"""
    if re.sub(r"\d{2,}", "", told) != re.sub(r"\d{2,}", "", counted):
        return False
    pairs = zip(re.findall(r"\b\d{2,}\b", told), re.findall(r"\b\d{2,}\b", counted), strict=True)
    return all(abs(int(a) - int(b)) <= 10 + int(b) // 10 for a, b in pairs)


def contract():
    """The names of the inline half (functions, types, constants) and the functions of the out-of-line half."""
    text = (ROOT / "arch/arch.h").read_text(encoding="utf-8")
    listed = text[text.index("The inline half"):text.index('#include "port.h"')]
    inline = set(re.findall(r"\b(arch_\w+)\(", listed))
    types = set(re.findall(r"^ \* struct (arch_\w+)", listed, re.MULTILINE))
    constants = set(re.findall(r"^ \* (ARCH_\w+)", listed, re.MULTILINE))
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    outside = set(re.findall(r"\b(arch_\w+)\(", code))
    return inline, types, constants, outside


def compile_with_empty_port(body, link):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "port.h").write_text("", encoding="ascii")
        source = pathlib.Path(folder, "port.c")
        source.write_text('#include "arch/arch.h"\n' + body, encoding="ascii")
        command = ["gcc", "-std=gnu11", "-ffreestanding", "-fmax-errors=0", "-Wno-implicit-function-declaration",
                   f"-I{folder}", f"-I{ROOT}", f"-I{ROOT / 'usr/include'}", f"-I{ROOT / 'usr/include/arch/x86_64'}",
                   str(source), "-o", f"{folder}/port"]
        command += ["-nostdlib"] if link else ["-fsyntax-only", "-Werror=implicit-function-declaration"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        return made.returncode, made.stderr


def unnamed():
    """What an empty port lacks, but the compiler or the linker does not name."""
    inline, types, constants, outside = contract()
    body = "".join(f"struct {name} a_{name};\n" for name in sorted(types)) + "void all(void);\nvoid all(void) {\n"
    body += "".join(f"    {name}();\n" for name in sorted(inline))
    body += "".join(f"    (void){name};\n" for name in sorted(constants)) + "}\n"
    code, said = compile_with_empty_port(body, link=False)
    missing = [name for name in sorted(inline | types | constants) if not re.search(rf"\b{name}\b", said)]
    body = "".join(f'__asm__(".quad {name}");\n' for name in sorted(outside))
    body += "void _start(void);\nvoid _start(void) {}\n"
    linked, said_by_linker = compile_with_empty_port(body, link=True)
    missing += [name for name in sorted(outside) if f"`{name}'" not in said_by_linker]
    if not code or not linked:
        missing.append("(it builds)")
    if min(map(len, (inline, types, constants, outside))) == 0:
        missing.append("(the contract could not be read)")
    return missing


def strangers():
    """What the kernel uses of a port and the contract does not name, and what is named but not used."""
    named = set().union(*contract())
    used = set()
    for folder in ("mm", "core", "ipc", "sys"):
        for path in (ROOT / folder).glob("*.[ch]"):
            code = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
            used |= set(re.findall(r"\b(?:arch|ARCH)_\w+\b", code))
    defined = set(re.findall(r"#define (ARCH_\w+)", (ROOT / "arch/arch.h").read_text(encoding="utf-8")))
    return sorted(used - named - defined), sorted(named - used)


def main():
    if sys.argv[1:] == ["--table"]:
        return print(table(), end="")
    text = DOCUMENT.read_text(encoding="utf-8")
    complaints = []
    if not near(text[text.index(START) + len(START):text.index(END)], table()):
        complaints.append("docs/porting.md: the line counts have changed: put the output of porting.py --table there")
    ways = [strays({"a": {"f": ["x.c"]}, "b": {"f": other}}) for other in (["x.c"], ["y.c"], [])]
    if ways[0] or not all(ways[1:]):
        complaints.append("strays() does not tell who is one")
    complaints += strays({port: homes(port) for port in ports()})
    complaints += [f"an empty port is not told of {name}" for name in unnamed()]
    unknown, unused = strangers()
    complaints += [f"the kernel uses {name}, which arch/arch.h does not name" for name in unknown]
    complaints += [f"arch/arch.h names {name}, which the kernel does not use" for name in unused]
    print("\n".join(complaints) or "the table is right; each job has one name; an empty port is told of all it lacks")
    return sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
