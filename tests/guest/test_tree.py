# test_tree.py - the device tree: dtc takes it, it says what QEMU's says, and nothing that is not so
# SPDX-License-Identifier: MIT
import re
import struct
import subprocess

import pytest

from place import ROOT

# Copies the tree that a1 points to into OUT, as long as it says it is.
DUMP = '''.globl _start
_start: li a2, 0x24000000
 lbu t0, 6(a1)
 lbu t1, 7(a1)
 slli t0, t0, 8
 or t0, t0, t1
 li t2, 0x10010000
 sw t0, 12(t2)
1: lbu t1, 0(a1)
 sb t1, 0(a2)
 addi a1, a1, 1
 addi a2, a2, 1
 addi t0, t0, -1
 bnez t0, 1b
2: j 2b
'''


def nodes_of(text):
    """{path: {property: value as dtc writes it}} of a source that dtc has written."""
    nodes, path = {}, []
    for line in text.splitlines():
        line = line.strip()
        if line.endswith('{'):
            path.append(line[:-1].strip().strip('/'))
            nodes['/'.join(path) or '/'] = {}
        elif line == '};':
            path.pop()
        elif path and line.endswith(';'):
            name, _, value = line[:-1].partition(' = ')
            nodes['/'.join(path) or '/'][name] = value
    return nodes


def source_of(blob):
    done = subprocess.run(['dtc', '-I', 'dtb', '-O', 'dts', blob], capture_output=True, text=True)
    assert done.returncode == 0
    return done


@pytest.fixture
def blob(mote, cross, tmp_path):
    path = tmp_path / 'mote.dtb'
    done = subprocess.run([mote, 'run', cross.asm(DUMP)], input=b'', capture_output=True)
    assert (done.returncode, done.stderr) == (0, b'')
    path.write_bytes(done.stdout)
    return path


@pytest.fixture
def ours(blob):
    return nodes_of(source_of(blob).stdout)


@pytest.fixture
def theirs(tmp_path):
    path = tmp_path / 'qemu.dtb'
    subprocess.run(['qemu-system-riscv32', '-machine', f'virt,dumpdtb={path}', '-bios', 'none',
                    '-m', '32'], check=True, capture_output=True, timeout=60)
    return nodes_of(source_of(path).stdout)


def cells(value):
    return [int(word, 16) for word in value.strip('<>').split()]


def test_dtc_has_nothing_to_say(blob):
    assert source_of(blob).stderr == ''
    magic, size = struct.unpack('>II', blob.read_bytes()[:8])
    assert magic == 0xd00dfeed
    assert size == blob.stat().st_size <= 60 << 10


def test_it_is_qemus_in_the_main_points(ours, theirs):
    same = {'/cpus': ['#address-cells', '#size-cells', 'timebase-frequency'],
            '/cpus/cpu@0': ['device_type', 'reg', 'status', 'compatible'],
            '/cpus/cpu@0/interrupt-controller': ['#interrupt-cells', 'compatible'],
            '/chosen': ['stdout-path'],
            '/memory@80000000': ['device_type', 'reg'],
            '/poweroff': ['compatible', 'offset', 'value'],
            '/reboot': ['compatible', 'offset', 'value'],
            '/soc': ['#address-cells', '#size-cells', 'compatible', 'ranges'],
            '/soc/test@100000': ['compatible', 'reg'],
            '/soc/clint@2000000': ['compatible', 'reg'],
            '/soc/plic@c000000': ['compatible', 'reg', 'riscv,ndev', '#interrupt-cells'],
            '/soc/serial@10000000': ['compatible', 'reg', 'interrupts', 'clock-frequency']}
    for slot in range(1, 9):
        same[f'/soc/virtio_mmio@1000{slot}000'] = ['compatible', 'reg', 'interrupts']
    for path, properties in same.items():
        for name in properties:
            assert ours[path][name] == theirs[path][name], (path, name)
    # QEMU's PLIC has a context for supervisor mode besides.
    contexts = cells(theirs['/soc/plic@c000000']['interrupts-extended'])
    assert contexts[1::2] == [11, 9]
    assert cells(ours['/soc/plic@c000000']['interrupts-extended'])[1::2] == [11]
    assert cells(ours['/soc/clint@2000000']['interrupts-extended'])[1::2] == [3, 7]
    assert cells(theirs['/soc/clint@2000000']['interrupts-extended'])[1::2] == [3, 7]


