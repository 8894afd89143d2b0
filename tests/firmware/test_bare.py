# test_bare.py - firmware at 0x80000000: test environments with tohost, and links without a script
# SPDX-License-Identifier: MIT
import subprocess

import pytest

from picolibc import RUN_SECONDS_MAX, gcc, on_qemu
from place import ROOT

BARE = ROOT / 'tests/firmware/bare'
# -misa-spec=2.2 knows the CSR instructions under plain rv32imac.
MACHINE = ['-misa-spec=2.2', '-march=rv32imac', '-mabi=ilp32', '-nostdlib']
STRAY_CASE = 15  # gp when a case strays, which the handler marks with 1337
LINKS = {'plain': [], 'sections from the start': ['-n'], 'one segment': ['-N'],
         'unrelaxed': ['--no-relax']}


def run(mote, image):
    return subprocess.run([mote, 'run', image], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=RUN_SECONDS_MAX)


@pytest.fixture
def environment(tmp_path):
    def build(wrong=0, stray=0):
        image = tmp_path / f'environment{wrong}{stray}.elf'
        gcc(*MACHINE, f'-Wa,--defsym=WRONG={wrong},--defsym=STRAY={stray}', '-T',
            BARE / 'environment.ld', '-Wl,--no-warn-rwx-segments', BARE / 'environment.S',
            '-o', image)
        return image
    return build


def test_a_test_environment_passes(mote, environment):
    done = run(mote, environment())
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')


@pytest.mark.parametrize('number', range(2, 16))
def test_the_case_that_fails_is_the_exit_code(mote, environment, number):
    done = run(mote, environment(wrong=number))
    assert (done.returncode, done.stdout) == (number, b'')


def test_what_strays_ends_by_its_handler(mote, environment, tmp_path):
    stats = tmp_path / 'stats'
    subprocess.run([mote, 'run', '--stats-file', stats, environment(stray=1)],
                   stdin=subprocess.DEVNULL, timeout=RUN_SECONDS_MAX)
    assert f'exit_code={(STRAY_CASE | 1337) >> 1}\n' in stats.read_text()
    assert 'halt=power-down\n' in stats.read_text()


@pytest.mark.parametrize('link', LINKS)
def test_a_link_without_a_script_runs_as_on_qemu(mote, tmp_path, link):
    image = tmp_path / 'uart.elf'
    warnings = ['-Wl,--no-warn-rwx-segments'] if LINKS[link] else []
    gcc(*MACHINE, '-O1', '-ffreestanding', '-Wl,-Ttext=0x80000000', *warnings,
        *(f'-Wl,{option}' for option in LINKS[link]), BARE / 'start.S', BARE / 'uart.c',
        '-o', image)
    ours, qemu = run(mote, image), on_qemu(image, serial='stdio')
    assert (ours.returncode, ours.stderr) == (5, b'zero one two 540\n')  # the UART is the console
    assert (qemu.returncode, qemu.stdout) == (5, ours.stderr)
