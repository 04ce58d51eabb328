#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Litmus tests of the claim protocol on RISC-V's weak memory, by enumeration (rvwmo.py); TAP.

    litmus.py [SOURCE_ROOT [WORD]]

The code under test is the kernel's own: arch_cas_full(), arch_swap_full(), arch_fence() and arch_store_release() are
cut out of arch/riscv64/port.h, and the fast paths out of arch/riscv64/message.S, of which what touches shared words is
kept. So a change of either is checked as it is. Each test has an outcome that must never be, and forms of its code in
which that outcome must be found: without them a test that can show nothing would pass. With a WORD: only the tests
whose title has it, and what the reader misses in a source.

First comes the checker itself, on shapes whose verdict is known from the specification.

    second look   a waiter publishes its word, then looks for what came before; a waker sets, then looks at the word.
                  Never do both see nothing. It is the shape of receive() and notify_slot() or message_send(), of dooms
                  and who acquires a process, of ends and who begins to wait for one, of two who close a circle.
    claim         who claims a process by its word sees all that was written before the word was published, and nothing
                  that its last core still does is disturbed by what the claimer writes.
    doom          the store of an SC may become visible after later loads: arch_cas_full() lies between what comes
                  before and what comes after it, and who must be seen before he looks needs a fence.
    tables        who walks page tables and finds a link finds the table behind it as it was cleared.
    generation    a word that is claimed as it was seen belongs to the generation that was read after it, and so does
                  what else is read of its process in between: the shape of light_notify(), of a receive from one
                  process, and of who sends to such a receive.
    reason        who sees a doom sees why.
    published     all of a process that a short way publishes is there for who claims it; and so is what a short way
                  claims itself.