def test_every_reference_leads_to_its_node(ours):
    handles = {node['phandle']: path for path, node in ours.items() if 'phandle' in node}
    assert sorted(handles.values()) == ['/cpus/cpu@0/interrupt-controller', '/soc/plic@c000000',
                                        '/soc/test@100000']
    assert handles[ours['/poweroff']['regmap']] == '/soc/test@100000'
    assert handles[ours['/reboot']['regmap']] == '/soc/test@100000'
    assert handles[ours['/soc/serial@10000000']['interrupt-parent']] == '/soc/plic@c000000'
    for name in ('plic@c000000', 'clint@2000000'):
        parent = ours[f'/soc/{name}']['interrupts-extended'].strip('<>').split()[0]
        assert handles[f'<{parent}>'] == '/cpus/cpu@0/interrupt-controller'
    assert ours['/chosen']['stdout-path'].strip('"') in ours


def test_the_isa_is_what_is_built(ours):
    assert re.match(r'"rv32imac(_[a-z0-9]+)*"$', ours['/cpus/cpu@0']['riscv,isa'])
    assert '_zicsr' in ours['/cpus/cpu@0']['riscv,isa']
    assert ours['/cpus/cpu@0']['mmu-type'] == '"riscv,none"'


def test_windows_are_there_with_what_they_allow(ours):
    rows = {'/rom@20000000': ('mtd-rom', 32 << 20), '/in@22000000': ('mtd-rom', 32 << 20),
            '/out@24000000': ('mtd-ram', 32 << 20), '/meta@26000000': ('mtd-ram', 64 << 10),
            '/dtb@1000': ('mtd-rom', 60 << 10)}
    for path, (kind, size) in rows.items():
        assert ours[path]['compatible'] == f'"{kind}"'
        assert cells(ours[path]['reg']) == [0, int(path.split('@')[1], 16), 0, size]


def test_it_can_only_be_read(rv32im, cross, tmp_path):
    (tmp_path / 'in').write_bytes(b'')
    for text in ('sb a0, 0(a1)\n', 'jr a1\n'):
        elf = cross.asm('.globl _start\n_start: ' + text)
        done = subprocess.run([rv32im, elf, *(tmp_path / n for n in ('ram', 'in', 'out'))],
                              capture_output=True, text=True)
        assert done.returncode == 123
        assert 'address 0x00001000 (DTB)' in done.stderr


def test_a_system_that_parses_it_finds_and_uses_its_devices(rv32im, cross, tmp_path):
    text = (ROOT / 'tests/guest/parse_tree.c').read_text()
    elf = cross.c(text, base=0x80000100, flags=[
        '-Wl,-n', '-Wl,--section-start=.start=0x80000000', '-mcmodel=medany', '-ffreestanding'])
    (tmp_path / 'in').write_bytes(b'')
    done = subprocess.run([rv32im, elf, *(tmp_path / n for n in ('ram', 'in', 'out'))],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    lines = ['uart 10000000', 'uart interrupt 0000000a', 'plic 0c000000', 'clint 02000000',
             'finisher 00100000', 'timebase 00989680', 'sources 00000060', 'ram 80000000',
             'ram size 02000000', 'timer on time', 'claimed 0000000a', 'interrupts 00010001']
    assert done.stderr.splitlines() == lines
    theirs = subprocess.run(['qemu-system-riscv32', '-machine', 'virt', '-bios', 'none', '-m', '32',
                             '-nographic', '-kernel', elf], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=60)
    assert theirs.returncode == 0
    assert theirs.stdout.splitlines() == lines
