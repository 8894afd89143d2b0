# test_rtos.py - a kernel with vectored interrupts and tasks behind PMP: the same events on QEMU
# SPDX-License-Identifier: MIT
import subprocess

import pytest

from picolibc import QEMU, RUN_SECONDS_MAX, gcc
from place import ROOT

RTOS = ROOT / 'tests/firmware/rtos'
MACHINE = ['-misa-spec=2.2', '-march=rv32imac', '-mabi=ilp32', '-nostdlib', '-ffreestanding']

LOG = '''ping 0
pong 0
ping 1
pong 1
ping 2
pong 2
ping 3
pong 3
sent 0
sent 1
received 0
received 1
received 4
sent 4
received 9
sent 9
clock woke at tick 3
intruder's own word 1
intruder is killed, cause 7
runaway is killed, cause 1
no such address 14
decoder is killed, cause 2
received 16
sent 16
received 25
sent 25
clock woke at tick 6
clock woke at tick 9
clock woke at tick 12
keeper_a had this many rounds left: 0
keeper_b had this many rounds left: 0
yields 8
turns by the timer are some: 1
'''


@pytest.fixture(params=['-O0', '-O2', '-Os'])
def image(request, tmp_path):
    path = tmp_path / 'rtos.elf'
    gcc(*MACHINE, request.param, '-Wall', '-Wextra', '-Werror', '-T', RTOS / 'rtos.ld',
        '-Wl,--no-warn-rwx-segments', '-Wl,--build-id=none',
        *(RTOS / name for name in ('vectors.S', 'kernel.c', 'tasks.c', 'registers.S')), '-lgcc',
        '-o', path)
    return path


def test_events_come_in_qemus_order(mote, image, tmp_path):
    stats = [tmp_path / f'stats{number}' for number in range(2)]
    ours = [subprocess.run([mote, 'run', '--stats-file', path, image], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=RUN_SECONDS_MAX)
            for path in stats]
    # Its clock counts instructions too, so that a busy host does not change what happens.
    qemu = subprocess.run([*QEMU[:-1], 'stdio', '-icount', 'shift=3,sleep=off', '-kernel', image],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=RUN_SECONDS_MAX)
    assert (ours[0].returncode, ours[0].stdout) == (0, '')
    assert ours[0].stderr == ours[1].stderr
    assert stats[0].read_text() == stats[1].read_text()
    assert ours[0].stderr == LOG
    assert ours[0].stderr == qemu.stdout
    assert qemu.returncode == 0