"""
import itertools
import pathlib
import re
import sys

import rvwmo

ROOT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]


# ---- The code under test. ----

def port_asm(name):
    """The assembly of an inline function of port.h, with %n for its operands."""
    text = (ROOT / "arch/riscv64/port.h").read_text(encoding="utf-8")
    body = re.search(rf"\b{name}\([^)]*\) {{(.*?)\n}}", text, re.DOTALL)[1]
    asm = re.search(r'__asm__ volatile\(((?:\s*"[^"]*")+)', body)[1]
    return ";".join(line for part in re.findall(r'"([^"]*)"', asm) for line in part.split("\\n"))


def cas(old, word, expected, desired, form=None):
    """arch_cas_full(): `old` gets what was seen. The scratch register of the SC is t9."""
    text = form or port_asm("arch_cas_full")
    for number, operand in enumerate((old, "t9", word, expected, desired)):
        text = text.replace(f"%{number}", operand)
    return text


def swap(word, value):
    """arch_swap_full()"""
    return port_asm("arch_swap_full").replace("%0", "t8").replace("%1", word).replace("%2", value)


FENCE = port_asm("arch_fence")


def release(word, value):
    """arch_store_release()"""
    return f"{port_asm('arch_fence_release')}; sd {value}, {word}"


def acquire(register, word):
    """arch_load_acquire() at its weakest; gcc 12 makes it a full fence."""
    return f"ld {register}, {word}; fence r,rw"


# gcc 12's own compare-exchange with seq_cst, and weaker ones: not what the kernel has.
GCC_CAS = "fence rw,w; 0: lr.d.aq %0, %2; bne %0, %3, 1f; sc.d.aq %1, %4, %2; bnez %1, 0b; 1:"
PAIR_CAS = "0: lr.d.aq %0, %2; bne %0, %3, 1f; sc.d.rl %1, %4, %2; bnez %1, 0b; 1:"
PLAIN_CAS = "0: lr.d %0, %2; bne %0, %3, 1f; sc.d %1, %4, %2; bnez %1, 0b; 1:"
RELEASE_CAS = "0: lr.d %0, %2; bne %0, %3, 1f; sc.d.rl %1, %4, %2; bnez %1, 0b; 1:"


def entry(label):
    """The shared accesses of a way of message.S, from its label to its sret: text with own, peer, pending, life and
    place for the words; a way out of it goes to label 9."""
    lines = [re.sub(r"/\*.*?\*/", "", line).strip() for line in
             re.sub(r"/\*.*?\*/", "", (ROOT / "arch/riscv64/message.S").read_text(encoding="utf-8"),
                    flags=re.DOTALL).splitlines()]
    macros, body, name = {}, [], None
    for line in lines:
        if line.startswith(".macro"):
            name = line.split()[1].rstrip(",")
            macros[name] = []
        elif line == ".endm":
            name = None
        elif line:
            (macros[name] if name else body).append(line)
    start = body.index(f"{label}:") + 1
    work, kept = body[start:body.index("sret", start)], []
    expanded = work
    for _ in range(3):  # macros within macros
        names = [re.sub(r"^\d+:\s*(?=\w)", "", line).split()[0] for line in expanded]
        expanded = list(itertools.chain.from_iterable(macros.get(n, [line]) for n, line in zip(names, expanded)))
    expected = next(line.split(",")[1].strip() for i, line in enumerate(expanded)
                    if re.match(r"bne\b", line) and "lr.d" in expanded[i - 1])
    for i, line in enumerate(expanded):
        operation, _, rest = re.sub(r"^\d+:\s*", "", line).partition(" ")
        operands = [o.strip() for o in rest.split(",")]
        mark = "".join(re.findall(r"^\d+:", line))
        where = operands[-1].partition("(")[0]
        word = {"SLOT_WORD": "own" if operation == "sd" else "peer", "SLOT_PENDING": "queue+noted",
                "SLOT_LIFE": "life", "PROCESS_PLACE": "place"}.get(where)
        if operation == "fence":
            kept.append(f"fence {rest}")
        elif operation.startswith(("lr.", "sc.")):
            kept.append(f"{mark} {operation} {', '.join(operands[:-1])}, peer")
        elif word:
            kept.append(f"{operation} {operands[0]}, {word}")
        elif operation in ("bne", "bnez"):
            again = re.match(r"\d+b", operands[-1])
            if not (again or re.search(r"\b[ls][rc]\.d", expanded[i - 1]) or
                    (kept and kept[-1].endswith(("queue+noted", "life")))):
                continue
            goal = operands[-1] if again else "9f"
            kept.append(f"{operation} {', '.join([*operands[:-1], goal])}")
    return "; ".join(kept), expected


# ---- The tests. ----

KNOWN = [  # a shape, whether its outcome is possible, the threads, the outcome
    ("store buffering", True, ["sd 1, x; ld a, y", "sd 1, y; ld a, x"], "0:a=0 1:a=0"),
    ("store buffering, fences", False, ["sd 1, x; fence rw,rw; ld a, y", "sd 1, y; fence rw,rw; ld a, x"],
     "0:a=0 1:a=0"),
    ("message passing, control only", True, ["sd 1, x; fence w,w; sd 1, y", "ld a, y; beqz a, 1f; 1: ld b, x"],
     "1:a=1 1:b=0"),
    ("message passing, address", False, ["sd 1, x; fence w,w; sd 1, y", "ld a, y; ld b, x[a]"], "1:a=1 1:b=0"),
    ("load buffering", True, ["ld a, x; sd 1, y", "ld a, y; sd 1, x"], "0:a=1 1:a=1"),
    ("load buffering, control and data", False, ["ld a, x; bnez a, 1f; 1: sd 1, y", "ld a, y; sd a, x"],
     "0:a=1 1:a=1"),
    ("one location is coherent", False, ["sd 1, x", "ld a, x; ld b, x"], "1:a=1 1:b=0"),
    ("four threads agree on the order of stores", False,
     ["sd 1, x", "sd 1, y", "ld a, x; ld b, y[a]", "ld a, y; ld b, x[a]"], "2:a=1 2:b=0 3:a=1 3:b=0"),
    ("forwarding past a control dependency", True,
     ["sd 1, x; fence w,w; sd 1, y", "ld a, y; beqz a, 1f; 1: sd 1, z; ld c, z; ld b, x[c]"], "1:a=1 1:c=1 1:b=0"),
    ("no forwarding past an address dependency", False,
     ["sd 1, x; fence w,w; sd 1, y", "ld a, y; sd 1, z[a]; ld c, z; ld b, x[c]"], "1:a=1 1:c=1 1:b=0"),
    ("two loads of one store are not ordered", True,
     ["sd 1, x; fence w,w; sd 1, y", "ld a, y; ld c, z[a]; ld d, z; ld b, x[d]"], "1:a=1 1:b=0"),
    ("a pair of LR and SC is atomic", False,
     ["1: lr.d a, x; sc.d b, 1, x; bnez b, 1b", "1: lr.d a, x; sc.d b, 2, x; bnez b, 1b"], "0:a=0 1:a=0"),
]

WAKER = f"sd 1, noted; {FENCE}; ld seen, own"  # notify_slot()
SENDER = f"sd 1, queue; {swap('mine', '1')}; ld seen, own"  # message_send(), its queue and its own word
UNSEEN = "0:look=0 1:seen=0"


def looks(publish):
    return f"{publish}; ld look, queue+noted"


def second_look():
    """Forms of the waiter: (title, possible, text)."""
    won, lost = (("won", "0"), ("lost", "7"))
    yield "by arch_swap_full()", False, looks(swap("own", "1"))
    yield "store, arch_fence()", False, looks(f"sd 1, own; {FENCE}")
    for how, expected in (won, lost):
        yield f"store, arch_cas_full() that is {how}", False, looks(f"sd 1, own; {cas('c', 'peer', expected, '3')}")
        yield f"store, lr.aq and sc.rl, {how}", True, looks(f"sd 1, own; {cas('c', 'peer', expected, '3', PAIR_CAS)}")
    yield "store, gcc's compare-exchange that is lost", True, looks(f"sd 1, own; {cas('c', 'peer', '7', '3', GCC_CAS)}")
    yield "store, amoswap.aq", True, looks("sd 1, own; amoswap.d.aq c, 1, peer")
    yield "amoswap.rl", True, looks("amoswap.d.rl c, 1, own")
    yield "a release store", True, looks(release("own", "1"))


def claimer(form=None):
    return f"{cas('c', 'word', '2', '3', form)}; bne c, 2, 9f; ld got, data; sd 9, private; 9: li end, 1"


CLAIMER = claimer()
OWNER = f"sd 7, data; ld late, private; {release('word', '2')}"
HAND_ON = [OWNER, f"{cas('c', 'word', '2', '3')}; bne c, 2, 9f; {release('ready', '1')}; 9: li end, 1",
           f"{acquire('c', 'ready')}; beqz c, 9f; ld got, data; 9: li end, 1"]

# An ender and its successor in the slot: claims the old wait, goes stale, and the next one waits.
SUCCESSOR = f"{cas('c', 'word', '1', '2')}; bne c, 1, 9f; sd 2, life; {FENCE}; {release('word', '3')}; 9: li end, 1"


def caller_of(first, between, second):
    return f"{first}; {between}; {second}; {cas('c', 'word', 'w', '4')}; bne c, w, 9f; li won, 1; 9: li end, 1"


def short_reply_tests():
    """short_reply_receive: the look at what is pending, by message.S where the caller was claimed, else by C;
    and what is read of the caller before it is claimed."""
    for label in ("short_reply_receive", "short_reply_receive_block"):
        text, expected = entry(label)
        stored, look = re.search(r"sd (\w+), own", text), re.search(r"lw (\w+), queue\+noted; bnez \1, 9f", text)
        if not (stored and look and "lr.d" in text):
            yield f"message.S: {label} publishes, claims and looks no more", None, [], "", {}
            continue
        text = text.replace(stored[0], "sd 1, own").replace(look[0], "lw look, queue+noted; bnez look, 9f")
        text = text.replace("ld t6, place", "ld context, place")
        # With a block the caller is claimed before the server is published, or nothing has been done.
        ways = {"answered": 5, "too late": 0} if label == "short_reply_receive" else {"answered": 5}
        begin = f"li {expected}, 5; li look, 1"
        end = "9: li end, 1" if "block" in label else "j 8f; 9: lw look, queue+noted; 8: li end, 1"
        for way, peer in ways.items():
            start = {"peer": peer}
            for other, name in ((WAKER, "a notifier"), (SENDER, "a sender")):
                yield f"{label}, {way}, and {name}", False, [f"{begin}; {text}; {end}", other], UNSEEN, start
            weaker = text.replace("fence rw, rw", "fence rw, w") if "block" in label else text.replace("aqrl", "aq")
            yield f"{label}, {way}, weakened", True, [f"{begin}; {weaker}; {end}", WAKER], UNSEEN, start
        half = text.replace("lw look, queue+noted", "lhu look, queue")
        yield f"{label} looks at the queue only", True, [f"{begin}; {half}; {end}", WAKER], UNSEEN, {"peer": 5}
        # The caller's deadline passes on another core, where it runs, and calls again.
        again = f"{cas('c', 'peer', '5', '2')}; bne c, 5, 9f; sd 6, place; {release('peer', '7')}; 9: li end, 1"
        claim = re.sub(r"sc\.d\S* (\w+),(.*?), peer;.*$", r"sc.d.rl \1,\2, peer; bnez \1, 9f; li won, 1", text)
        yield f"{label}: a context that is too new", False, [f"{begin}; {claim}; 9: li end, 1", again], \
            "0:won=1 0:context=6", {"peer": 5}
        yield f"{label}: claimed by two", False, [f"{begin}; {claim}; 9: li end, 1", again], "0:won=1 1:c=5", \
            {"peer": 5}


def short_call_tests():
    """short_call: word, then life, then the claim of that word; what is read between is the claimed one's."""
    for label in ("short_call", "short_call_block"):
        text, expected = entry(label)
        claim = text.partition("; fence rw, w")[0] if label == "short_call" else text
        claim = re.sub(r"; bne \w+, \w+, 9f(?=; ld \w+, place)", "", claim)
        claim = re.sub(r"; fence rw, w; sd \w+, own", "", claim)
        loads = re.search(rf"ld {expected}, peer; (fence [rw, ]+); lw (\w+), life; bne \2, \w+, 9f", text)
        if not loads:
            yield f"message.S: {label} does not read word, fence, life, or takes any life", None, [], ""
            continue
        claim = claim.replace(f"lw {loads[2]}, life", "ld gen, life").replace("ld t6, place", "ld context, place")
        done = f"{claim}; mv was, {expected}; li won, 1; 9: li end, 1"
        other = SUCCESSOR.replace("word", "peer")
        yield f"{label}: the generation of the word", False, [done, other], "0:won=1 0:was=3 0:gen=1"
        yield f"{label} without its fence", True, [done.replace(f"{loads[1]}; ", "", 1), other], \
            "0:won=1 0:was=3 0:gen=1"
        # Another core claims the server, moves it, and lets it wait again.
        moves = f"{cas('c', 'peer', '1', '2')}; bne c, 1, 9f; sd 6, place; {release('peer', '3')}; 9: li end, 1"
        yield f"{label}: a context that is too new", False, [done, moves], "0:won=1 0:was=1 0:context=6"
        yield f"{label}: a context that is too old", False, [done, moves], "0:won=1 0:was=3 0:context=0"
        yield f"{label}: a context too old, without its fence", True, \
            [done.replace(f"{loads[1]}; ", "", 1), moves], "0:won=1 0:was=3 0:context=0"


