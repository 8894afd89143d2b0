# test_lockstep.py - random programs: QEMU, the tables and Mote's interpreter step alike
# SPDX-License-Identifier: MIT
#
# MOTE_LOCKSTEP_SECONDS bounds the time (20), MOTE_LOCKSTEP_SEED gives the first seed. A seed that
# fails is named in the report; programs are made of the tables' rows, so a new row is covered.
import os
import re
import resource
import struct
import subprocess
import time

import pytest

from place import ROOT

SECONDS = float(os.environ.get('MOTE_LOCKSTEP_SECONDS', '20'))
SEED = int(os.environ.get('MOTE_LOCKSTEP_SEED', '1'), 0)
COUNT = 1500       # instructions in a program
PROGRAMS_MIN = 12  # however slow the machine: enough to meet every row
BASE = 0x80000000
LOG_BYTES_MAX = 1 << 28  # a program that never ends must not fill the disk
# The RAM is a file, which holds what the program left there when QEMU has gone.
QEMU = ['qemu-system-riscv32', '-M', 'virt,memory-backend=ram', '-m', '32M', '-nographic',
        '-monitor', 'none', '-serial', 'none', '-singlestep', '-d', 'cpu,nochain', '-cpu',
        'rv32,f=off,d=off,h=off,s=off,sstc=off,mmu=off,x-epmp=on,'
        'zba=on,zbb=on,zbc=off,zbs=on']
CSRS = ('mtvec', 'mscratch', 'mepc', 'mcause', 'mtval')


def steps_of(log):
    """QEMU's log as the binary steps that lockstep_follow reads, from the program's start on."""
    steps, begun = [], False
    for block in log.split(' pc ')[1:]:
        pc = int(block.split(None, 1)[0], 16)
        begun = begun or pc == BASE
        if begun:
            registers = [int(value, 16) for value in re.findall(r' x\d+/\w+ +([0-9a-f]{8})', block)]
            csrs = [int(re.search(rf'^ {name} +([0-9a-f]+)', block, re.M)[1], 16) for name in CSRS]
            steps.append(struct.pack('<38I', pc, *registers, *csrs))
    return b''.join(steps)


def rows_to_meet():
    """Names of all rows of both tables, but for those that generate.c leaves out by name. mret runs
    in the handler."""
    names = set()
    for table in ('rv32.def', 'compressed.def'):
        text = (ROOT / 'src/isa' / table).read_text()
        names |= set(re.findall(r'^(?:INSN|COMPRESSED)\((\w+),', text, re.M))
    generator = (ROOT / 'tests/lockstep/generate.c').read_text()
    return names - set(re.findall(r'\b(?:OP|ROW)_(\w+)', ''.join(
        re.findall(r'left_out\[\] = \{(.*?)\}', generator, re.S)))) | {'mret'}


def limit_log():
    resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_BYTES_MAX, LOG_BYTES_MAX))


@pytest.fixture(scope='module')
def programs(build):
    return build / 'host/tests/lockstep'


def follow(programs, folder, seed):
    """Runs one program on QEMU, follows it by the tables and on Mote; gives the rows that ran."""
    image, log, memory = folder / 'program.bin', folder / 'qemu.log', folder / 'memory'
    image.write_bytes(subprocess.run([programs / 'lockstep_generate', str(seed), str(COUNT)],
                                     check=True, capture_output=True).stdout)
    log.unlink(missing_ok=True)
    memory.unlink(missing_ok=True)
    subprocess.run([*QEMU, '-bios', image, '-D', log, '-object',
                    f'memory-backend-file,id=ram,size=32M,share=on,mem-path={memory}'],
                   check=True, timeout=60, stdin=subprocess.DEVNULL, preexec_fn=limit_log)
    steps = steps_of(log.read_text())
    outputs = []
    for name in ('lockstep_follow', 'lockstep_step'):
        result = subprocess.run([programs / name, image, memory], capture_output=True, input=steps)
        assert result.returncode == 0, f'{name}, seed {seed}: {result.stderr.decode()}'
        outputs.append(result.stdout.decode())
    return set(outputs[0].split())


def test_qemu_the_tables_and_mote_step_alike(programs, tmp_path):
    met, seed, until = set(), SEED, time.monotonic() + SECONDS
    while seed < SEED + PROGRAMS_MIN or time.monotonic() < until:
        met |= follow(programs, tmp_path, seed)
        seed += 1
    print(f'seeds {SEED} to {seed - 1}')
    assert rows_to_meet() - met == set()
