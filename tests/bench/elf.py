# SPDX-License-Identifier: MIT
"""The few facts of a 64-bit little-endian ELF file that the benchmark needs."""
import pathlib
import struct

SHF_ALLOC = 2
SHT_NOBITS = 8
PT_LOAD = 1


class Elf:
    """`entry`: virtual address of the first instruction; `load`: (virtual, physical, bytes) of each segment;
    `sections`: (type, flags, bytes) of each section."""

    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        self.entry, programs, sections = struct.unpack_from("<QQQ", data, 24)
        program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
        self.load, self.sections = [], []
        for i in range(program_count):
            kind, _, _, virtual, physical, _, size = struct.unpack_from("<IIQQQQQ", data, programs + i * program_size)
            if kind == PT_LOAD:
                self.load.append((virtual, physical, size))
        for i in range(section_count):
            _, kind, flags, _, _, size = struct.unpack_from("<IIQQQQ", data, sections + i * section_size)
            self.sections.append((kind, flags, size))

    def entry_physical(self):
        return next(self.entry - virtual + physical for virtual, physical, size in self.load
                    if virtual <= self.entry < virtual + size)

    def text_and_data(self):
        """Bytes of all that is loaded: code, constants, initialised data."""
        return sum(size for kind, flags, size in self.sections if flags & SHF_ALLOC and kind != SHT_NOBITS)
