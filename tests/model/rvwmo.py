# SPDX-License-Identifier: MIT
"""RISC-V's weak memory order (RVWMO), small: every outcome of a few short threads.

A thread is a text of assembly in which memory operands are names of locations. explore() runs each thread alone, with
every value that a load could bring; then it joins the runs: which store each load reads from (rf), and in which order
the stores to each location become visible (co). An outcome is possible if

    coherence   program order of one location, rf, co and fr (a load before the stores that overwrite what it read)
                have no cycle
    model       co, rf between threads, fr and the preserved program order have no cycle
    atomicity   no other thread's store comes between what an LR read and its SC

which is the axiomatic form of the specification's chapter, rule by rule (ppo() below); an AMO is one event that loads
and stores. The rules are few, so the whole of them is here, but for what the kernel's code has no use of: I/O, and
fence.tso. Left out on purpose: dependencies that begin at the success register of an SC. The specification has them;
without them this checker allows more outcomes, so what it forbids is forbidden.

Instructions: li, mv, ld/lw/lhu, sd/sw/sh, lr, sc, amoswap, amoor with .aq .rl .aqrl, fence, beq, bne, beqz,
bnez, j, numeric labels. An operand `place[t5]` is location place at an address computed from t5; `queue+noted` is one
access that covers two locations. An SC may fail for no reason; a loop is followed twice.
"""
import dataclasses
import itertools
import re


@dataclasses.dataclass(eq=False)
class Event:
    thread: int
    at: int  # place in the thread's program order, fences included
    locations: tuple
    reads: dict = dataclasses.field(default_factory=dict)
    writes: dict = dataclasses.field(default_factory=dict)
    acquire: bool = False
    release: bool = False
    pair: "Event" = None  # of a successful SC: its LR
    address: frozenset = frozenset()
    data: frozenset = frozenset()
    control: frozenset = frozenset()
    is_sc: bool = False


@dataclasses.dataclass(frozen=True)
class Fence:
    at: int
    before: str
    after: str


def parse(text):
    """Instructions and the labels: ([(operation, operands)], {label: [places]})."""
    code, labels = [], {}
    for line in re.split(r"[\n;]", text):
        line = line.split("#")[0].split("/*")[0].strip()
        match = re.match(r"(\d+):\s*(.*)", line)
        while match:
            labels.setdefault(match[1], []).append(len(code))
            line = match[2]
            match = re.match(r"(\d+):\s*(.*)", line)
        if line:
            operation, _, rest = line.partition(" ")
            code.append((operation, [o.strip() for o in rest.split(",") if o.strip()]))
    return code, labels


class Run:
    """One way through one thread."""

    def __init__(self, thread):
        self.thread, self.pc, self.at, self.jumps = thread, 0, 0, 0
        self.registers, self.taint, self.events, self.fences = {}, {}, [], []
        self.control, self.reserved = frozenset(), None

    def copy(self):
        """Events are shared between runs until they are joined: they do not change once made."""
        other = Run(self.thread)
        other.__dict__.update({k: v.copy() if isinstance(v, (dict, list)) else v for k, v in self.__dict__.items()})
        return other

    def value(self, operand):
        """What a register or a number is."""
        return self.registers.get(operand, 0) if not re.match(r"-?\d", operand) else int(operand, 0)

    def event(self, operand, **fields):
        """A new event at a memory operand."""
        match = re.match(r"\(?([\w+]+)\)?(?:\[(\w+)\])?$", operand)
        event = Event(self.thread, self.at, tuple(match[1].split("+")), control=self.control,
                      address=self.taint.get(match[2], frozenset()), **fields)
        self.events.append(event)
        return event


def target(labels, label, pc):
    """Where a jump to `1f`, `1b` or a label that is unique goes."""
    places = labels.get(label.rstrip("fb"), [])
    if label.endswith("b"):
        return max(p for p in places if p < pc)
    return min(p for p in places if p >= pc)


