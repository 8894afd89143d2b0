# test_one_row.py - a row more in rv32.def is an instruction more, everywhere
# SPDX-License-Identifier: MIT
import shutil
import subprocess

import pytest

from place import ROOT

# One of Zbkb, and two of the custom opcodes so that three kinds are there.
ROWS = '''
INSN(packh, I, R, ALU,   0x08007033, 0xfe00707f, (a & 0xff) | (b & 0xff) << 8, "pack low bytes")
INSN(lx,   I, L, LOAD,   0x0000200b, 0x0000707f, int8_t, "load byte, for this test")
INSN(bodd, I, B, BRANCH, 0x0000102b, 0x0000707f, (a & b & 1) != 0, "branch if both are odd")
'''
COMPILE = ['cc', '-std=gnu17', '-D_GNU_SOURCE', '-O0', '-Wall', '-Wextra', '-Werror', '-Wshadow',
           '-fno-strict-aliasing', '-Wno-missing-field-initializers']


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """A copy of the sources whose rv32.def has the rows, and is else the same."""
    folder = tmp_path_factory.mktemp('one_row')
    for name in ('src', 'abi', 'tools', 'tests/isa'):
        shutil.copytree(ROOT / name, folder / name)
    with open(folder / 'src/isa/rv32.def', 'a') as table:
        table.write(ROWS)
    return folder


def build(tree, name, *sources):
    program = tree / name
    subprocess.run([*COMPILE, f'-I{tree}', f'-I{tree}/src', *sources, '-o', program], check=True)
    return subprocess.run([program, 'instructions'], check=True, capture_output=True,
                          text=True).stdout


def test_a_row_is_decoded_encoded_disassembled_and_run(tree):
    modules = [path for name in ('base', 'isa', 'engine') for path in tree.glob(f'src/{name}/*.c')]
    modules += [tree / f'src/os/{name}.c' for name in ('error', 'file', 'map')]
    out = build(tree, 'program', tree / 'tests/isa/one_row.c', *modules)
    assert out.splitlines() == [
        'packh\ta0,a1,a2', 'lx\ta2,0(a1)', 'bodd\ta2,a2,0x1010', 'addi\ta0,a0,1',
        'jal\tzero,0x1010',
        'exit 2 pc 1010 a0 4 a2 ffffff87 cycles 3']


def test_a_row_is_documented(tree):
    out = build(tree, 'pages', tree / 'tools/generate.c')
    assert ('| `packh` d,s,t | I `0x08007033` `0xfe00707f` | `(a & 0xff) \\| (b & 0xff) << 8` | '
            'pack low bytes |'
            in out.splitlines())
