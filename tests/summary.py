#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sum up meson's test logs: every case of a TAP test counts, any other test counts as one.

    summary.py (TESTLOG.JSON | broken:BUILD)...

broken:BUILD stands for a build that failed, which is one failure. A log that is missing had no test of the suites asked
for; a run without any test is a failure. The last line is "N passed, N failed".
"""
import json
import pathlib
import re
import sys

GOOD = {"OK", "EXPECTEDFAIL"}


def count(test):
    """(passed, failed, skipped) of one test of a log."""
    cases = re.findall(r"^(not ok|ok)\b(.*)$", test.get("stdout") or "", re.MULTILINE)
    skipped = sum("# SKIP" in rest.upper() for _, rest in cases)
    failed = sum(kind == "not ok" and "# TO" "DO" not in rest.upper() for kind, rest in cases)
    passed = len(cases) - skipped - failed
    if test["result"] == "SKIP":
        return 0, 0, max(1, len(cases))
    if test["result"] in GOOD:
        return (passed, failed, skipped) if cases else (1, 0, 0)
    return passed, max(1, failed), skipped  # also a bail-out after good cases


def main():
    total = [0, 0, 0]
    bad = []
    for name in sys.argv[1:]:
        if name.startswith("broken:"):
            total[1] += 1
            bad.append(f"the build of {name[7:]}")
            continue
        path = pathlib.Path(name)
        if not path.exists():
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            test = json.loads(line)
            counts = count(test)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                bad.append(f"{test['name']} ({path.parent.parent.name}): {test['result']}, {counts[1]} failed")
    print()
    for line in bad:
        print(f"failed: {line}")
    if total[2]:
        print(f"skipped: {total[2]}")
    if not any(total):
        print("failed: no test ran")
        total[1] = 1
    print(f"{total[0]} passed, {total[1]} failed")
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
