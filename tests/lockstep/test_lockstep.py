# test_lockstep.py - random programs: QEMU, the tables and Mote's interpreter step alike
# SPDX-License-Identifier: MIT
#
# MOTE_LOCKSTEP_SECONDS bounds the time of each test (20), MOTE_LOCKSTEP_SEED gives the first seed.
# A seed that fails is named in the report, and each as it runs by `pytest -s`. Programs are made of
# the tables' rows, so a new row is covered; privileged ones also change modes, memory protection
# and interrupts (privileged.c), of which lockstep_follow has no model: QEMU and Mote alone step.
import os
import re
import resource
import signal
import struct
import subprocess
import time

import pytest

from place import ROOT, TEST_SECONDS_MAX

SECONDS = float(os.environ.get('MOTE_LOCKSTEP_SECONDS', '20'))
SEED = int(os.environ.get('MOTE_LOCKSTEP_SEED', '1'), 0)
COUNT = 1500       # instructions in a program
PROGRAMS_MIN = 12  # however slow the machine: enough to meet every row
BASE = 0x80000000
LOG_BYTES_MAX = 1 << 28  # a program that never ends must not fill the disk
# The RAM is a file, which holds what the program left there when QEMU has gone.
QEMU = ['qemu-system-riscv32', '-M', 'virt,memory-backend=ram', '-m', '32M', '-nographic',
        '-monitor', 'none', '-serial', 'none', '-singlestep', '-d', 'cpu,int,nochain', '-cpu',
        'rv32,f=off,d=off,h=off,s=off,sstc=off,mmu=off,x-epmp=on,'
        'zba=on,zbb=on,zbc=off,zbs=on']
CSRS = ('mtvec', 'mscratch', 'mepc', 'mcause', 'mtval', 'mstatus', 'mie', 'mip')


def step_of(block):
    """One state of QEMU's log, as the binary step that the programs read."""
    registers = [int(value, 16) for value in re.findall(r' x\d+/\w+ +([0-9a-f]{8})', block)]
    csrs = [int(re.search(rf'^ {name} +([0-9a-f]+)', block, re.M)[1], 16) for name in CSRS]
    return struct.pack('<41I', int(block.split(None, 1)[0], 16), *registers, *csrs)


def steps_of(log):
    """The steps of QEMU's log, from the program's start on. It also logs states from which it then
    runs nothing: where it has to look at a device first, and before an interrupt that comes at
    once. No instruction of our programs leaves all as it was."""
    steps = []
    for block in log.split(' pc ')[1:]:
        pc = int(block.split(None, 1)[0], 16)
        if steps or pc == BASE:
            step = step_of(block)
            if not steps or step != steps[-1]:
                steps.append(step)
            interrupt = re.search(r'async:1.*epc:0x([0-9a-f]+)', block)
            if interrupt and int(interrupt[1], 16) == pc:
                steps.pop()
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


def run(programs, folder, seed, kind, names):
    """Runs one program on QEMU and then each of the programs of `names` beside its trace; gives
    the lines that they printed."""
    image, log, memory = folder / 'program.bin', folder / 'qemu.log', folder / 'memory'
    image.write_bytes(subprocess.run([programs / 'lockstep_generate', str(seed), str(COUNT), *kind],
                                     check=True, capture_output=True).stdout)
    log.unlink(missing_ok=True)
    memory.unlink(missing_ok=True)
    subprocess.run([*QEMU, '-bios', image, '-D', log, '-object',
                    f'memory-backend-file,id=ram,size=32M,share=on,mem-path={memory}'],
                   check=True, timeout=60, stdin=subprocess.DEVNULL, preexec_fn=limit_log)
    steps = steps_of(log.read_text())
    lines = set()
    for name in names:
        result = subprocess.run([programs / name, image, memory], capture_output=True, input=steps)
        assert result.returncode == 0, f'{name}, seed {seed}: {result.stderr.decode()}'
        lines |= set(result.stdout.decode().splitlines())
    return lines


def run_seeds(programs, folder, kind, names):
    """Runs programs until the time is over; gives all lines."""
    signal.alarm(TEST_SECONDS_MAX + int(SECONDS))  # conftest.py's bound, behind what was asked for
    met, seed, until = set(), SEED, time.monotonic() + SECONDS
    while seed < SEED + PROGRAMS_MIN or time.monotonic() < until:
        print(f'seed {seed}', *kind, flush=True)
        met |= run(programs, folder, seed, kind, names)
        seed += 1
    return met


def test_qemu_the_tables_and_mote_step_alike(programs, tmp_path):
    met = run_seeds(programs, tmp_path, (), ('lockstep_follow', 'lockstep_step'))
    assert rows_to_meet() - met == set()


def test_qemu_and_mote_change_modes_and_are_interrupted_alike(programs, tmp_path):
    met = run_seeds(programs, tmp_path, ('privileged',), ('lockstep_step',))
    causes = {1, 2, 3, 5, 7, 0x80000003, 0x80000007}
    wanted = {f'{mode} {cause:x}' for mode in 'MU' for cause in causes}
    assert (wanted | {'U 8', 'M b', 'M wfi'}) - met == set()
