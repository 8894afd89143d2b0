# test_compilers.py - C by gcc and clang, each level and extension, computes as on the host
# SPDX-License-Identifier: MIT
#
# As a rule a dozen configurations are run: each compiler at each level, and for each machine.
# MOTE_COMPILERS=all runs them all.
import os
import re
import subprocess

import pytest

from picolibc import RUN_SECONDS_MAX
from place import CROSS, ROOT

CHECKS = ROOT / 'tests/firmware/checks'
KERNELS = ROOT / 'bench/kernels'
LEVELS = ['O0', 'O1', 'O2', 'O3', 'Os']
BIT = '_zba_zbb_zbs'
MACHINES = {'gcc': ['rv32i', 'rv32im', 'rv32imc', 'rv32imac', f'rv32imac{BIT}'],
            'clang': ['rv32i', 'rv32im', 'rv32imc', 'rv32imac', f'rv32imac{BIT}',
                      'rv32imac_zicond', f'rv32imac{BIT}_zicond_zcb']}
# picolibc's <string.h> is included; its library is not linked.
COMPILERS = {'gcc': [CROSS + 'gcc', '-isystem', '/usr/lib/picolibc/riscv64-unknown-elf/include'],
             'clang': ['clang-19', '--target=riscv32-unknown-elf', '-isystem',
                       '/usr/lib/picolibc/riscv64-unknown-elf/include']}
FLAGS = ['-std=gnu17', '-Wall', '-Wextra', '-Werror', '-Wno-atomic-alignment', '-ffreestanding',
         f'-I{ROOT}', f'-I{CHECKS}', f'-I{ROOT}/bench']
LINK = ['-nostdlib', '-static', '-Wl,--build-id=none', '-Wl,--no-warn-rwx-segments',
        '-Wl,-Ttext-segment=0x20000000', '-Wl,-Tdata=0x80000000']
# An instruction of each extension that must be there, where a compiler optimizes at all.
MARKS = {'m': 'mul', 'c': 'c.addi', 'a': 'amoadd.w', 'zba': 'sh3add', 'zbb': 'cpop', 'zbs': 'bset',
         'zicond': 'czero.nez', 'zcb': 'c.zext.b'}


def configurations():
    """(compiler, level, machine), as chosen."""
    rows = [(compiler, level, machine) for compiler, machines in MACHINES.items()
            for machine in machines for level in LEVELS]
    if os.environ.get('MOTE_COMPILERS') == 'all':
        return rows
    # The diagonal of each compiler: every level and every machine, those over again at -O2.
    return [(compiler, LEVELS[at] if at < len(LEVELS) else 'O2', machine)
            for compiler, machines in MACHINES.items() for at, machine in enumerate(machines)]


def sources():
    """(source, flags) of the programs: each kernel of bench/ is a function of one name."""
    names = re.findall(r'^CHECK\((\w+),', (CHECKS / 'checks.def').read_text(), re.M)
    kernels = [name for name in names if (KERNELS / f'{name}.c').exists()]
    assert len(names) - len(kernels) == 8 and len(kernels) == 5
    return [(CHECKS / 'main.c', []), (CHECKS / 'integers.c', []), (CHECKS / 'programs.c', []),
            *((KERNELS / f'{name}.c', [f'-Dkernel=check_{name}']) for name in kernels)]


def compile_all(compiler, rows, folder):
    objects = []
    for source, flags in rows:
        objects.append(folder / f'{source.stem}.o')
        done = subprocess.run([*compiler, *FLAGS, *flags, '-c', source, '-o', objects[-1]],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return objects


@pytest.fixture(scope='session')
def expected(tmp_path_factory):
    """What the host prints."""
    folder = tmp_path_factory.mktemp('host')
    objects = compile_all(['gcc', '-O1'], [*sources(), (CHECKS / 'host.c', [])], folder)
    subprocess.run(['gcc', *objects, '-o', folder / 'host'], check=True)
    return subprocess.run([folder / 'host'], check=True, capture_output=True).stdout


def link(objects, machine, image):
    """Links with the library of the compiler that holds to the machine's first letters."""
    plain = machine.split('_')[0]
    select = ['-misa-spec=2.2', f'-march={plain}', '-mabi=ilp32']
    library = subprocess.run([CROSS + 'gcc', *select, '-print-libgcc-file-name'], check=True,
                             capture_output=True, text=True).stdout.strip()
    done = subprocess.run([CROSS + 'gcc', *select, *LINK, *objects, library, '-o', image],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def check_marks(mote, image, level, machine):
    """The image has instructions of its extensions, and none of those that it must not have."""
    listing = subprocess.run([mote, 'dis', image], check=True, capture_output=True,
                             text=True).stdout
    used = set(re.findall(r'^\s*[0-9a-f]+:\s+[0-9a-f]+\s+(\S+?)(?:\.aq|\.rl|\.aqrl)?\s', listing,
                          re.M))
    assert len(used) > 30, listing[:500]
    letters, *others = machine[len('rv32i'):].split('_')
    for extension, mark in MARKS.items():
        if extension not in letters and extension not in others:
            assert mark not in used, f'{mark} in an image for {machine}'
        elif level != 'O0':
            assert mark in used, f'no {mark} in an image for {machine}: {sorted(used)}'


@pytest.mark.parametrize('compiler, level, machine', configurations())
def test_it_computes_as_on_the_host(mote, expected, tmp_path, compiler, level, machine):
    target = [*COMPILERS[compiler], f'-march={machine}', '-mabi=ilp32', f'-{level}']
    image = tmp_path / 'checks.elf'
    objects = compile_all(target, [*sources(), (CHECKS / 'bare.c', [])], tmp_path)
    link(objects, machine, image)
    check_marks(mote, image, level, machine)
    done = subprocess.run([mote, 'run', image], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=RUN_SECONDS_MAX)
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout == expected
