# SPDX-License-Identifier: MIT
"""gdb's commands for OS2's kernel.

    os2 cores        what each core runs, and what waits in its run queue
    os2 processes    every process: state, core, memory
    os2 queues       who waits for whom: run queues in order, senders at each receiver
    os2 heap         free blocks by order; what each frame is used for, counted
    os2 tables       every page table, walked: entries that must not be, W and X at once, frames mapped twice
    os2 log          the kernel's log, as far as it is still in its ring

Structures are read by the debug information, the numbers that are not in it from the headers. All is read through the
kernel's own map, which every process has too: on RISC-V the core that gdb shows is put into supervisor mode for as
long as a command reads. It must have come as far as the kernel's map. The machine is stopped meanwhile, perhaps in the
middle of a change: a sum may then be off by what is under way.
"""
import collections
import pathlib
import re

import gdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE_SHIFT, PAGE_SIZE = 12, 4096


def enumerators(path, name):
    """The enumerators of `enum name` in a header, which count from 0, with their common first word cut off."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(encoding="utf-8"), flags=re.DOTALL)
    names = re.findall(r"\w+", re.search(rf"enum {name} \{{(.*?)\}}", text, re.DOTALL)[1])
    prefix = re.match(r"(?:OS2_)?[A-Z]+_", names[0])[0]
    return [word.removeprefix(prefix).lower() for word in names]


def constant(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    return int(re.search(rf"#define {name} (0x[0-9a-f]+|\d+)", text)[1], 0)


KINDS = enumerators("core/state.h", "kind")
FRAMES = enumerators("usr/include/os2/abi.h", "os2_frame_state")
SEQ_BITS = constant("core/state.h", "STATE_SEQ_BITS")
SLOT_NONE = constant("core/process.h", "SLOT_NONE")
SLOT_ANY = constant("core/process.h", "SLOT_ANY")
SLOT_NOBODY = constant("core/process.h", "SLOT_NOBODY")


def machine():
    return gdb.parse_and_eval("machine")


def cores():
    every = gdb.parse_and_eval("cores")
    return [every[i].dereference() for i in range(int(machine()["core_count"]))]


def kind(word):
    return KINDS[word >> 60]


def peer(word):
    return word >> SEQ_BITS & 0xffff


def slot(index):
    return machine()["slot"][index]


def slots():
    """Every slot in use, its number first."""
    every = machine()["slot"]
    for i in range(int(machine()["slot_high"])):
        if kind(int(every[i]["word"])) != "free":
            yield i, every[i]


def has_process(one):
    return int(one["process"]) != int(gdb.parse_and_eval("&process_none"))


def name(one):
    if not has_process(one):
        return "(ended)"
    words = one["process"]["name"]
    data = b"".join(int(words[i]).to_bytes(8, "little") for i in range(2))
    return data.rstrip(b"\0").decode(errors="replace")


def named(index):
    return f"{index} {name(slot(index))}"


def senders(receiver, most=10000):
    """The slots that wait at another, as text."""
    found, first = [], int(receiver["queue_head"])
    while first != SLOT_NONE and len(found) < most:
        found.append(named(first))
        first = int(slot(first)["next"])
    return found


def chain(first, last, most=10000):
    """The slots of a run queue's list, as text."""
    found = []
    while int(first) and len(found) < most:
        found.append(named(int(first["index"])))
        if first == last:
            break
        first = first["run_next"]
    return found


def run_queue(core):
    queue = core["shared"]["queue"]
    return (chain(queue["front"]["head"], queue["front"]["tail"]), chain(queue["box"], queue["box_tail"]),
            chain(queue["list"]["head"], queue["list"]["tail"]))


def show_cores():
    print("CORE  CPU  STATE    RUNS                 TOKENS    TURNS  READY  SENT-AWAY")
    idle = int(machine()["idle_mask"])
    for i, core in enumerate(cores()):
        shared = core["shared"]
        runs = named(int(core["current"]["slot"]["index"])) if int(core["current"]) else "-"
        state = "absent" if not int(shared["online"]) else "idle" if idle >> i & 1 else "runs"
        ready = sum(len(part) for part in run_queue(core))
        print(f"{i:4} {int(machine()['boot']['cpu_id'][i]):4}  {state:8} {runs:20} "
              f"{int(core['tokens']):6} {int(core['turns']):8} {ready:6} {int(core['stolen']):10}")


