#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turn constants that only the C compiler knows into a header for assembly.

    offsets.py OUTPUT DEPFILE INPUT -- COMPILER ARGUMENT...

INPUT is a C file that holds, for each constant,

    asm volatile("\\n.ascii \\"->NAME %0\\"" ::"i"(offsetof(struct thing, field)));

It is compiled to assembly text, never assembled; each line with `->NAME VALUE` becomes `#define NAME VALUE`. So the
value comes from the compiler of the target, with its flags, and nothing has to run on the target.
"""
import re
import subprocess
import sys


def main():
    split = sys.argv.index("--")
    output, depfile, source = sys.argv[1:split]
    command = sys.argv[split + 1:] + ["-S", "-o", "-", "-MD", "-MF", depfile, "-MT", output, source]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    # gcc writes an immediate as 40 on RISC-V and as $40 on x86.
    found = re.findall(r"->(\w+) \$?(-?\d+)", text)
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) != 1:
            sys.exit(f"{source}: {name} is defined {names.count(name)} times")
    if text.count("->") != len(found):
        sys.exit(f"{source}: a line with -> holds no number")

    with open(output, "w", encoding="ascii") as header:
        header.write("/* Made from arch/offsets.c by cross/offsets.py. */\n")
        header.write("#ifndef ARCH_OFFSETS_H\n#define ARCH_OFFSETS_H\n\n")
        for name, value in found:
            header.write(f"#define {name} {value}\n")
        header.write("\n#endif\n")


if __name__ == "__main__":
    main()
