#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check the model of the state word with Spin: every configuration completely, and every mutant must be caught.

    claim.py            the configurations and mutants that take seconds
    claim.py --long     all of them, the configurations also with longer programs (at most 4 GiB each)

Output is TAP. Exit status 77 where there is no spin.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import check

MODEL = pathlib.Path(__file__).resolve().with_name("claim.pml")
NAMES = {
    1: "a server and two clients, one with a deadline",
    2: "notifications",
    3: "a server killed and started again in its slot",
    4: "a client killed in any state",
    5: "circles among three",
    6: "late replies with two calls",
    7: "a child let go, and another in its slot",
    8: "deliveries that fail, and polls",
    9: "circles among four",
    10: "a handle that is given, whose owner ends",
    11: "a client killed while its server moves",
    12: "one who is notified and killed, and another in its slot",
    13: "a delivery that fails, and nothing else comes",
    14: "a yield to one that is killed",
    15: "a child killed before it starts, and another in its slot",
    16: "a receive from one who ends, and another in its slot",
    17: "a server that ends with two calls unanswered",
    18: "bits for a server that answers",
}
# Each mutant with a configuration that must catch it.
MUTANTS = {
    "M_WORD_BEFORE_BITS": 2,
    "M_NO_RECEIVE_LOOK": 1,
    "M_NO_SEND_LOOK": 1,
    "M_TIMER_DROPS_CLM": 6,
    "M_TIMER_NO_SEQ": 2,
    "M_REPLY_NO_SEQ": 6,
    "M_GENERATION_FIRST": 3,
    "M_NO_DOOM_DISPATCH": 4,
    "M_NO_IPI": 4,
    "M_NO_CLIENT": 3,
    "M_NO_WAITERS": 16,
    "M_PARK_NOT_LINKED": 17,
    "M_PARK_NOT_HELD": 17,
    "M_LINK_NO_LEAVE": 18,
    "M_END_NO_LEAVE": 18,
    "M_NO_LEFT": 3,
    "M_NO_WALK": 5,
    "M_ONE_PASS": 9,
    "M_KILL_NO_RECHECK": 7,
    "M_QUEUE_LIFO": 1,
    "M_SEND_DELIVERS_ITSELF": 1,
    "M_REFUSED_RUNS_ON": 8,
    "M_POLL_WAITS": 8,
    "M_HANDLE_BY_SLOT": 10,
    "M_FAST_NO_LOOK": 1,
    "M_FAST_NOTED_ONLY": 1,
    "M_FAST_LATE_NO_LOOK": 1,
    "M_WAIT_NO_LOOK": 2,
    "M_WAIT_NOTED_ONLY": 1,
    "M_WAIT_LOSER_GOES_ON": 2,
    "M_WAIT_NO_SEQ": 4,
    "M_MASK_NOT_SET": 2,
    "M_OVER_KEEPS_MASK": 13,
    "M_NOTIFY_MASK_FIRST": 2,
    "M_DIRECT_TAKES_LONG": 2,
    "M_LONG_NOT_MARKED": 2,
    "M_DIRECT_GENERATION_FIRST": 12,
    "M_DIRECT_NO_GENERATION": 12,
    "M_DIRECT_NOTHING": 2,
    "M_REFUSED_LOSES_BITS": 13,
    "M_REFUSED_NOT_ARMED": 13,
    "M_COLLECT_GIVES_UP": 11,
    "M_NO_DOOM_YIELD": 14,
    "M_COLLECT_NO_SEND": 11,
    "M_NEW_NO_SEQ": 15,
    "M_FROM_NO_GENERATION": 16,
    "M_ACCEPTS_BY_SLOT": 16,
}
LONG = [4, 5, 8, 10]  # the others take a second or two
LONGER = [1, 2, 3, 4, 5, 6, 7]  # those that have longer programs
LONG_MEMORY_MIB = 4096


def search(job):
    """Build a verifier and run it. Returns (finished, errors, what it said)."""
    config, defines = job
    large = "LONG" in defines or config in LONG and not defines
    mutant = bool(defines) and "LONG" not in defines
    with tempfile.TemporaryDirectory() as folder:
        flags = [f"-D{name}" for name in defines]
        spin = subprocess.run(["spin", f"-DCFG={config}", *flags, "-a", str(MODEL)], cwd=folder, capture_output=True,
                              text=True, check=False)
        if spin.returncode:
            return False, 0, spin.stdout + spin.stderr
        code, text = check.build_verifier(folder, LONG_MEMORY_MIB, mutant, large)
        if code:
            return False, 0, text
        pan = ["./pan", *(check.LARGE if large else check.SMALL)]
        out = subprocess.run(pan, cwd=folder, capture_output=True, text=True, check=False).stdout
    match = re.search(r"errors: (\d+)", out)
    finished = bool(match) and "Search not completed" not in out and "max search depth" not in out
    states = re.search(r"(\d+) states, stored", out)
    said = re.findall(r"pan:\d+: .*", out)
    return finished, int(match[1]) if match else 0, f"{states[1] if states else '?'} states {' '.join(said)[:200]}"


def main():
    if not shutil.which("spin"):
        print("1..0 # SKIP no spin")
        return 0
    long = "--long" in sys.argv
    jobs = [(config, ()) for config in NAMES if long or config not in LONG]
    if long:
        jobs += [(config, ("LONG",)) for config in LONGER]
    jobs += [(config, (name,)) for name, config in MUTANTS.items()]
    print(f"1..{len(jobs)}", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(1 if long else os.cpu_count()) as pool:
        for number, (job, result) in enumerate(zip(jobs, pool.map(search, jobs)), 1):
            config, defines = job
            finished, errors, said = result
            mutant = [name for name in defines if name != "LONG"]
            good = errors > 0 if mutant else finished and errors == 0
            failed += not good
            title = f"{mutant[0]} is caught" if mutant else NAMES[config] + (", longer" if "LONG" in defines else "")
            print(f"{'ok' if good else 'not ok'} {number} {title}\n# {said}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