def published_tests():
    """What the short ways of messages publish and claim: a process with all that was stored before."""
    for label in ("short_call", "short_call_block", "short_reply_receive", "short_reply_receive_block"):
        text, expected = entry(label)
        before = re.search(r"(?:(fence [rw, ]+); )?sd \w+, own", text)
        yield f"published: {label}, seen by who claims it", False, \
            [f"sd 7, data; ld late, private; {before[1] or ''}; sd 2, word", CLAIMER], "1:c=2 1:got=0"
        yield f"published: {label}, with nothing that is later", False, \
            [f"sd 7, data; ld late, private; {before[1] or ''}; sd 2, word", CLAIMER], "0:late=9"
        claim = re.search(r"(?:\d: )?lr\.d.*?bnez \w+, \w+", text)[0]
        claim = re.sub(r"bnez (\w+), \w+$", r"bnez \1, 9f", claim)
        claimed = f"li {expected}, 1; {claim}; li won, 1; ld got, data; sd 9, private; 9: li end, 1"
        owner = f"sd 7, data; ld late, private; {release('peer', '1')}"
        yield f"claimed: {label}, with all that is its own", False, [claimed, owner], "0:won=1 0:got=0"
        yield f"claimed: {label}, and left by who had it", False, [claimed, owner], "1:late=9"
        weak = re.sub(r"(lr\.d|sc\.d)\S*", r"\1", claimed)
        yield f"claimed: {label}, by a plain pair", True, [weak, owner], "0:won=1 0:got=0"


