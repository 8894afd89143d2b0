# test_images.py - one program in every image format, made by objcopy, behaves alike everywhere
# SPDX-License-Identifier: MIT
import json
import struct
import subprocess

import pytest

from place import CROSS

MAGIC, MAGIC_END = b'UF2\n\x57\x51\x5d\x9e', 0x0ab16f30
FAMILY = 0xe48bff5a
FORMATS = ['elf', 'hex', 'srec', 'uf2']

# Adds 1 to a byte of its data, which the next reset must undo, and to a byte elsewhere, which must
# stay, writes both to OUT and ends by tohost.
PROGRAM = '''
        .section .text
        .globl _start
_start: la      a0, counts
        lbu     a1, 0(a0)
        addi    a1, a1, 1
        sb      a1, 0(a0)
        li      a2, 0x80004000
        lbu     a3, 0(a2)
        addi    a3, a3, 1
        sb      a3, 0(a2)
        li      a4, 0x24000000
        sb      a1, 0(a4)
        sb      a3, 1(a4)
        la      a5, tohost
        li      a6, 5 << 1 | 1
        sw      a6, 0(a5)
1:      nop
        j       1b
        .section .data
counts: .byte   65
        .balign 4
        .globl  tohost
tohost: .word   0
'''


def uf2_of(elf):
    """A UF2 of the ELF's loadable bytes, 256 in a block, as a converter writes it."""
    data = elf.read_bytes()
    at, size, count = struct.unpack_from('<I', data, 28)[0], *struct.unpack_from('<HH', data, 42)
    pieces = []
    for number in range(count):
        kind, offset, _, address, length = struct.unpack_from('<5I', data, at + number * size)
        if kind == 1:
            pieces += [(address + i, data[offset + i:offset + min(i + 256, length)])
                       for i in range(0, length, 256)]
    return b''.join(
        struct.pack('<8s6I476sI', MAGIC, 0x2000, address, len(piece), number, len(pieces), FAMILY,
                    piece, MAGIC_END)
        for number, (address, piece) in enumerate(pieces))


def convert(elf, kind):
    """The same image as `kind`; elf itself as it is."""
    output = elf.with_suffix('.' + kind)
    if kind == 'uf2':
        output.write_bytes(uf2_of(elf))
    elif kind != 'elf':
        objcopy = {'hex': 'ihex', 'srec': 'srec', 'bin': 'binary'}[kind]
        subprocess.run([CROSS + 'objcopy', '-O', objcopy, elf, output], check=True)
    return output


@pytest.fixture
def rom_elf(cross):
    """Code in ROM and data in RAM, as a linker script of the machine has it."""
    return cross.asm(PROGRAM, flags=['-Wl,-n,--no-relax,-Tdata=0x80000100'])


@pytest.fixture
def ram_elf(cross):
    """All of it in RAM, as most published firmware is linked."""
    return cross.asm(PROGRAM, name='ram', base=0x80000000, flags=['-Wl,-n,--no-relax'])


def run(rv32im, folder, image, *options):
    done = subprocess.run([rv32im, '--stats-file', folder / 'stats', *options, image,
                           folder / 'ram.bin', '/dev/null', folder / 'out'],
                          capture_output=True, text=True, timeout=60)
    stats = dict(line.split('=', 1) for line in (folder / 'stats').read_text().splitlines()
                 ) if done.returncode < 124 else {}
    return done, stats


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('place', ['rom', 'ram'])
def test_every_format_runs_alike(rv32im, tmp_path, rom_elf, ram_elf, kind, place):
    elf = {'rom': rom_elf, 'ram': ram_elf}[place]
    image = convert(elf, kind)
    for count in (1, 2, 3):
        # Only an ELF names its tohost.
        options = [] if kind == 'elf' else [f'--tohost={symbol(elf, "tohost"):#x}']
        done, stats = run(rv32im, tmp_path, image, *options)
        assert (done.returncode, done.stderr) == (5, '')
        assert (stats['image'], stats['entry']) == (kind, hex(symbol(elf, '_start')))
        assert (tmp_path / 'out').read_bytes()[:2] == bytes([66, count]), 'data is fresh, RAM stays'
        assert stats['cycles'] == run(rv32im, tmp_path / 'other', elf)[1]['cycles']


