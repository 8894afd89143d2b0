# test_machine.py - profile `classic`: bare memory from address 0, with code of any compiler
# SPDX-License-Identifier: MIT
import subprocess

import pytest

# A program for the machine that this idea began with: upper-cases IN into OUT, counts its runs in
# RAM, prints on the console by ecall, and returns to 0 (ra is 0 at reset).
PROGRAM = r'''
static void call(unsigned number, unsigned value)
{
    register unsigned a0 __asm__("a0") = number;
    register unsigned a1 __asm__("a1") = value;
    __asm__ volatile("ecall" : : "r"(a0), "r"(a1) : "memory");
}

int main(void)
{
    const volatile unsigned char *in = (void *)0x08000000;
    volatile unsigned char *out = (void *)0x08800000;
    unsigned *runs = (void *)0x01000000;
    unsigned sum = 0;
    for (unsigned i = 0; in[i]; i++) {
        unsigned char c = in[i];
        out[i] = c >= 'a' && c <= 'z' ? c - 32 : c;
        sum += c;
    }
    ++*runs;
    call(0, '0' + *runs);
    call(1, (unsigned)" runs\n");
    out[100] = sum;
    return 0;
}
'''
ARCHITECTURES = [('rv32e', 'ilp32e'), ('rv32i', 'ilp32'), ('rv32im', 'ilp32'),
                 ('rv32imac', 'ilp32')]


@pytest.fixture
def classic(rv32im, tmp_path):
    def classic(rom, *options, data=b'hello', out='out'):
        (tmp_path / 'in').write_bytes(data)
        return subprocess.run(
            [rv32im, '--machine=classic', f'--stats-file={tmp_path}/stats', *options, rom,
             tmp_path / 'ram', tmp_path / 'in', tmp_path / out],
            capture_output=True, text=True, timeout=60)
    return classic


def stats_of(path):
    return dict(line.split('=', 1) for line in path.read_text().splitlines())


def start(text):
    return '.globl _start\n_start:\n' + text


@pytest.mark.parametrize('arch, abi', ARCHITECTURES)
def test_program_runs_unchanged(classic, cross, tmp_path, arch, abi):
    elf = cross.c(PROGRAM, base=0, flags=[f'-march={arch}', f'-mabi={abi}'])
    for rom in (elf, cross.raw(elf)):
        (tmp_path / 'ram').unlink(missing_ok=True)
        for count in (1, 2):
            done = classic(rom)
            assert (done.returncode, done.stderr) == (0, f'{count} runs\n')
            out = (tmp_path / 'out').read_bytes()
            assert out[:6] == b'HELLO\0'
            assert out[100] == sum(b'hello') % 256
        assert stats_of(tmp_path / 'stats')['pc'] == '0x00000000'
        assert stats_of(tmp_path / 'stats')['halt'] == 'power-down'


@pytest.mark.parametrize('ram, size', [(None, 1 << 20), (0, 1 << 20), (1, 4096), (4096, 4096),
                                       (5000, 8192), (16 << 20, 16 << 20)])
def test_a_file_gives_its_window_its_size(classic, cross, tmp_path, ram, size):
    if ram is not None:
        (tmp_path / 'ram').write_bytes(bytes(ram))
    rom = cross.bin(start('li a0, 0x01000000\n sub a0, sp, a0\n li a1, 0x08800000\n sw a0, 0(a1)\n'
                          ' sb a0, -1(sp)\n1: j 1b\n'), base=0)
    assert classic(rom).returncode == 0
    assert (tmp_path / 'ram').stat().st_size == size
    out = (tmp_path / 'out').read_bytes()
    assert int.from_bytes(out[:4], 'little') == size
    assert len(out) == 1 << 20
    done = classic(cross.bin(start('sb a0, 0(sp)\n'), base=0))
    assert done.returncode == 123
    assert f'address {0x01000000 + size:#010x} (' in done.stderr


def test_windows_end_with_their_files(classic, cross, tmp_path):
    (tmp_path / 'out').write_bytes(bytes(6000))
    for address, access in ((0x08000000 + 4096, 'lb'), (0x08800000 + 8192, 'sb'),
                            (4096, 'lb'), (0x80000000, 'lb'), (0x10000000, 'sb'), (0x1000, 'lw')):
        done = classic(cross.bin(start(f'li a0, {address}\n {access} a1, 0(a0)\n'), base=0))
        assert done.returncode == 123, hex(address)
        assert f'address {address:#010x}' in done.stderr
    assert (tmp_path / 'out').stat().st_size == 8192


def test_in_from_a_pipe(rv32im, cross, tmp_path):
    rom = cross.bin(start('li a0, 0x08000000 + 4999\n lbu a1, 0(a0)\n li a0, 0\n ecall\n'
                          ' li a2, 8192\n li a0, 0x08000000\n add a2, a2, a0\n lb a2, 0(a2)\n'),
                    base=0)
    done = subprocess.run([rv32im, '--machine=classic', rom, tmp_path / 'ram', '/dev/stdin',
                           tmp_path / 'out'], input=b'.' * 4999 + b'X', capture_output=True)
    assert done.returncode == 123
    assert done.stderr.startswith(b'X')
    assert b'address 0x08002000' in done.stderr


