# SPDX-License-Identifier: MIT
"""The few facts of a 64-bit little-endian ELF file that the benchmark needs."""
import pathlib
import struct

SHF_ALLOC = 2
SHT_SYMTAB = 2
STT_FUNC = 2
STB_GLOBAL = 1
SHN_ABS = 0xfff1
SHT_NOBITS = 8
PT_LOAD = 1


class Elf:
    """`entry`: virtual address of the first instruction; `load`: (virtual, physical, bytes in the file, offset) of each
    segment; `sections`: (type, flags, bytes, name) of each section; `functions`: (first address, end, name), sorted;
    `labels`: (address, name) of whatever has a name, local labels of assembly code too, sorted."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        self.entry, programs, sections = struct.unpack_from("<QQQ", data, 24)
        program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
        named = struct.unpack_from("<H", data, 62)[0]
        names = struct.unpack_from("<Q", data, sections + named * section_size + 24)[0]
        self.load, self.sections, self.functions, self.labels = [], [], [], []
        for i in range(program_count):
            kind, _, offset, virtual, physical, size = struct.unpack_from("<IIQQQQ", data, programs + i * program_size)
            if kind == PT_LOAD:
                self.load.append((virtual, physical, size, offset))
        for i in range(section_count):
            at, kind, flags, _, offset, size, link = struct.unpack_from("<IIQQQQI", data, sections + i * section_size)
            name = data[names + at:data.index(b"\0", names + at)].decode()
            self.sections.append((kind, flags, size, name))
            if kind == SHT_SYMTAB:
                strings = struct.unpack_from("<Q", data, sections + link * section_size + 24)[0]
                self.read_functions(data, offset, size, strings)
        self.data = data

    def read_functions(self, data, offset, size, names):
        """Labels of assembly code may have no size; they reach to the next function."""
        found = []
        for at in range(offset, offset + size, 24):
            name, info, _, section, value, extent = struct.unpack_from("<IBBHQQ", data, at)
            text = data[names + name:data.index(b"\0", names + name)].decode()
            if 0 < section < SHN_ABS and text and not text.startswith("$"):  # $x: what the bytes there are
                self.labels.append((value, text))
            if 0 < section < SHN_ABS and (info & 15 == STT_FUNC or info == STB_GLOBAL << 4):
                found.append((value, value + extent, text))
        found.sort()
        self.labels.sort()
        first_after = max((virtual + extent for virtual, _, extent, _ in self.load), default=0)
        for (first, end, text), following in zip(found, found[1:] + [(first_after, 0, "")]):
            self.functions.append((first, end if end > first else following[0], text))

    def function_at(self, address):
        return next((text for first, end, text in self.functions if first <= address < end), None)

    def bytes_at(self, address, size):
        """What the file loads at a virtual address."""
        for virtual, _, extent, offset in self.load:
            if virtual <= address and address + size <= virtual + extent:
                return self.data[offset + address - virtual:offset + address - virtual + size]
        return b""

    def entry_physical(self):
        return next(self.entry - virtual + physical for virtual, physical, size, _ in self.load
                    if virtual <= self.entry < virtual + size)

    def text_and_data(self, without=""):
        """Bytes of all that is loaded, code, constants, initialised data, but for the section of this name."""
        return sum(size for kind, flags, size, name in self.sections
                   if flags & SHF_ALLOC and kind != SHT_NOBITS and name != without)
