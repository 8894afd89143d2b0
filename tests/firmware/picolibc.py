# picolibc.py - Debian's cross compilers and picolibc, with nothing of Mote's
# SPDX-License-Identifier: MIT
import subprocess

from place import CROSS

MACHINE = ['-march=rv32imac', '-mabi=ilp32']
# Code and data lie in RAM, so that one ELF suits QEMU's virt too, whose ROM cannot be written.
LINK = ['--specs=picolibc.specs', '--oslib=semihost', '-Wl,--build-id=none',
        '-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x400000',
        '-Wl,--defsym=__ram=0x80400000,--defsym=__ram_size=0x1c00000']
QEMU = ['qemu-system-riscv32', '-M', 'virt', '-m', '32M', '-bios', 'none', '-display', 'none',
        '-monitor', 'none', '-serial', 'none']
RUN_SECONDS_MAX = 30


def gcc(*arguments, cwd=None):
    """Runs the cross compiler; a failure raises AssertionError with what it said."""
    done = subprocess.run([CROSS + 'gcc', *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def on_qemu(image, *arguments, cwd=None, serial='none'):
    """Runs `image` on QEMU with semihosting; its semihosting console is in stderr."""
    given = ''.join(f',arg={argument}' for argument in arguments)
    return subprocess.run(
        [*QEMU[:-1], serial, '-kernel', image, '-semihosting-config',
         f'enable=on,target=native{given}'], cwd=cwd, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=RUN_SECONDS_MAX)