@pytest.mark.parametrize('name, mib', [('ram', 16), ('in', 8), ('out', 8)])
def test_too_large_a_file_is_refused(rv32im, cross, tmp_path, name, mib):
    rom = cross.bin(start('j _start\n'), base=0)
    (tmp_path / 'in').write_bytes(b'')
    with open(tmp_path / name, 'wb') as file:
        file.truncate((mib << 20) + 1)
    done = subprocess.run([rv32im, '--machine=classic', rom, *(tmp_path / n for n in
                                                               ('ram', 'in', 'out'))],
                          capture_output=True, text=True)
    assert done.returncode == 124
    assert f'{(mib << 20) + 1} bytes, at most {mib << 20} fit into its window' in done.stderr


def test_what_classic_has_not_is_refused(classic, cross, tmp_path):
    rom = cross.bin(start('j _start\n'), base=0)
    for option in ('--cgi', f'--headers={tmp_path}/headers'):
        done = classic(rom, option)
        assert done.returncode == 125
        assert 'classic has no META window' in done.stderr
    assert not (tmp_path / 'headers').exists()
    done = classic(cross.asm(start('j _start\n'), base=0x20000000))
    assert done.returncode == 124
    assert 'ROM 0x00000000-0x00ffffff, RAM 0x01000000-0x01ffffff' in done.stderr


def test_image_over_its_ram_file_is_refused(classic, cross, tmp_path):
    elf = cross.asm(start('j _start\n .space 20000\n'), base=0x01000000, flags=['-Wl,-n'])
    (tmp_path / 'ram').write_bytes(b'kept')
    done = classic(elf)
    assert done.returncode == 124
    assert 'at 0x01000000 pass the end of RAM, whose file gives it 4096 bytes' in done.stderr
    assert (tmp_path / 'ram').read_bytes() == b'kept'


def test_other_ecalls_are_faults(classic, cross):
    done = classic(cross.bin(start('li a0, 7\n ecall\n'), base=0))
    assert done.returncode == 123
    assert 'environment call' in done.stderr.lower()


def test_trace_is_the_same_run(classic, cross, tmp_path):
    elf = cross.c(PROGRAM, base=0, flags=['-march=rv32e', '-mabi=ilp32e'])
    assert classic(elf).returncode == 0
    plain = stats_of(tmp_path / 'stats')
    (tmp_path / 'ram').unlink()
    done = classic(elf, f'--trace={tmp_path}/trace')
    assert done.returncode == 0
    assert stats_of(tmp_path / 'stats') == plain
    lines = (tmp_path / 'trace').read_text().splitlines()
    assert lines[-1].split() == [plain['cycles'], '00000000', 'power-down']
    assert len(lines) == int(plain['instructions']) + 1


def test_mote_run_takes_it_too(mote, cross, tmp_path):
    elf = cross.c(PROGRAM, base=0, flags=['-march=rv32e', '-mabi=ilp32e'])
    done = subprocess.run([mote, 'run', '--machine=classic', elf], input=b'lambda',
                          capture_output=True)
    assert done.returncode == 0
    assert done.stderr == b'1 runs\n'
    assert done.stdout[:7] == b'LAMBDA\0'


# Echoes the UART in lower case to OUT until a `.` comes, then the buttons to the LEDs.
ECHO = start('''li s0, 0x10000000
 li s1, 0x24000000
1: lbu t0, 5(s0)
 andi t0, t0, 1
 beqz t0, 1b
 lbu t0, 0(s0)
 li t1, '.'
 beq t0, t1, 2f
 ori t0, t0, 0x20
 sb t0, 0(s1)
 addi s1, s1, 1
 j 1b
2: li a0, 0x10010000
 lw a1, 68(a0)
 not a1, a1
 sw a1, 64(a0)
3: j 3b
''')


def test_console_in_from_file_and_pipe(rv32im, cross, tmp_path):
    rom = cross.asm(ECHO)
    text = b'HELLO ' * 500 + b'.not this'
    (tmp_path / 'typed').write_bytes(text)
    (tmp_path / 'in').write_bytes(b'')
    files = [tmp_path / name for name in ('ram', 'in', 'out')]
    seen = []
    for name, more in ((tmp_path / 'typed', {}), ('/dev/stdin', {'input': text})):
        done = subprocess.run([rv32im, f'--console-in={name}', '--buttons=0xf0', '--stats', rom,
                               *files], capture_output=True, timeout=60, **more)
        assert done.returncode == 0
        assert b'\nleds=0xffffff0f\n' in done.stderr
        assert (tmp_path / 'out').read_bytes()[:3001] == b'hello ' * 500 + b'\0'
        seen.append(done.stderr)
    assert seen[0] == seen[1]  # to the cycle


def test_console_in_that_cannot_be_used(rv32im, classic, cross, tmp_path):
    done = subprocess.run([rv32im, '--console-in=/no/such', cross.asm(ECHO), tmp_path / 'ram',
                           '/dev/null', tmp_path / 'out'], capture_output=True, text=True)
    assert done.returncode == 124
    assert '--console-in /no/such' in done.stderr
    assert not (tmp_path / 'ram').exists()
    rom = cross.bin(start('j _start\n'), base=0)
    for option in ('--console-in=/dev/null', '--buttons=1'):
        done = classic(rom, option)
        assert done.returncode == 125
        assert f'{option.split("=")[0]}: --machine classic has no' in done.stderr