def runs(thread, text, values):
    """All ways through a thread; `values` are those that a location may have."""
    code, labels = parse(text)
    work, done = [Run(thread)], []
    while work:
        run = work.pop()
        while run.pc < len(code):
            operation, operands = code[run.pc]
            name, _, suffix = operation.partition(".")
            run.pc += 1
            run.at += 1
            order = {"acquire": "aq" in suffix, "release": "rl" in suffix}
            taint = frozenset().union(*(run.taint.get(o, frozenset()) for o in operands))
            if name in ("li", "mv"):
                run.registers[operands[0]] = run.value(operands[1])
                run.taint[operands[0]] = run.taint.get(operands[1], frozenset())
            elif name in ("or", "add", "xor"):
                a, b = run.value(operands[1]), run.value(operands[2])
                run.registers[operands[0]] = {"or": a | b, "add": a + b, "xor": a ^ b}[name]
                run.taint[operands[0]] = taint
            elif name == "fence":
                kind = [set(o) & set("rw") for o in operands]
                run.fences.append(Fence(run.at, "".join(kind[0]), "".join(kind[1])))
            elif name in ("beq", "bne", "beqz", "bnez", "j"):
                left = run.value(operands[0]) if name != "j" else 0
                right = run.value(operands[1]) if len(operands) == 3 else 0
                run.control |= taint
                if name == "j" or (left == right) == name.startswith("beq"):
                    goal = target(labels, operands[-1], run.pc)
                    run.jumps += goal < run.pc
                    run.pc = goal
                if run.jumps > 1:
                    break
            elif name in ("sd", "sw", "sh"):
                event = run.event(operands[1], data=run.taint.get(operands[0], frozenset()))
                event.writes = {event.locations[0]: run.value(operands[0])}
            elif name == "sc":
                failed = run.copy()
                failed.registers[operands[0]], failed.taint[operands[0]], failed.reserved = 1, frozenset(), None
                work.append(failed)
                if run.reserved is None:
                    break  # cannot succeed
                event = run.event(operands[2], data=run.taint.get(operands[1], frozenset()), pair=run.reserved,
                                  is_sc=True, **order)
                event.writes = {event.locations[0]: run.value(operands[1])}
                run.registers[operands[0]], run.taint[operands[0]], run.reserved = 0, frozenset(), None
            else:  # loads and AMOs: a run for each value
                event = run.event(operands[-1], **order)
                amo = name.startswith("amo")
                given = run.value(operands[1]) if amo else 0
                run.events.pop()
                for read in itertools.product(*(sorted(values[l]) for l in event.locations)):
                    other = run.copy()
                    mine = dataclasses.replace(event, reads=dict(zip(event.locations, read)))
                    old = 0
                    for one in read:
                        old |= one
                    if amo:
                        new = {"amoswap": given, "amoor": old | given}[name]
                        mine.writes = {mine.locations[0]: new}
                        mine.data = run.taint.get(operands[1], frozenset())
                    other.registers[operands[0]] = old
                    other.taint[operands[0]] = frozenset([mine.at])
                    other.reserved = mine if name == "lr" else other.reserved
                    other.events.append(mine)
                    work.append(other)
                run = None
                break
        else:
            done.append(run)
    return done


def constants(threads, initial):
    """What each location may hold, to a fixed point: stores of registers may pass on what was loaded."""
    values = {}
    for text in threads:
        for operation, operands in parse(text)[0]:
            for operand in operands:
                match = re.match(r"\(?([a-z]\w*(?:\+\w+)*)\)?(?:\[\w+\])?$", operand)
                if match and operand is operands[-1] and not operation.startswith(("b", "j", "li", "mv", "fence", "or",
                                                                                   "add", "xor")):
                    for location in match[1].split("+"):
                        values.setdefault(location, {initial.get(location, 0)})
    while True:
        size = sum(map(len, values.values()))
        for number, text in enumerate(threads):
            for run in runs(number, text, values):
                for event in run.events:
                    for location, value in event.writes.items():
                        values[location].add(value)
        if sum(map(len, values.values())) == size:
            return values


