#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Include layers: abi <- lib <- arch/arch.h <- mm <- core <- ipc <- sys, each including only what is to its left.

A port (arch/<cpu>/) includes arch/arch.h, lib, the ABI, its own files and the generated header of offsets. Programs
(usr/) see the ABI, lib and their own library, and nothing of the kernel. The shell's files have an order too: each
includes only headers of those before it and its own. Tests may include anything.
"""
import pathlib
import re

import lint

LAYERS = ["abi", "lib", "arch", "mm", "core", "ipc", "sys"]
ABI = {"os2/abi.h", "os2/syscalls.h"}
SHELL = ["parse", "variables", "glob", "expand", "test", "complete", "manifest", "services", "terminal", "history",
         "programs", "job", "session", "builtin", "run", "shell"]
FREESTANDING = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdatomic.h", "stdalign.h", "limits.h"}
# Sources that need structures for their offsets only, which is not a call upward.
OFFSETS = "arch/offsets.c"


def layer_of(path):
    """Of a file or an included name: one of LAYERS, or port, or None."""
    if path in ABI:
        return "abi"
    if path == "arch/arch.h":
        return "arch"
    if path.startswith("arch/"):
        return "port"
    first = path.split("/")[0]
    return first if first in LAYERS else None


def allowed(path, name):
    """May the file at `path` include "name"?"""
    own, other = layer_of(path), layer_of(name)
    if "/" not in name:  # the port's own files, by -I arch/<cpu>; how a processor copies, beside its ABI
        return own == "port" or (path, name) in (("arch/arch.h", "port.h"), ("lib/string.c", "arch_copy.h"))
    if own == "port":
        own_files = name.split("/")[:2] == path.split("/")[:2]
        return other in ("abi", "lib", "arch") or own_files or path == OFFSETS
    return other in LAYERS and LAYERS.index(other) <= LAYERS.index(own)


def shell_allowed(path, name):
    """The same within the shell. A file that the order does not name may be included by nobody, and includes none."""
    own, other = pathlib.PurePath(path).stem, pathlib.PurePath(name).stem
    return own in SHELL and other in SHELL[:SHELL.index(own) + 1]


def check(tree):
    complaints = []
    for path, text in tree.items():
        if not lint.is_c(path) and not path.endswith(".S"):
            continue
        kernel = path.split("/")[0] in LAYERS
        for number, line in enumerate(text.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            name = match[2]
            where = f"{path}:{number}: "
            if kernel and match[1] == "<":
                if name not in FREESTANDING:
                    complaints.append(where + f"the kernel has no <{name}>")
            elif kernel and not allowed(path, name):
                complaints.append(where + f"{layer_of(path)} must not include {name} ({layer_of(name)})")
            elif path.startswith("usr/") and layer_of(name) in ("arch", "port", *LAYERS[3:]):
                complaints.append(where + f"a program must not see the kernel's {name}")
            elif path.startswith("usr/shell/") and name.startswith("shell/") and not shell_allowed(path, name):
                complaints.append(where + f"the shell's {pathlib.PurePath(path).stem} must not include {name}")
    return complaints


if __name__ == "__main__":
    lint.run(
        check,
        {
            "mm/heap.c": '#include "mm/heap.h"\n#include "lib/string.h"\n#include <stdint.h>\n',
            "ipc/message.c": '#include "core/turn.h"\n#include "os2/abi.h"\n',
            "arch/riscv64/trap.c": '#include "arch/arch.h"\n#include "arch/riscv64/sbi.h"\n#include "sbi.h"\n',
            "arch/riscv64/entry.S": '#include "arch_offsets.h"\n',
            "arch/offsets.c": '#include "core/process.h"\n',
            "arch/arch.h": '#include "port.h"\n#include "os2/abi.h"\n',
            "lib/string.c": '#include "lib/string.h"\n#include "arch_copy.h"\n',
            "usr/shell/job.c": '#include "shell/job.h"\n#include "shell/parse.h"\n#include "os2/call.h"\n',
        },
        [
            ({"mm/heap.c": '#include "core/process.h"\n'}, "mm must not include core/process.h"),
            ({"core/turn.c": '#  include "ipc/message.h"\n'}, "core must not include ipc/message.h"),
            ({"arch/riscv64/trap.c": '#include "core/turn.h"\n'}, "port must not include core/turn.h"),
            ({"arch/riscv64/trap.c": '#include "arch/x86_64/apic.h"\n'}, "port must not include arch/x86_64/apic.h"),
            ({"lib/fdt.h": '#include "arch/arch.h"\n'}, "lib must not include arch/arch.h"),
            ({"ipc/end.c": '#include "sys/loop.h"\n'}, "ipc must not include sys/loop.h"),
            ({"core/turn.c": '#include "arch/riscv64/sbi.h"\n'}, "core must not include arch/riscv64/sbi.h"),
            ({"core/turn.c": '#include "port.h"\n'}, "core must not include port.h"),
            ({"core/turn.c": '#include "arch_abi.h"\n'}, "core must not include arch_abi.h"),
            ({"mm/clear.c": '#include "arch_copy.h"\n'}, "mm must not include arch_copy.h"),
            ({"usr/include/os2/abi.h": '#include "core/turn.h"\n'}, "must not"),
            ({"mm/heap.c": "#include <stdio.h>\n"}, "no <stdio.h>"),
            ({"usr/lib/a.c": '#include "mm/heap.h"\n'}, "must not see"),
            ({"usr/lib/a.c": '#include "sys/dispatch.h"\n'}, "must not see"),
            ({"usr/shell/job.c": '#include "shell/builtin.h"\n'}, "job must not include shell/builtin.h"),
            ({"usr/shell/other.c": '#include "shell/parse.h"\n'}, "other must not include"),
        ],
    )
