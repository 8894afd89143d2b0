# test_choose_fuse.py - the tool that chooses fuse.def reads what runs as the engine does
# SPDX-License-Identifier: MIT
import importlib.machinery
import importlib.util
import re
import subprocess
from collections import Counter

import pytest

from place import ROOT

TOOL = ROOT / 'tools/choose-fuse'


@pytest.fixture(scope='module')
def tool():
    loader = importlib.machinery.SourceFileLoader('choose_fuse', str(TOOL))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('choose_fuse', loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize('digits, form', [
    ('00a50533', ('SAME', 'add', 4)), ('00b50533', ('SAME', 'add', 4)),
    ('00a58533', ('ALU', 'add', 4)), ('00500513', ('ZERO', 'addi', 4)),
    ('0505', ('SAME', 'addi', 2)),
    ('4505', ('ZERO', 'addi', 2)), ('852e', ('ZERO', 'add', 2)), ('952e', ('SAME', 'add', 2)),
    ('1008', ('ALU', 'addi', 2)), ('4108', ('LOAD', 'lw', 2)), ('c188', ('STORE', 'sw', 2)),
    ('8082', ('JUMP', 'jalr', 2)), ('c119', ('BRANCH', 'beq', 2)),
    ('02b57c63', ('BRANCH', 'bgeu', 4)),
    ('30529073', None), ('00100073', None), ('ffffffff', None)])
def test_forms_are_those_of_the_engine(tool, digits, form):
    assert tool.form_of(digits) == form


def test_the_table_in_the_tree_is_read_and_written(tool, capsys):
    head, table = tool.read_table()
    tool.print_table(head, table)
    printed, there = capsys.readouterr().out, (ROOT / 'src/engine/fuse.def').read_text()
    assert printed.startswith(head) and there.startswith(head)
    assert sorted(printed.splitlines()) == sorted(there.splitlines())


A, B, C, D = (('SAME', name, 2) for name in ('add', 'sub', 'xor', 'or'))


def test_stretches_end_where_control_passes_on(tool):
    line = '{:10d}  {:08x}  {:<8}  text  a0=0'.format
    lines = [line(i, pc, digits) for i, (pc, digits) in enumerate([
        (0x20000000, '0505'), (0x20000002, '00a50533'), (0x20000006, 'c119'),
        (0x20000000, '0505'), (0x20000002, '30529073'), (0x20000006, '2009'),
        (0x20000008, '0505')])] + ['         7  20000000  cycles\n']
    assert tool.stretches(lines) == Counter({
        (('SAME', 'addi', 2), ('SAME', 'add', 4), ('BRANCH', 'beq', 2)): 1,
        (('SAME', 'addi', 2),): 2, (('JUMP', 'jal', 2),): 1})


def test_a_handler_takes_the_longest_row(tool):
    assert tool.jumps((A, B, C, D), set()) == 4
    assert tool.jumps((A, B, C, D), {(A, B), (B, C)}) == 3
    assert tool.jumps((A, B, C, D), {(A, B), (A, B, C), (C, D)}) == 2


def test_what_programs_share_is_chosen_first(tool):
    programs = {'one': {(A, B): 90, (C, D): 10}, 'two': {(C, D): 50, (D,): 900}}
    assert tool.Choice(programs).choose(1) == {(C, D)}
    assert tool.Choice({'one': programs['one']}).choose(1) == {(A, B)}
    assert tool.Choice(programs).choose(9) == {(A, B), (C, D)}
    triple = tool.Choice({'one': {(A, B, C): 9}, 'two': {(A, B, C): 9}}).choose(2)
    assert triple == {(A, B), (A, B, C)}


def test_it_prints_a_table(build):
    kernels = re.findall(r'^KERNEL\((\w+)', (ROOT / 'bench/kernels.def').read_text(), re.M)
    without = {*kernels, *(path.stem for path in (build / 'roms').glob('*.elf'))}
    run = subprocess.run([TOOL, build, '--rows', '12', '--steps', '3000', '--without',
                          ','.join(without - {'crc', 'echo', 'upper'})], capture_output=True,
                         text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    rows = re.findall(r'^(PAIR|TRIPLE)\(\w+, +\w+, +[24],.*\)$', run.stdout, re.M)
    assert len(rows) == 12 and run.stdout.startswith('/* fuse.def')
    assert re.findall(r'^(\w+) +\d', run.stderr, re.M) == ['crc', 'echo', 'upper']