def entry_switch_tests():
    """entry.S: a receive that waits looks only after its word; who is taken from the queue is RUN before the look at
    his doom."""
    source = re.sub(r"\s*/\*.*?\*/", "", (ROOT / "arch/riscv64/entry.S").read_text(encoding="utf-8"), flags=re.DOTALL)
    wait = re.search(r"^riscv_receive:.*?(amoswap\.\S+) zero, \w+, \(t6\)\n\s*lw (\w+), SLOT_PENDING\(t6\)\n"
                     r"\s*bnez \2, receive_missed$", source, re.DOTALL | re.MULTILINE)
    taken = re.findall(r"sd t3, SLOT_WORD\(t1\)\n\s*(fence [rw, ]+)\n", source)
    looks_last = re.search(r"^next_enter:\n\s*ld (\w+), SLOT_LIFE\(t1\)\n\s*andi (\w+), \1, 1\n"
                           r"\s*bnez \2, next_doomed$", source, re.MULTILINE)
    if not wait or len(taken) != 2 or not looks_last:
        yield "entry.S: a wait and a switch are no longer what this test knows", None, [], ""
        return
    text = f"{wait[1]} c, 1, own; lw look, queue+noted"
    for other, name in ((WAKER, "a notifier"), (SENDER, "a sender")):
        yield f"riscv_receive and {name}", False, [text, other], UNSEEN
        yield f"riscv_receive and {name}, weakened", True, [text.replace("aqrl", "rl"), other], UNSEEN
    killer = f"{cas('c', 'life', '2', '3')}; {FENCE}; ld word, own"
    for way, fence in zip(("yield", "wait"), taken):
        yield f"entry.S: a doom, and who is taken by a {way}", False, \
            [killer, f"sd 1, own; {fence}; ld doomed, life"], "0:word=0 1:doomed=2", {"life": 2}