def test_a_raw_binary_is_brought_to_ram(rv32im, tmp_path, cross):
    """As docs/machine.md has it: it starts at its first byte, as a boot loader would start it."""
    binary = cross.bin('''
        .globl _start
        _start: auipc t0, 0
        lw      t1, 0(a1)           # the device tree's magic number, whose first byte is 0xd0
        andi    t1, t1, 0xff
        srli    t0, t0, 28
        slli    t0, t0, 4
        xor     t0, t0, t1          # 0x80 ^ 0xd0
        or      t0, t0, a0
        slli    t0, t0, 16
        li      t1, 0x3333
        or      t0, t0, t1
        li      t2, 0x100000
        sw      t0, 0(t2)''', base=0)
    subprocess.run([CROSS + 'objcopy', '-I', 'binary', '-O', 'ihex', '--change-addresses',
                    '0x80000000', binary, tmp_path / 'program.hex'], check=True)
    done, stats = run(rv32im, tmp_path, tmp_path / 'program.hex')
    assert (done.returncode, stats['entry']) == (0x50, '0x80000000'), done.stderr


def symbol(elf, name):
    lines = subprocess.run([CROSS + 'nm', elf], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[0], 16) for line in lines.splitlines() if line.split()[2] == name)


@pytest.fixture(autouse=True)
def other(tmp_path):
    (tmp_path / 'other').mkdir()


def instructions_of(listing):
    """Lines of ROM without what symbols add."""
    return [line.split('  <')[0] for line in listing.splitlines()
            if line.startswith('200000') and ':  ' in line]


@pytest.mark.parametrize('kind', FORMATS)
def test_dis_lists_every_format(mote, rom_elf, kind):
    image = convert(rom_elf, kind)
    done = subprocess.run([mote, 'dis', image], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert f'{kind}, entry 0x20000000' in done.stdout
    listed = subprocess.run([mote, 'dis', rom_elf], capture_output=True, text=True).stdout
    assert instructions_of(done.stdout) == instructions_of(listed)
    assert len(instructions_of(listed)) > 10
    forced = subprocess.run([mote, 'dis', '--raw', image], capture_output=True, text=True)
    assert forced.returncode == 0 and 'raw, entry 0x20000000' in forced.stdout


@pytest.mark.parametrize('kind', FORMATS)
def test_mote_run_takes_every_format(mote, ram_elf, kind):
    image = convert(ram_elf, kind)
    done = subprocess.run([mote, 'run', f'--tohost={symbol(ram_elf, "tohost"):#x}', image],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (5, b'B\1', b'')


@pytest.mark.parametrize('kind', FORMATS[1:])  # an ELF may lose its symbols and run
@pytest.mark.parametrize('share', [0.3, 0.5, 0.9])
def test_a_cut_file_never_runs(rv32im, tmp_path, rom_elf, kind, share):
    image = convert(rom_elf, kind)
    whole = image.read_bytes()
    image.write_bytes(whole[:int(len(whole) * share)])
    done, _ = run(rv32im, tmp_path, image)
    assert done.returncode == 124
    assert str(image) in done.stderr


@pytest.mark.parametrize('kind', ['hex', 'srec'])
def test_a_flipped_digit_is_found(rv32im, tmp_path, rom_elf, kind):
    image = convert(rom_elf, kind)
    lines = image.read_bytes().splitlines()
    place = len(lines[1]) - 4
    lines[1] = lines[1][:place] + (b'0' if lines[1][place:place + 1] != b'0' else b'1') + \
        lines[1][place + 1:]
    image.write_bytes(b'\n'.join(lines))
    done, _ = run(rv32im, tmp_path, image)
    assert done.returncode == 124 and 'line 2: its checksum is' in done.stderr


@pytest.mark.parametrize('kind', FORMATS)
def test_the_service_takes_every_format(mote, start_server, tmp_path, cross, kind):
    text = PROGRAM.replace('la      a5, tohost', 'li a5, 0x100000').replace(
        'li      a6, 5 << 1 | 1', 'li a6, 5 << 16 | 0x3333')
    elf = cross.asm(text, flags=['-Wl,-n,--no-relax,-Tdata=0x80000100'])
    server = start_server()
    environment = {'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin'}
    image = convert(elf, kind)

    def client(*arguments, data=b''):
        return subprocess.run([mote, *arguments], env=environment, input=data, capture_output=True,
                              timeout=60)
    put = client('put', '--server', server.url, image)
    assert put.returncode == 0, put.stderr
    assert json.loads(client('ls', '--json').stdout)['roms'][0]['format'] == kind
    for count in (1, 2):
        post = client('post', '-')
        assert (post.returncode, post.stdout[:2]) == (5, bytes([66, count])), post.stderr
    assert client('get', 'rom').stdout == image.read_bytes()