def show_processes():
    print("SLOT NAME             STATE  PEER                 PAGES TABLES   QUOTA SUPER")
    for i, one in slots():
        word = int(one["word"])
        kind_name, other = kind(word), peer(word)
        if kind_name in ("run", "rdy", "clm", "end"):
            where = f"core {other}"
        elif kind_name in ("rcv", "snd", "cal"):
            where = {SLOT_ANY: "anyone", SLOT_NOBODY: "nobody"}.get(other) or named(other)
        else:
            where = "-"
        parent = int(one["parent"])
        space = one["process"]["space"] if has_process(one) else None
        charged, tables, objects, quota = ([int(space[field]) for field in ("charged", "tables", "objects", "quota")]
                                           if space else [0] * 4)
        print(f"{i:4} {name(one):16} {kind_name:6} {where:18} {charged - tables - objects:7} {tables:6} {quota:7} "
              f"{parent if parent != SLOT_NONE else '-'}")


def show_queues():
    for i, core in enumerate(cores()):
        parts = zip(("front", "on offer", "list"), run_queue(core))
        text = "; ".join(f"{title}: {', '.join(part)}" for title, part in parts if part)
        print(f"core {i} ready: {text or 'none'}")
    for i, one in slots():
        if int(one["queue_head"]) != SLOT_NONE:
            print(f"senders at {named(i)}: {', '.join(senders(one))}")


def frame_type():
    """struct frame as bytes: what of it is wanted, for reading millions at once."""
    state, order = (int(gdb.parse_and_eval(f"(unsigned long)&((struct frame *)0)->{field}"))
                    for field in ("state", "order"))
    return gdb.lookup_type("struct frame").sizeof, state, order


def show_heap():
    heap = machine()["heap"]
    total = 0
    print("ORDER  BLOCKS      PAGES")
    for order in range(heap["free_list"].type.range()[1] + 1):
        number, count = int(heap["free_list"][order]), 0
        while number and count <= int(heap["end"]):
            frame = heap["frames"][number]
            if FRAMES[int(frame["state"])] != "free" or int(frame["order"]) != order:
                print(f"frame {number:#x} on the list of order {order} is {FRAMES[int(frame['state'])]}")
            number, count = int(frame["next"]), count + 1
        count += int(heap["spare"][order]) != 0  # freed last, and in no list
        if count:
            print(f"{order:5} {count:7} {count << order:10}")
        total += count << order
    print(f"free: {total} pages on the lists and spare, {int(heap['free_pages'])} counted: "
          f"{'they agree' if total == int(heap['free_pages']) else 'THEY DIFFER'}")

    size, state_at, order_at = frame_type()
    first, end = int(heap["first"]), int(heap["end"])
    pages, number, step = collections.Counter(), first, 65536
    while number < end:
        count = min(step, end - number)
        data = gdb.selected_inferior().read_memory(int(heap["frames"]) + number * size, count * size).tobytes()
        at = 0
        while at < count:
            state = FRAMES[data[at * size + state_at]]
            run = 1 << data[at * size + order_at] if state not in ("reserved", "tail") else 1
            pages[state] += run
            at += run
        number += at
    for state, count in pages.most_common():
        print(f"  {state:10} {count:9} pages")
    print(f"in all {sum(pages.values())} of {end - first} frames, {int(heap['ram_pages'])} of them RAM")


class Tables:
    """A walk over page tables. Knows what was mapped where, and counts. Each port's half says how entries read."""

    def __init__(self):
        self.owner = {}  # frame -> which space maps it
        self.leaves = self.bad = 0
        self.linked = int(gdb.parse_and_eval("(unsigned long)&image_start"))
        self.image = self.image_base()
        self.image_data = self.image + int(gdb.parse_and_eval("(unsigned long)&image_data")) - self.linked
        self.image_end = self.image + int(gdb.parse_and_eval("(unsigned long)&image_end")) - self.linked

    def read(self, pa):
        """A table's entries. The kernel's first tables are in its image's data, which the direct map leaves out."""
        base = self.linked - self.image if self.image_data <= pa < self.image_end else self.direct
        data = gdb.selected_inferior().read_memory((base + pa) & (1 << 64) - 1, PAGE_SIZE).tobytes()
        return [int.from_bytes(data[i:i + 8], "little") for i in range(0, PAGE_SIZE, 8)]

    def complain(self, what, va, pte, why):
        self.bad += 1
        print(f"{what}: {va & (1 << 64) - 1:#x}: {pte:#x} {why}")

    def walk(self, what, pa, user, level=None, va=0):
        level = self.top if level is None else level
        half = range(512) if level < self.top else range(256) if user else range(256, 512)
        table = self.read(pa)
        for i in half:
            pte = table[i]
            if not pte & 1:
                continue
            at = va | i << (12 + 9 * level) | (-1 << (21 + 9 * level) if level == self.top and i >= 256 else 0)
            leaf = self.is_leaf(pte, level)
            wrong = self.wrong(pte, level, leaf, user)
            if wrong:
                self.complain(what, at, pte, wrong)
            if leaf:
                self.leaves += 1
                if user:
                    self.claim(what, at, pte, 1 << 9 * level)
            elif level > 0:
                self.walk(what, self.address(pte), user, level - 1, at)

    def claim(self, what, va, pte, pages):
        first = self.address(pte) >> PAGE_SHIFT
        for frame in range(first, first + pages):
            if self.owner.setdefault(frame, what) != what:
                self.complain(what, va, pte, f"maps a frame of {self.owner[frame]}")


