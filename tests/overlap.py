# overlap.py - an ELF whose symbols share one long name: N bytes of file, N * N bytes of names
# SPDX-License-Identifier: MIT
import struct

BASE = 0x20000000
CODE_AT = 0x1000
CODE = struct.pack('<I', 0x0000006f).ljust(16, b'\0')  # j .


def overlapping_elf(size):
    """Half of about `size` bytes are symbols, the rest is the name of them all."""
    symbols = struct.pack('<IIIBBH', 0, BASE, 4, 2, 0, 1) * (size // 32)
    names = b'A' * (size // 2) + b'\0'
    symbols_at = CODE_AT + len(CODE)
    sections_at = symbols_at + len(symbols) + len(names)
    header = b'\x7fELF\1\1\1'.ljust(16, b'\0') + struct.pack(
        '<HHIIIIIHHHHHH', 2, 243, 1, BASE, 52, sections_at, 0, 52, 32, 1, 40, 3, 0)
    segment = struct.pack('<8I', 1, CODE_AT, BASE, BASE, 4, 4, 5, 4)
    sections = bytes(40)
    sections += struct.pack('<10I', 0, 2, 0, 0, symbols_at, len(symbols), 2, 0, 4, 16)
    sections += struct.pack('<10I', 0, 3, 0, 0, symbols_at + len(symbols), len(names), 0, 0, 1, 0)
    return (header + segment).ljust(CODE_AT, b'\0') + CODE + symbols + names + sections