def c_text(path, function):
    """The body of a C function."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.search(rf"^[^\n;]*\b{function}\([^)]*\) {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)[1]


def in_order(path, function, *parts):
    """Does the function do these one after the other?"""
    return re.search(".*?".join(re.escape(part) for part in parts), c_text(path, function), re.DOTALL)


def light_notify_tests():
    """light_notify(): word, life and what is known of the registers, the claim of that word. Word 1 waits with life 0;
    the other core ends that wait and begins another, 3, with another life or other registers."""
    if not in_order("sys/notify.c", "light_notify", "word = slot_word(slot)", "slot_life(slot)", "process->blank",
                    "arch_cas_full(&slot->word, word"):
        yield "notify.c: light_notify() reads word, life, blank and claims that word no more", None, [], ""
        return
    start = {"word": 1}
    claim = f"bnez x, 9f; 9: {cas('c', 'word', 'w', '4')}; bne c, w, 8f; li won, 1; 8: li end, 1"
    for what in ("blank", "life"):
        again = f"{cas('c', 'word', '1', '2')}; bne c, 1, 9f; sd 6, {what}; {release('word', '3')}; 9: li end, 1"
        right = f"{acquire('w', 'word')}; ld x, {what}; {claim}"
        plain = f"ld w, word; ld x, {what}; {claim}"
        first = f"{acquire('x', what)}; ld w, word; {claim}"
        old = "0:won=1 0:w=3 0:x=0"
        yield f"light_notify: a {what} that is too old", False, [right, again], old, start
        yield f"light_notify: a {what} that is too new", False, [right, again], "0:won=1 0:w=1 0:x=6", start
        yield f"light_notify: a {what} too old, without acquire", True, [plain, again], old, start
        yield f"light_notify: a {what} too old, read before the word", True, [first, again], old, start


def short_tests():
    """ipc/short.c: a call reads word, life and place, and claims that word; the other core ends that wait and begins
    another, 3. Who has published itself looks again behind a full fence, by a form of second_look()."""
    if not (in_order("ipc/short.c", "call", "word = slot_word(t)", "arch_load_acquire(&t->life)", "arch_space_plain(",
                     "arch_cas_full(&t->word, word")
            and in_order("ipc/short.c", "receive", "arch_swap_full(&slot->word, word)", "message_looked_at_late(")
            and in_order("ipc/short.c", "reply_receive", "publish(slot)", "arch_fence();", "} else {", "publish(slot)",
                         "arch_cas_full(&y->word, word", "pending(slot)")):
        yield "short.c: a way no longer claims, publishes or looks again as this test knows", None, [], ""
        return
    for what, load in (("life", acquire("x", "life")), ("place", f"{acquire('l', 'life')}; ld x, place")):
        claim = f"bnez x, 9f; 9: {cas('c', 'word', 'w', '4')}; bne c, w, 8f; li won, 1; 8: li end, 1"
        again = f"{cas('c', 'word', '1', '2')}; bne c, 1, 9f; sd 6, {what}; {release('word', '3')}; 9: li end, 1"
        call = [f"{acquire('w', 'word')}; {load}; {claim}", again]
        yield f"short.c: a {what} that is too old", False, call, "0:won=1 0:w=3 0:x=0", {"word": 1}
        yield f"short.c: a {what} that is too new", False, call, "0:won=1 0:w=1 0:x=6", {"word": 1}


def page_table_tests():
    """paging_map(): a walk that finds the link to a table finds its zeros, whoever cleared it: the core that links it,
    or one that cleared it ahead and handed it on through a lock. A walk is two reads, the second by address."""
    link = ("mm/paging.c", "paging_map", "arch_fence_release();", "arch_store_relaxed(entry, arch_pte_table(")
    if not in_order(*link) or not in_order(*link[:2], link[3], "fill(space, entry"):
        yield "paging.c: paging_map() no longer links a table behind a fence", None, [], ""
        return
    walk = "ld seen, entry; ld old, table[seen]"
    store = release("entry", "1")
    start = {"table": 5}
    stale = "{0}:seen=1 {0}:old=5"
    yield "a table's zeros before its link", False, [f"sd 0, table; {store}", walk], stale.format(1), start
    yield "a table's zeros before its link, without the fence", True, ["sd 0, table; sd 1, entry", walk], \
        stale.format(1), start
    ahead = f"sd 0, table; {release('lock', '1')}"
    taken = f"{acquire('got', 'lock')}; beqz got, 9f; {{}}; 9: li end, 1"
    yield "a table cleared ahead", False, [ahead, taken.format(store), walk], stale.format(2), start
    yield "a table cleared ahead, the lock let go without release", True, \
        ["sd 0, table; sd 1, lock", taken.format(store), walk], stale.format(2), start


def receive_from_tests():
    """claim_sender(): the sender's word, its generation, the claim of that word. message_send(): the receiver's word,
    whom it waits for (wait_life), the claim; the other core ends that wait and begins one for the generation 6."""
    if not (in_order("ipc/message.c", "claim_sender", "word = slot_word(y)", "slot_generation(y) != ",
                     "arch_cas_full(&y->word, word")
            and in_order("ipc/message.c", "message_send", "word = slot_word(t)", "state_accepts(t, word, slot)",
                         "arch_cas_full(&t->word, word")
            and in_order("ipc/message.c", "publish_receive", "slot->wait_life = ", "arch_swap_full(&slot->word, ")):
        yield "message.c: a receive from one process is no longer what this test knows", None, [], ""
        return
    start = {"word": 1, "life": 1}
    wrong = "0:won=1 0:w=3 0:l=1"
    yield "receive from one: the generation of the sender", False, \
        [caller_of(acquire("w", "word"), "li x, 0", acquire("l", "life")), SUCCESSOR], wrong, start
    yield "receive from one: the generation before the word", True, \
        [caller_of(acquire("l", "life"), "li x, 0", acquire("w", "word")), SUCCESSOR], wrong, start
    again = f"{cas('c', 'word', '1', '2')}; bne c, 1, 9f; sd 6, life; {swap('word', '3')}; 9: li end, 1"
    right = [caller_of(acquire("w", "word"), "li x, 0", "ld l, life"), again]
    yield "send: whom a receive is for, too old", False, right, wrong, start
    yield "send: whom a receive is for, too new", False, right, "0:won=1 0:w=1 0:l=6", start
    yield "send: whom a receive is for, without acquire", True, \
        [caller_of("ld w, word", "li x, 0", "ld l, life"), again], wrong, start


def reason_tests():
    """end_kill() and slot_doom_reason()."""
    if not (in_order("ipc/end.c", "give_reason", "arch_cas_full(&slot->doom")
            and in_order("ipc/end.c", "end_kill", "give_reason(", "arch_cas_full(&slot->life")
            and in_order("core/process.h", "slot_doom_reason", "&slot->life, __ATOMIC_ACQUIRE", "&slot->doom")):
        yield "end.c: a reason is no longer given before the doom, or read after it", None, [], ""
        return
    killer = f"{cas('c', 'reason', '0', '7')}; {cas('d', 'life', '2', '3')}"
    yield "reason: of a doom that is seen", False, [killer, f"{acquire('l', 'life')}; ld r, reason"], \
        "1:l=3 1:r=0", {"life": 2}
    yield "reason: read without acquire", True, [killer, "ld l, life; ld r, reason"], "1:l=3 1:r=0", {"life": 2}
    late = f"{cas('d', 'life', '2', '3')}; {cas('c', 'reason', '0', '7')}"
    yield "reason: given after the doom", True, [late, f"{acquire('l', 'life')}; ld r, reason"], \
        "1:l=3 1:r=0", {"life": 2}


def tests():
    for title, possible, threads, outcome in KNOWN:
        yield f"known: {title}", possible, threads, outcome
    for title, possible, text in second_look():
        yield f"second look: {title}", possible, [text, WAKER], UNSEEN
        yield f"second look at the queue: {title}", possible, [text, SENDER], UNSEEN
    yield "second look: a waker without a fence", True, [looks(swap("own", "1")), "sd 1, noted; ld seen, own"], UNSEEN
    closes = [f"{swap('a', '1')}; ld look, b", f"{swap('b', '1')}; ld look, c", f"{swap('c', '1')}; ld look, a"]
    yield "circle of three: one of them sees it", False, closes, "0:look=0 1:look=0 2:look=0"
    closes = [closes[0], f"{release('b', '1')}; ld look, c", closes[2]]
    yield "circle of three: one publishes by a release", True, closes, "0:look=0 1:look=0 2:look=0"
    doom = [f"{cas('c', 'life', '2', '3')}; {FENCE}; ld word, own", f"sd 1, own; {FENCE}; ld doomed, life"]
    yield "doom: seen by the killer or by who acquires", False, doom, "0:word=0 1:doomed=2", {"life": 2}
    yield "doom: an acquirer without a fence", True, [doom[0], "sd 1, own; ld doomed, life"], "0:word=0 1:doomed=2", \
        {"life": 2}
    yield "doom: a killer whose compare-exchange is its only fence", True, [doom[0].replace(FENCE, ""), doom[1]], \
        "0:word=0 1:doomed=2", {"life": 2}

    yield "claim: sees what was written before", False, [OWNER, CLAIMER], "1:c=2 1:got=0"
    yield "claim: is not seen by what came before", False, [OWNER, CLAIMER], "0:late=9"
    plain = OWNER.replace("fence rw, w", "fence w, w")
    yield "claim: published behind a fence of stores only", True, [plain, CLAIMER], "0:late=9"
    yield "claim: published by a plain store", True, ["sd 7, data; sd 2, word", CLAIMER], "1:c=2 1:got=0"
    for title, form in (("plain", PLAIN_CAS), ("released only", RELEASE_CAS)):
        yield f"claim: by a {title} compare-exchange", True, [OWNER, claimer(form)], "1:c=2 1:got=0"
    yield "claim: handed on, the third core sees it too", False, HAND_ON, "2:c=1 2:got=0"
    yield "claim: handed on, the third core has no acquire", True, \
        [*HAND_ON[:2], "ld c, ready; beqz c, 9f; ld got, data; 9: li end, 1"], "2:c=1 2:got=0"
    two = [f"{cas('c', 'word', '2', '3')}", f"{cas('c', 'word', '2', '4')}"]
    yield "claim: one of two wins", False, two, "0:c=2 1:c=2", {"word": 2}

    wrong = "0:won=1 0:w=3 0:l=1"
    start = {"word": 1, "life": 1}
    yield "generation: word, life, claim", False, \
        [caller_of(acquire("w", "word"), "li x, 0", "ld l, life"), SUCCESSOR], wrong, start
    yield "generation: read first", True, \
        [caller_of(acquire("l", "life"), "li x, 0", "ld w, word"), SUCCESSOR], wrong, start
    yield "generation: word read without acquire", True, \
        [caller_of("ld w, word", "li x, 0", "ld l, life"), SUCCESSOR], wrong, start
    yield from light_notify_tests()
    yield from short_tests()
    yield from page_table_tests()
    yield from receive_from_tests()
    yield from reason_tests()
    yield from entry_switch_tests()
    yield from published_tests()
    yield from short_reply_tests()
    for title, possible, threads, outcome in short_call_tests():
        yield title, possible, threads, outcome, {"peer": 1, "life": 1}


def found(threads, outcome, initial):
    """(is the outcome possible, is anything possible)"""
    wanted = [term.split("=") for term in outcome.split()]
    any_at_all = False
    for result in rvwmo.explore(threads, initial):
        any_at_all = True
        if all(result.get(name, 0) == int(value) for name, value in wanted):
            return True, True
    return False, any_at_all


def main():
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    plan = [(*test, {})[:5] for test in tests() if word in test[0] or not test[2]]
    print(f"1..{len(plan)}")
    failed = 0
    for number, (title, possible, threads, outcome, initial) in enumerate(plan, 1):
        got, alive = found(threads, outcome, initial) if threads else (None, False)
        good = threads and alive and got == possible
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {title}: {'found' if possible else 'never'}", flush=True)
        if not good:
            print("# " + "\n# ".join([*threads, outcome, f"found: {got}, any execution: {alive}"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