class Sv39(Tables):
    """V R W X U G A D in bits 0 to 7."""
    top, direct = 2, 0xffffffc000000000

    @staticmethod
    def image_base():
        return int(gdb.parse_and_eval("riscv_facts.image_base"))

    @staticmethod
    def kernel_root():
        return (int(gdb.parse_and_eval("riscv_kernel_satp")) & (1 << 44) - 1) << PAGE_SHIFT

    @staticmethod
    def address(pte):
        return pte >> 10 << 12

    @staticmethod
    def is_leaf(pte, _level):
        return bool(pte & 0xa)

    @staticmethod
    def wrong(pte, level, leaf, user):
        if pte >> 54:
            return "uses bits of an extension"
        flags = pte & 0xff
        if leaf and (flags & 0xc0 != 0xc0 or flags & 6 == 4 or flags & 0xc == 0xc or bool(flags & 0x10) != user):
            return "is a leaf that must not be"
        return "is a table that must not be" if not leaf and (flags & 0xd0 or level == 0) else None


class X86Tables(Tables):
    """P W U PWT PCD A D PS G in bits 0 to 8, NX in bit 63; bit 7 of a smallest leaf is another one, and not used."""
    top, direct = 3, 0xffff800000000000

    @staticmethod
    def image_base():
        return int(gdb.parse_and_eval("(unsigned long)&image_start")) - 0xffffffff80000000

    @staticmethod
    def kernel_root():
        return int(gdb.parse_and_eval("x86_kernel_cr3")) & -PAGE_SIZE

    @staticmethod
    def address(pte):
        return pte & 0x000ffffffffff000

    @staticmethod
    def is_leaf(pte, level):
        return level == 0 or bool(pte & 0x80)

    @staticmethod
    def wrong(pte, level, leaf, user):
        if pte >> 52 & 0x7ff:
            return "uses bits that are reserved"
        if bool(pte & 4) != user:
            return "is the kernel's, or a program's, where it must not be"
        if not leaf:
            return None if pte & 0x1ff == (0x27 if user else 0x23) else "is a table that must not be"
        if pte & 0x60 != 0x60 or bool(pte & 0x100) == user or bool(pte & 0x80) != (level > 0) or level > 2:
            return "is a leaf that must not be"
        return "is writable and executable" if pte & 2 and not pte >> 63 else None


def is_riscv():
    return "riscv" in gdb.selected_inferior().architecture().name()


def show_tables():
    tables = Sv39() if is_riscv() else X86Tables()
    tables.walk("kernel", tables.kernel_root(), False)
    for i, one in slots():
        if has_process(one):
            tables.walk(named(i), int(one["process"]["space"]["arch"]["root"]), True)
    print(f"{tables.leaves} leaves, {tables.bad} bad entries")


def show_log():
    log = machine()["log"]
    written, size = int(log["written"]), log["ring"].type.sizeof
    data = gdb.selected_inferior().read_memory(int(log["ring"].address), size).tobytes()
    at = written % size
    print((data[:at] if written <= size else data[at:] + data[:at]).decode(errors="replace").rstrip())


class SupervisorMode:
    """QEMU reads memory as the core would in its mode, and a process may not read what is the kernel's."""

    def __enter__(self):
        self.mode = int(gdb.parse_and_eval("$priv")) if is_riscv() else None
        if is_riscv():
            gdb.execute("set $priv = 1")

    def __exit__(self, *_):
        if self.mode is not None:
            gdb.execute(f"set $priv = {self.mode}")


SHOW = {"cores": show_cores, "processes": show_processes, "queues": show_queues, "heap": show_heap,
        "tables": show_tables, "log": show_log}


class Os2(gdb.Command):
    """OS2's kernel: os2 cores | processes | queues | heap | tables | log."""

    def __init__(self):
        super().__init__("os2", gdb.COMMAND_DATA)

    def complete(self, _text, word):
        return [key for key in SHOW if key.startswith(word)]

    def invoke(self, argument, _from_tty):
        show = SHOW.get(argument.strip())
        if not show:
            raise gdb.GdbError("os2 " + " | ".join(SHOW))
        try:
            with SupervisorMode():
                show()
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"{error}: this core has no map of the kernel; another may (info threads, thread N)")


Os2()
