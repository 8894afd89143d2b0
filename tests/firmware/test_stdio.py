# test_stdio.py - every kind of picolibc's stdio prints what the host prints, and QEMU
# SPDX-License-Identifier: MIT
import subprocess

import pytest

from picolibc import LINK, MACHINE, RUN_SECONDS_MAX, gcc, on_qemu
from place import ROOT

STDIO = ROOT / 'tests/firmware/stdio'
KINDS = {'default': [], 'double': ['-DPICOLIBC_DOUBLE_PRINTF_SCANF'],
         'float': ['-DPICOLIBC_FLOAT_PRINTF_SCANF'], 'integer': ['-DPICOLIBC_INTEGER_PRINTF_SCANF']}
BUILDS = {'small': [], 'release': ['--picolibc-buildtype=release']}
PROGRAMS = [(kind, program) for kind in KINDS for program in ('integers', 'reals')
            if (kind, program) != ('integer', 'reals')]


@pytest.fixture(scope='session')
def on_host(tmp_path_factory):
    """What each program prints on the host."""
    folder = tmp_path_factory.mktemp('host')
    said = {}
    for program in ('integers', 'reals'):
        subprocess.run(['gcc', '-w', '-Dprintf_float(x)=(x)', STDIO / f'{program}.c', '-lm', '-o',
                        folder / program], check=True)
        said[program] = subprocess.run([folder / program], check=True, capture_output=True).stdout
        assert len(said[program]) > 200
    return said


def run(mote, image):
    return subprocess.run([mote, 'run', image], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=RUN_SECONDS_MAX)


@pytest.mark.parametrize('kind, program', PROGRAMS)
def test_picolibc_prints_as_the_host_does(mote, tmp_path, on_host, kind, program):
    for build, flags in BUILDS.items():
        image = tmp_path / f'{build}.elf'
        gcc(*MACHINE, *LINK, '--crt0=hosted', '-O1', *KINDS[kind], *flags, STDIO / f'{program}.c',
            '-lm', '-o', image)
        done = run(mote, image)
        assert (done.returncode, done.stderr) == (0, b'')
        assert done.stdout == on_host[program]
        qemu = on_qemu(image)
        assert (qemu.returncode, qemu.stderr) == (0, done.stdout)


@pytest.mark.parametrize('kind, program', PROGRAMS)
def test_so_does_the_sdk(mote, build, tmp_path, on_host, kind, program):
    image = tmp_path / 'sdk.elf'
    gcc(f'--specs={build}/share/mote/mote.specs', '-O1', *KINDS[kind], STDIO / f'{program}.c',
        '-lm', '-o', image)
    done = run(mote, image)
    assert (done.returncode, done.stdout, done.stderr) == (0, on_host[program], b'')


def test_kinds_are_not_all_the_same(build, tmp_path):
    """The smaller kinds are smaller: the flags do reach the linker, with the SDK's specs too."""
    for flags in ([*MACHINE, *LINK, '--crt0=hosted'], [f'--specs={build}/share/mote/mote.specs']):
        sizes = []
        for kind in ('integer', 'float', 'double'):
            image = tmp_path / f'{kind}.elf'
            gcc(*flags, '-O1', *KINDS[kind], STDIO / 'integers.c', '-s', '-o', image)
            sizes.append(image.stat().st_size)
        assert sizes == sorted(set(sizes)), sizes


def test_a_start_without_exit_ends_at_its_loop(mote, tmp_path, on_host):
    """Minimal start-up code goes from main to a jump to itself: no atexit, exit code 0."""
    image = tmp_path / 'minimal.elf'
    gcc(*MACHINE, *LINK, '--crt0=minimal', '-O1', STDIO / 'reals.c', '-lm', '-o', image)
    done = run(mote, image)
    assert (done.returncode, done.stdout, done.stderr) == (0, on_host['reals'], b'')


@pytest.mark.parametrize('kind', KINDS)
def test_a_stream_on_the_uart_needs_no_system(mote, tmp_path, kind):
    image = tmp_path / 'uart.elf'
    flags = [flag for flag in LINK if flag != '--oslib=semihost']
    gcc(*MACHINE, *flags, '-O1', *KINDS[kind], STDIO / 'uart.c', '-o', image)
    done, qemu = run(mote, image), on_qemu(image, serial='stdio')
    assert (done.returncode, done.stdout) == (7, b'')
    assert done.stderr == b'before main\nmemory 42 beef\n'
    assert (qemu.returncode, qemu.stdout) == (7, done.stderr)
