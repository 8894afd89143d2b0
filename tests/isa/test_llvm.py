# test_llvm.py - Zcb and Zicond, which GNU's tools have not, read as LLVM's disassembler reads them
# SPDX-License-Identifier: MIT
#
# Zba, Zbb and Zbs come along: a second opinion costs nothing. Wherever either side names one of
# their rows the other must print the same, so a row that takes too many words fails like one that
# takes too few.
import random
import re
import shutil
import struct
import subprocess

import pytest

from place import ROOT

SEED = 20261126
WORDS_OF_ROW = 200
MC = 'llvm-mc-19'
MC_OPTIONS = ['--disassemble', '--show-encoding', '--triple=riscv32', '-M', 'no-aliases',
              '--mattr=+m,+a,+c,+zicsr,+zifencei,+zba,+zbb,+zbs,+zicond,+zcb']
EXTENSIONS = ('Zba', 'Zbb', 'Zbs', 'Zicond')
ZCB = {'c.lbu', 'c.lhu', 'c.lh', 'c.sb', 'c.sh', 'c.mul', 'c.zext.b', 'c.sext.b', 'c.zext.h',
       'c.sext.h', 'c.not'}
REFUSAL = r'<stdin>:\d+:2: warning: invalid instruction encoding\n\[.*\]\n \^\n'
# 2.4: shamt[5] = 1 is reserved for custom use on RV32; LLVM takes it, as objdump does.
WIDE_SHIFT = re.compile(r'(rori|bclri|bexti|binvi|bseti) \w+,\w+,(3[2-9]|[45]\d|6[0-3])')
ROW = re.compile(r'^INSN\((\w+), *(\w+), *\w+, *\w+, *(0x\w+), (0x\w+)', re.M)


def rows():
    """(mnemonic, match, mask) of the rows of rv32.def that are to be compared."""
    text = (ROOT / 'src/isa/rv32.def').read_text()
    return [(name.replace('_', '.'), int(match, 16), int(mask, 16))
            for name, extension, match, mask in ROW.findall(text) if extension in EXTENSIONS]


def normal(text):
    """Blanks as one, none behind a comma, numbers as decimal ones."""
    text = re.sub(r',\s+', ',', ' '.join(text.split()))
    return re.sub(r'\b0x([0-9a-f]+)\b', lambda found: str(int(found[1], 16)), text)


def ours(build, words, size):
    """The text of each word, taken one by one."""
    data = b''.join(struct.pack('<I', word)[:size] for word in words)
    out = subprocess.run([build / 'host/tests/isa/isa_disassemble'], input=data, check=True,
                         capture_output=True).stdout.decode()
    lines = [line.split(' ', 1) for line in out.splitlines()]
    assert [int(at, 16) for at, _ in lines] == [n * size for n in range(len(words))]
    return {word: normal(text) for word, (_, text) in zip(words, lines)}


def theirs(words, size):
    """The text of each word that LLVM knows, by the encoding that it would give the text again."""
    if not shutil.which(MC):
        pytest.fail(f'{MC} is missing: run `make deps`')
    lines = ''.join('[' + ' '.join(f'0x{byte:02x}' for byte in struct.pack('<I', word)[:size])
                    + ']\n' for word in words)
    result = subprocess.run([MC, *MC_OPTIONS], input=lines, capture_output=True, text=True)
    assert re.sub(REFUSAL, '', result.stderr) == ''  # its status is 1 where it refuses a word
    texts = {}
    for text, encoding in re.findall(r'^\t(.*?)\s*# encoding: \[(.*?)\]', result.stdout, re.M):
        parcels = bytes(int(byte, 16) for byte in encoding.split(','))
        texts[int.from_bytes(parcels, 'little')] = normal(text)
    return texts


def compare(our, their, names):
    """How often each name was met, where both sides agree on all words of these names."""
    met, wrong = {}, []
    for word, text in our.items():
        other = their.get(word, '(none)')
        if WIDE_SHIFT.fullmatch(other) and text.startswith('.4byte '):
            continue
        if text.split(' ')[0] in names or other.split(' ')[0] in names:
            met[text.split(' ')[0]] = met.get(text.split(' ')[0], 0) + 1
            if text != other:
                wrong.append((hex(word), text, other))
    assert not wrong, f'{len(wrong)} differ, the first: {wrong[:8]}'
    return met


def test_every_compressed_word_of_zcb(build):
    words = [word for word in range(0x10000) if word & 3 != 3]
    met = compare(ours(build, words, 2), theirs(words, 2), ZCB)
    # By the encodings' open bits: two registers of eight, or one and an offset.
    assert met == {'c.lbu': 256, 'c.lhu': 128, 'c.lh': 128, 'c.sb': 256, 'c.sh': 128, 'c.mul': 64,
                   'c.zext.b': 8, 'c.sext.b': 8, 'c.zext.h': 8, 'c.sext.h': 8, 'c.not': 8}


def words_of_rows():
    """Words of each row with its open bits random, and such words with one fixed bit wrong."""
    rng = random.Random(SEED)
    words = set()
    for _, match, mask in rows():
        wrong = [0] * WORDS_OF_ROW + [1 << bit for bit in range(2, 32) if mask >> bit & 1]
        for flip in wrong:
            word = match ^ flip | rng.getrandbits(32) & ~mask
            if word & 0x1c != 0x1c:  # 1.5: longer than 32 bits
                words.add(word)
    return sorted(words)


def test_words_of_zicond_and_of_bit_manipulation(build):
    names = {name for name, _, _ in rows()}
    assert {'czero.eqz', 'czero.nez', 'rev8', 'sh1add', 'bset'} <= names
    words = words_of_rows()
    assert set(compare(ours(build, words, 4), theirs(words, 4), names)) == names
