#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a checking tool over the tree's C.

    tools.py format       clang-format: the layout of .clang-format, of all C
    tools.py cppcheck     cppcheck, of kernel and host-independent C
    tools.py analyzer     gcc -fanalyzer, of the kernel's architecture-neutral C, with the host's compiler
    tools.py shell        shellcheck of the launcher, where there is one

Each is first given a bad file, and must refuse it.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

import lint

KERNEL = ("lib/", "mm/", "core/", "ipc/", "sys/", "tests/checks/")
INCLUDES = [f"-I{lint.ROOT / folder}" for folder in (".", "usr/include", "usr/include/arch/riscv64", "arch/riscv64")]

# cppcheck's complaints that are wrong or unwanted here, each with its reason.
SUPPRESSIONS = {
    "missingIncludeSystem": "the compiler's own headers are not looked into",
    "unusedFunction": "a function may be there for a port, a test or assembly",
    "unmatchedSuppression": "a suppression may be for a file that one run does not see",
    "unusedStructMember": "structures of the ABI are used by others",
    "variableScope": "a declaration at the head of a function is this house's choice",
    "constParameter": "the type of a function that goes into a table is not its own choice",
    "constParameterPointer": "as constParameter",
    "constParameterCallback": "as constParameter",
    "normalCheckLevelMaxBranches": "says only how hard it looked",
    "checkersReport": "says only what it looked at",
    "ctuuninitvar:lib/elf.c": "it takes the address of an array in what is to be filled for a read of it",
    "uninitvar:core/log.c": "it does not see that format() fills the buffer",
}


def command(tool, files):
    if tool == "format":
        return ["clang-format", f"--style=file:{lint.ROOT / '.clang-format'}", "--dry-run", "-Werror", *files]
    if tool == "cppcheck":
        return ["cppcheck", "--quiet", "--std=c11", "--enable=warning,portability,performance", "--error-exitcode=1",
                "--inline-suppr", "-D__riscv=1", "-D__riscv_xlen=64", "-DOS2_CHECKS=1", *INCLUDES,
                *(f"--suppress={name.replace(':', f':{lint.ROOT}/')}" for name in SUPPRESSIONS), *files]
    if tool == "analyzer":
        # Assembly of the port's inline half is never assembled: -S stops before.
        return ["gcc", "-S", "-o", os.devnull, "-std=gnu11", "-O1", "-ffreestanding", "-fno-strict-aliasing",
                "-fanalyzer", "-Werror", "-DOS2_CHECKS=1", *INCLUDES, *files]
    return ["shellcheck", "-s", "sh", *files]


BAD = {
    "format": "int  main( void )\n{ return 0 ; }\n",
    "cppcheck": "int bad(void);\nint bad(void) {\n    int a[2];\n    a[2] = 1;\n    return a[2];\n}\n",
    "analyzer": "#include <stddef.h>\nint bad(int x);\nint bad(int x) {\n    int *p = NULL;\n"
                "    if (x > 3)\n        p = &x;\n    return *p;\n}\n",
    "shell": "#!/bin/sh\nrm -r $1/*\n",
}


def paths(tool):
    if tool == "shell":
        return ["os2", ".ci/run"]
    every = [path for path in lint.source_paths() if lint.is_c(path)]
    if tool == "format":
        return every
    return [path for path in every if path.endswith(".c") and path.startswith(KERNEL)]


def main():
    tool = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        bad = pathlib.Path(folder) / "bad.c"
        bad.write_text(BAD[tool], encoding="utf-8")
        try:
            refused = subprocess.run(command(tool, [str(bad)]), capture_output=True, check=False).returncode != 0
        except FileNotFoundError as error:
            print(error)
            sys.exit(77)  # meson: skipped
        if not refused:
            sys.exit(f"self-test: {tool} lets a bad file pass")
    files = [str(lint.ROOT / path) for path in paths(tool) if (lint.ROOT / path).exists()]
    if tool == "analyzer":  # one output, so one file at a time
        status = [subprocess.run(command(tool, [path]), check=False).returncode for path in files]
        sys.exit(any(status))
    sys.exit(subprocess.run(command(tool, files), check=False).returncode != 0)


if __name__ == "__main__":
    main()
