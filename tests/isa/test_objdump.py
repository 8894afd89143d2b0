# test_objdump.py - the disassembler says what GNU objdump says
# SPDX-License-Identifier: MIT
import random
import re
import struct
import subprocess
from pathlib import Path

import pytest

from place import CROSS, ROOT

SEED = 20261125
WORDS = 20000
# Of the extensions, what objdump 2.40 knows.
ARCH = 'rv32i2p1_m2p0_a2p1_c2p0_zicsr2p0_zifencei2p0_zba1p0_zbb1p0_zbs1p0'
UNKNOWN_TEXT = re.compile(r'\.[24]byte 0x[0-9a-f]+')
PROGRAM = '''
typedef unsigned u;
static u table[64];
static int sink(int a, int b) { return a * b + a / (b | 1) - a % (b | 3); }
u mix(u a, u b) { return (a << 5 | a >> 27) ^ b; }
long long wide(long long a, long long b) { return a * b; }
int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int text(const char *p) { int n = 0; while (*p) n += *p++ == 'a'; return n; }
int choose(int k) { switch (k) { case 0: return 9; case 1: return fib(k); case 2: return 77;
  case 3: return 12345678; case 4: return mix(k, k); case 5: return -1; } return 3; }
u add(u *p) { return __atomic_fetch_add(p, 3, __ATOMIC_SEQ_CST); }
int _start(int n) {
  for (int i = 0; i < 64; i++) table[i] = mix(i, table[63 - i]) + sink(i, n);
  __asm__ volatile("csrr t0, mcause\\n csrw mtvec, t0\\n fence.i\\n fence rw, w\\n ecall");
  return choose(n) + text("banana") + (int)wide(n, 7) + (int)add(table);
}
'''


@pytest.fixture(scope='module')
def ours(build):
    def run(data):
        out = subprocess.run([build / 'host/tests/isa/isa_disassemble'], input=data, check=True,
                             capture_output=True, text=False).stdout.decode()
        return {int(line.split(' ', 1)[0], 16): line.split(' ', 1)[1].replace('\t', ' ')
                for line in out.splitlines()}
    return run


@pytest.fixture(scope='module')
def theirs(tmp_path_factory):
    def run(data):
        folder = tmp_path_factory.mktemp('objdump')
        (folder / 'words.bin').write_bytes(data)
        # What it is told of the extensions is in an ELF's attributes; without symbols all is code.
        (folder / 'words.s').write_text(f'.attribute arch, "{ARCH}"\n.incbin "words.bin"\n')
        for tool in (['as', '-o', 'words.o', 'words.s'], ['objcopy', '--strip-all', 'words.o']):
            subprocess.run([CROSS + tool[0], *tool[1:]], check=True, cwd=folder)
        out = subprocess.run([CROSS + 'objdump', '-m', 'riscv:rv32', '-M', 'no-aliases', '-z',
                              '-D', '-j', '.text', folder / 'words.o'], check=True,
                             capture_output=True, text=True).stdout
        found = re.findall(r'^ *([0-9a-f]+):\t[0-9a-f ]+\t(.*)$', out, re.M)
        return {int(at, 16): re.sub(r'\s+# .*$', '', text).strip().replace('\t', ' ')
                for at, text in found}
    return run


def accepted():
    rows = []
    for line in (Path(__file__).parent / 'objdump_differs.txt').read_text().splitlines():
        if line and not line.startswith('#'):
            rows.append(line.split('\t')[:2])
    return rows


def is_accepted(their, our, rows):
    for pattern, template in rows:
        found = re.fullmatch(pattern, their)
        if found:
            expected = re.sub(r'\\(\d)', lambda n: re.escape(found[int(n[1])]), template)
            if re.fullmatch(expected, our):
                return True
    return False


def mnemonics():
    """Names of the rows of both tables: what objdump may not know better than we do."""
    names = set()
    for table in ('rv32.def', 'compressed.def'):
        text = (ROOT / 'src/isa' / table).read_text()
        names |= set(re.findall(r'^(?:INSN|COMPRESSED)\((\w+),', text, re.M))
    return {name.replace('_', '.') for name in names}


def compare(our, their):
    """Every text of ours is objdump's, or one of the differences; .2byte and .4byte only where
    objdump too knows nothing, or an instruction that is in no row of the tables."""
    rows, names, wrong, seen = accepted(), mnemonics(), [], 0
    for at, text in our.items():
        if at not in their:
            wrong.append((hex(at), text, 'no line in objdump'))
            continue
        other = their[at]
        seen += 1
        bare = re.sub(r'\.(aq|rl|aqrl)$', '', other.split(' ')[0])
        is_foreign = bare not in names and not UNKNOWN_TEXT.fullmatch(other)
        if text == other or is_accepted(other, text, rows):
            continue
        if not (is_foreign and UNKNOWN_TEXT.fullmatch(text)):
            wrong.append((hex(at), text, other))
    assert not wrong, f'{len(wrong)} differ, the first: {wrong[:8]}'
    return seen


def test_every_compressed_word(ours, theirs):
    words = [word for word in range(0x10000) if word & 3 != 3]
    data = b''.join(struct.pack('<H', word) for word in words)
    assert compare(ours(data), theirs(data)) == len(words)


def row_words():
    """Words of each 32-bit row with every other bit random, and words that are random all over."""
    rng = random.Random(SEED)
    text = (ROOT / 'src/isa/rv32.def').read_text()
    rows = re.findall(r'^INSN\(\w+, *\w+, *\w+, *\w+, *(0x\w+), (0x\w+)', text, re.M)
    assert len(rows) == len(re.findall(r'^INSN\(', text, re.M))
    for match, mask in rows:
        for _ in range(200):
            yield int(match, 16) | rng.getrandbits(32) & ~int(mask, 16)
    for _ in range(WORDS):
        word = rng.getrandbits(32) | 3
        if word & 0x1c != 0x1c:  # 1.5: those are longer than 32 bits, and objdump splits them
            yield word


def test_random_words(ours, theirs):
    words = list(row_words())
    data = b''.join(struct.pack('<I', word) for word in words)
    assert compare(ours(data), theirs(data)) == len(words)


def test_compiled_program(cross, ours, theirs):
    data = cross.raw(cross.c(PROGRAM, flags=('-O2', '-lgcc'))).read_bytes()
    code = data[:len(data) & ~1]
    assert compare(ours(code), theirs(code)) > 100