def ppo(run, read_from):
    """The pairs of a thread's events that RVWMO keeps in program order; the numbers are the specification's."""
    for i, a in enumerate(run.events):
        for b in run.events[i + 1:]:
            same = set(a.locations) & set(b.locations)
            if (same and b.writes) or overlapping_loads(run, a, b, same, read_from):  # 1, 2
                yield a, b
            if (a.is_sc or (a.reads and a.writes)) and b.reads and a in read_from[b].values():  # 3
                yield a, b
            for fence in run.fences:  # 4
                if a.at < fence.at < b.at and any(k in fence.before for k in kinds(a)) and \
                        any(k in fence.after for k in kinds(b)):
                    yield a, b
            if a.acquire or b.release:  # 5, 6
                yield a, b
            if (a.acquire or a.release) and (b.acquire or b.release):  # 7
                yield a, b
            if b.pair is a:  # 8
                yield a, b
            if a.at in b.address or (b.writes and a.at in b.data | b.control):  # 9, 10, 11
                yield a, b
            for m in run.events:  # 12, 13
                if a.at < m.at < b.at and m.writes and b.reads and a.at in m.address | m.data and \
                        m in read_from[b].values():
                    yield a, b
                if a.at < m.at < b.at and b.writes and a.at in m.address:
                    yield a, b


def kinds(event):
    return ("r" if event.reads else "") + ("w" if event.writes else "")


def overlapping_loads(run, a, b, same, read_from):
    """Rule 2: two loads of one location, no store to it between them, that read from different stores."""
    if not (a.reads and b.reads):
        return False
    return any(read_from[a].get(location) is not read_from[b].get(location) and
               not any(m.writes and location in m.locations for m in run.events if a.at < m.at < b.at)
               for location in same if location in a.reads and location in b.reads)


def acyclic(edges):
    after, state = {}, {}
    for a, b in edges:
        after.setdefault(a, []).append(b)

    def visit(node):
        state[node] = 1
        for other in after.get(node, ()):
            if state.get(other) == 1 or (other not in state and not visit(other)):
                return False
        state[node] = 2
        return True

    return all(node in state or visit(node) for node in list(after))


def executions(chosen, initial):
    """Join one run of each thread: yields, for each consistent execution, the final memory."""
    events = [e for run in chosen for e in run.events]
    locations = sorted({l for e in events for l in e.locations})
    begin = {l: Event(-1, 0, (l,), writes={l: initial.get(l, 0)}) for l in locations}
    stores = {l: [e for e in events if l in e.writes] for l in locations}
    loads = [(e, l) for e in events for l in e.reads]
    sources = [[w for w in [begin[l], *stores[l]] if w.writes[l] == e.reads[l] and w is not e] for e, l in loads]
    if not all(sources):
        return
    orders = [[o for o in itertools.permutations(stores[l])
               if all(not (a.thread == b.thread and a.at > b.at) for i, a in enumerate(o) for b in o[i + 1:])]
              for l in locations]
    program = [(a, b) for run in chosen for i, a in enumerate(run.events) for b in run.events[i + 1:]
               if set(a.locations) & set(b.locations)]
    for choice in itertools.product(*sources):
        read_from = {e: {} for e in events}
        for (e, l), w in zip(loads, choice):
            read_from[e][l] = w
        if any(w.thread == e.thread and w.at > e.at for (e, _), w in zip(loads, choice)):
            continue
        keeps = [pair for run in chosen for pair in ppo(run, read_from)]
        rf = [(w, e) for (e, _), w in zip(loads, choice)]
        for order in itertools.product(*orders):
            co, fr, place = [], [], {}
            for l, o in zip(locations, order):
                line = [begin[l], *o]
                place[l] = line
                co += zip(line, line[1:])
            for (e, l), w in zip(loads, choice):
                later = place[l][place[l].index(w) + 1:]
                fr += [(e, s) for s in later if s is not e]
            if not acyclic(program + rf + co + fr):
                continue
            if not acyclic(co + fr + keeps + [(w, e) for w, e in rf if w.thread != e.thread]):
                continue
            if all(atomic(e, place, read_from) for e in events if e.pair):
                yield {l: place[l][-1].writes[l] for l in locations}


def atomic(sc, place, read_from):
    location = sc.locations[0]
    line = place[location]
    first, last = line.index(read_from[sc.pair][location]), line.index(sc)
    return first < last and all(w.thread == sc.thread for w in line[first + 1:last])


def explore(threads, initial=None):
    """Every outcome: yields dictionaries of `thread:register` and final memory."""
    initial = initial or {}
    values = constants(threads, initial)
    for chosen in itertools.product(*(runs(number, text, values) for number, text in enumerate(threads))):
        registers = {f"{run.thread}:{name}": value for run in chosen for name, value in run.registers.items()}
        for memory in executions(chosen, initial):
            yield {**memory, **registers}
