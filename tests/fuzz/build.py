#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Build a fuzz target with clang, beside a build that another compiler makes.

    build.py OUTPUT DEPFILE COMMAND...     COMMAND is clang with flags and sources; the headers go to DEPFILE
    build.py --try COMMAND...              can this clang link a target at all?
"""
import subprocess
import sys
import tempfile

TARGET = "int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return data[0] && size > 1 ? 0 : 0; }\n"


def main():
    if sys.argv[1] == "--try":
        with tempfile.TemporaryDirectory() as folder:
            command = sys.argv[2:] + ["-x", "c", "-", "-o", f"{folder}/target"]
            sys.exit(subprocess.run(command, input=TARGET, text=True, capture_output=True, check=False).returncode)
    output, depfile, *command = sys.argv[1:]
    with open(depfile, "w", encoding="utf-8") as file:
        subprocess.run(command + ["-MM", "-MT", output], stdout=file, check=True)
    subprocess.run(command + ["-o", output], check=True)


if __name__ == "__main__":
    main()
