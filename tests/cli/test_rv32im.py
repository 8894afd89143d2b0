# test_rv32im.py - rv32im over real files: exit statuses, refusals, META, traces, a host in trouble
# SPDX-License-Identifier: MIT
import os
import resource
import signal
import subprocess
import time

import pytest

from overlap import overlapping_elf

WINDOW = 32 << 20
FINISH = 'li a0, 0x100000\n li a1, {code} << 16 | 0x3333\n sw a1, 0(a0)\n'
EXIT_0 = ' li a0, 0x100000\n li a1, 0x5555\n sw a1, 0(a0)\n'


def start(text):
    return '.globl _start\n_start:\n' + text


@pytest.fixture
def run(rv32im, tmp_path):
    def run(rom, *options, ram=None, data=b'', out=None, **more):
        inp = tmp_path / 'in'
        if isinstance(data, bytes):
            inp.write_bytes(data)
        else:
            inp = data
        return subprocess.run(
            [rv32im, *options, rom, ram or tmp_path / 'ram', inp, out or tmp_path / 'out'],
            capture_output=True, text=True, timeout=60, **more)
    run.program = rv32im
    return run


def stats_of(path):
    return dict(line.split('=', 1) for line in path.read_text().splitlines())


@pytest.mark.parametrize('limit', [0, 1, 99, 100, 101])
def test_the_console_has_a_bound(run, cross, tmp_path, limit):
    rom = cross.asm(start(' li t0, 0x10000000\n li t1, 100\n li t2, 120\n'
                          '1: sb t2, (t0)\n addi t1, t1, -1\n bnez t1, 1b\n' + EXIT_0))
    console = tmp_path / 'console'
    assert run(rom, '--console', console, f'--console-max={limit}').returncode == 0
    end = f'\nrv32im: console cut at {limit} of 100 bytes: --console-max raises it\n'
    assert console.read_text() == 'x' * min(limit, 100) + (end if limit < 100 else '')
    assert run(rom, f'--console-max={limit}').stderr == console.read_text()


@pytest.mark.parametrize('code, status', [(0, 0), (7, 7), (118, 118), (119, 119), (120, 119),
                                          (0x7fff, 119)])
def test_guest_exit_code(run, cross, tmp_path, code, status):
    done = run(cross.asm(start(FINISH.format(code=code))), '--stats-file', tmp_path / 'stats')
    assert (done.returncode, done.stderr) == (status, '')
    stats = stats_of(tmp_path / 'stats')
    assert stats['halt'] == 'power-down'
    assert stats['exit_code'] == str(code)
    assert stats['exit_status'] == str(status)


def test_cycle_cap_is_exact(run, cross, tmp_path):
    loop = cross.asm(start('1: addi t0, t0, 1\n j 1b\n'))
    for cap in (1, 2, 1000, 1001):
        done = run(loop, f'--max-cycles={cap}', '--stats-file', tmp_path / 'stats')
        assert done.returncode == 121
        assert '--max-cycles raises it' in done.stderr
        assert stats_of(tmp_path / 'stats')['cycles'] == str(cap)
        assert stats_of(tmp_path / 'stats')['instructions'] == str(cap)


def test_time_cap(run, cross, tmp_path):
    done = run(cross.asm(start('1: addi t0, t0, 1\n j 1b\n')), '--max-ms=20', '--max-cycles=1e15',
               '--stats-file', tmp_path / 'stats')
    assert done.returncode == 122
    assert '--max-ms raises it' in done.stderr
    assert stats_of(tmp_path / 'stats')['halt'] == 'time'


def test_fault_names_cause_and_symbol(run, cross):
    done = run(cross.asm(start('nop\n lw a0, 16(zero)\n')))
    assert done.returncode == 123
    assert 'fault: ' in done.stderr
    assert '(_start+0x' in done.stderr
    assert 'address 0x00000010 (unmapped)' in done.stderr


def test_in_out_ram_and_console(run, cross, tmp_path):
    rom = cross.c('''
        int main(void) {
            volatile unsigned char *in = (void *)0x22000000, *out = (void *)0x24000000;
            volatile unsigned *len = (void *)0x10010008, *runs = (void *)0x80000000;
            for (unsigned i = 0; i < *len; i++) out[i] = in[i] ^ 0x20;
            for (const char *s = "hello\\n"; *s; s++) *(volatile char *)0x10000000 = *s;
            *(volatile unsigned *)0x100000 = ++*runs << 16 | 0x3333;
            return 0;
        }''')
    for count in (1, 2, 3):
        done = run(rom, '--stats-file', tmp_path / 'stats', data=b'mote')
        assert (done.returncode, done.stderr) == (count, 'hello\n')
        assert stats_of(tmp_path / 'stats')['out_len'] == '4'
    out = (tmp_path / 'out')
    assert out.read_bytes()[:5] == b'MOTE\0'
    assert out.stat().st_size == (tmp_path / 'ram').stat().st_size == WINDOW
    assert out.stat().st_blocks * 512 < 1 << 20
    done = run(rom, '--console', tmp_path / 'console', data=b'')
    assert done.stderr == ''
    assert (tmp_path / 'console').read_text() == 'hello\n'
    assert (tmp_path / 'out').read_bytes()[:4] == bytes(4), 'OUT is cleared first'


LENGTH = start(' li a2, 0x10010008\n lw a3, 0(a2)\n li a2, 0x24000000\n sw a3, 0(a2)\n' + EXIT_0)


@pytest.mark.parametrize('size, last, length', [(0, 0, 0), (5, 0, 5), (WINDOW, 9, 10),
                                                (WINDOW, None, 0)])
def test_in_length(run, cross, tmp_path, size, last, length):
    inp = tmp_path / 'in'
    with inp.open('wb') as file:
        file.truncate(size)
        if last is not None and size:
            file.seek(min(last, size - 1))
            file.write(b'x')
    assert run(cross.asm(LENGTH), data=inp).returncode == 0
    assert int.from_bytes((tmp_path / 'out').read_bytes()[:4], 'little') == length


def test_refusals_leave_everything_as_it_was(run, cross, tmp_path):
    rom = cross.asm(start(EXIT_0))
    missing = tmp_path / 'missing'
    big = tmp_path / 'big'
    big.write_bytes(b'')
    os.truncate(big, WINDOW + 1)
    out = tmp_path / 'out'
    out.write_bytes(b'precious')
    same = tmp_path / 'same'
    os.symlink(out, same)
    for words, case in [
            ('ROM', dict(rom=missing)), ('IN', dict(data=missing)),
            (f'{WINDOW + 1} bytes, at most {WINDOW}', dict(data=big)),
            (f'{WINDOW + 1} bytes, at most {WINDOW}', dict(ram=big)),
            (f'{WINDOW + 1} bytes, at most {WINDOW}', dict(out=big)),
            ('same file', dict(ram=out)), ('same file', dict(data=same)),
            ('same file', dict(out=rom)), ('same file', dict(ram=rom)),
            ('folder', dict(ram=tmp_path)), ('folder', dict(rom=tmp_path)),
            ('same file', dict(ram=tmp_path / 'new', out=tmp_path / 'new'))]:
        done = run(case.pop('rom', rom), **case)
        assert done.returncode == 124, done.stderr
        assert words in done.stderr
        assert out.read_bytes() == b'precious'
        assert big.stat().st_size == WINDOW + 1
        assert not (tmp_path / 'new').exists()


def test_a_file_that_is_written_is_given_once(rv32im, cross, tmp_path):
    rom = cross.asm(start(EXIT_0))
    before = {name: name.encode() * 100 for name in ('ram', 'in', 'out', 'text')}
    os.symlink('in', tmp_path / 'link')
    os.symlink('fresh', tmp_path / 'dangling')
    os.link(tmp_path / rom, tmp_path / 'hard')
    for options in (['--console', 'in'], ['--console', 'link'], ['--stats-file', rom],
                    [f'--trace={rom}'], ['--console', 'hard'], ['--stats-file', 'out'],
                    ['--headers', 'ram'], ['--stats-file', 'text', '--headers', './text'],
                    ['--stats-file', 'fresh', '--headers', './fresh'],
                    ['--stats-file', 'fresh', '--headers', 'dangling'],
                    ['--trace=text', '--console', 'text']):
        for name, text in before.items():
            (tmp_path / name).write_bytes(text)
        image = rom.read_bytes()
        done = subprocess.run([rv32im, *options, rom, 'ram', 'in', 'out'], capture_output=True,
                              text=True, cwd=tmp_path, timeout=60)
        assert done.returncode == 124, (options, done)
        assert 'same file' in done.stderr
        assert {name: (tmp_path / name).read_bytes() for name in before} == before, options
        assert rom.read_bytes() == image
        assert not (tmp_path / 'fresh').exists()
        assert (tmp_path / 'dangling').is_symlink()


def test_terminals_null_and_pipes_may_repeat(rv32im, cross, tmp_path):
    rom = cross.asm(start(EXIT_0))
    null = '/dev/null'
    done = subprocess.run([rv32im, '--console', null, '--headers', null, '--stats-file', null,
                           rom, null, null, null], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b'')
    done = subprocess.run(f'"{rv32im}" --trace=/dev/fd/3 --stats-file=/dev/fd/3 "{rom}" {null} '
                          f'{null} {null} 3>&1 | cat', shell=True, capture_output=True, timeout=60)
    assert b'power-down' in done.stdout and b'halt=power-down' in done.stdout
    with open(tmp_path / 'log', 'wb') as log:  # standard error by its name is standard error
        done = subprocess.run([rv32im, '--stats-file=/dev/stderr', '--trace', rom, null, null,
                               null], stderr=log, timeout=60)
    log = (tmp_path / 'log').read_text()
    assert done.returncode == 0
    assert log.startswith('         0  20000000') and 'halt=power-down\n' in log


def test_refused_run_changes_no_file(run, cross, tmp_path):
    """Whatever is wrong beside the files themselves is found before the first of them changes."""
    rom = cross.c(COPY_META % '')
    bad = tmp_path / 'bad'
    bad.write_bytes(b'\x7fELF\x01\x01\x01' + bytes(60))
    cases = [dict(rom=bad), dict(rom=rom, options=['--cgi'], env={'QUERY_STRING': 'x' * 40000}),
             dict(rom=rom, options=['--tohost=4']),
             dict(rom=rom, options=[f'--trace={tmp_path}'])]
    ram, out, text = (tmp_path / name for name in ('ram', 'out', 'text'))
    for case in cases:
        options = [*case.pop('options', []), '--stats-file', text]
        for is_there in (False, True):
            for path in (ram, out, text):
                path.unlink(missing_ok=True)
                if is_there:
                    path.write_bytes(b'precious')
            done = run(case['rom'], *options, env=case.get('env'))
            assert done.returncode in (124, 125) and done.stderr
            for path in (ram, out, text):
                assert path.exists() == is_there, (options, path)
                assert not is_there or path.read_bytes() == b'precious', (options, path)


def test_file_that_cannot_be_mapped_spares_the_others(run, cross, tmp_path):
    ram = tmp_path / 'ram'
    ram.write_bytes(b'precious')
    done = run(cross.asm(start(EXIT_0)), out='/proc/version')
    assert done.returncode in (124, 125)
    assert '/proc/version: ' in done.stderr and 'failed: ' in done.stderr
    assert ram.read_bytes() == b'precious'


BOOT = start(' li a2, 0x10010018\n lw a3, 0(a2)\n li a0, 0x100000\n slli a3, a3, 16\n'
             ' li a1, 0x3333\n or a1, a1, a3\n sw a1, 0(a0)\n')


def test_boot_reason_tells_whether_ram_held_anything(rv32im, run, cross, tmp_path):
    rom = cross.asm(BOOT)
    assert run(rom).returncode == 0
    assert run(rom).returncode == 1
    assert run(rom, ram='/dev/null').returncode == 0
    (tmp_path / 'empty').write_bytes(b'')
    assert run(rom, ram=tmp_path / 'empty').returncode == 0
    for data, status in ((b'', 0), (b'x', 1)):
        done = subprocess.run([rv32im, rom, '/dev/stdin', '/dev/null', '/dev/null'], timeout=60,
                              input=data, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (status, b'')


def test_kernel_files_that_call_themselves_empty_are_read(run, cross, tmp_path):
    for path in ('/proc/self/status', '/sys/kernel/mm/transparent_hugepage/enabled'):
        if not os.path.exists(path):
            continue
        length = len(open(path, 'rb').read())
        assert run(cross.asm(LENGTH), data=path).returncode == 0
        seen = int.from_bytes((tmp_path / 'out').read_bytes()[:4], 'little')
        assert abs(seen - length) < 100 < length or seen == length, path


def test_bad_images(run, cross, tmp_path):
    bad = tmp_path / 'bad.elf'
    bad.write_bytes(b'\x7fELF\x01\x01\x01' + bytes(60))
    done = run(bad)
    assert done.returncode == 124
    assert str(bad) in done.stderr
    assert run(bad, '--raw').returncode == 123
    outside = cross.asm(start(EXIT_0), name='outside', base=0x40000000)
    assert run(outside).returncode == 124


def test_an_image_over_every_format_is_not_read(run, tmp_path):
    """A sparse file of such a size takes longer to read than anybody waits."""
    image = tmp_path / 'image'
    image.touch()
    os.truncate(image, 1 << 40)
    done = run(image)
    assert done.returncode == 124
    assert done.stderr == (f'rv32im: ROM {image}: {1 << 40} bytes; an image of any format has at '
                           f'most {128 << 20}\n')
    assert not (tmp_path / 'ram').exists()


def test_the_time_cap_covers_an_image_of_overlapping_names(run, tmp_path):
    image = tmp_path / 'image'
    image.write_bytes(overlapping_elf(8 << 20))
    assert run(image, '--max-ms', '100').returncode in (0, 122)


def test_raw_image_and_tohost(run, cross):
    raw = cross.raw(cross.asm(start(FINISH.format(code=3))))
    assert run(raw).returncode == 3
    tohost = cross.asm(start(' li a0, 0x80001000\n li a1, 11\n sw a1, 0(a0)\n1: j 1b\n'))
    assert run(tohost, '--tohost=0x80001000').returncode == 5
    assert run(tohost).returncode == 0


@pytest.mark.parametrize('address, words', [
    (0x81fffffd, 'pass the end of RAM'), (0x81ffffff, 'pass the end of RAM'),
    (0x2600fffd, 'pass the end of META'), (0x25fffffe, 'pass the end of OUT'),
    (0x20000000, 'lies in ROM'), (0x40000000, 'outside every window')])
def test_tohost_that_is_no_word_of_the_guest_is_refused(run, cross, address, words):
    storing = cross.asm(start(f' li a0, {address - 2}\n li a1, -1\n sh a1, 0(a0)\n{EXIT_0}'))
    done = run(storing, f'--tohost={address:#x}')
    assert done.returncode == 125, done.stderr
    assert f'tohost {address:#010x}' in done.stderr and words in done.stderr


def test_tohost_at_a_window_s_last_word(run, cross):
    rom = cross.asm(start(' li a0, 0x81fffffc\n li a1, 9\n sb a1, 0(a0)\n1: j 1b\n'))
    assert run(rom, '--tohost=0x81fffffc').returncode == 4


def test_pipes_are_read_into_memory(rv32im, cross, tmp_path):
    raw = cross.raw(cross.asm(LENGTH))
    done = subprocess.run(
        ['sh', '-c', 'cat "$2" | "$1" /dev/stdin /dev/null "$3" /dev/stdout | cat', 'sh', rv32im,
         raw, raw], capture_output=True, timeout=60)
    assert done.stderr == b''
    assert int.from_bytes(done.stdout, 'little') == raw.stat().st_size


def test_pipe_over_its_window_is_refused(rv32im, cross, tmp_path):
    done = subprocess.run(
        ['sh', '-c', f'head -c {WINDOW + 1} /dev/zero | "$1" "$2" "$3" /dev/stdin "$4"', 'sh',
         rv32im, cross.asm(LENGTH), tmp_path / 'ram', tmp_path / 'out'],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 124
    assert f'more than {WINDOW} bytes' in done.stderr


COPY_META = '''
    int main(void) {
        volatile unsigned char *meta = (void *)0x26000000, *out = (void *)0x24000000;
        unsigned len = *(volatile unsigned *)0x10010010;
        for (unsigned i = 0; i < len; i++) out[i] = meta[i];
        *(volatile unsigned *)0x1001000c = len;
        const char *reply = "%s";
        unsigned n = 0;
        for (; reply[n]; n++) meta[32768 + n] = reply[n];
        *(volatile unsigned *)0x10010014 = n;
        *(volatile unsigned *)0x100000 = 0x5555;
        return 0;
    }'''


def test_cgi_hands_on_and_keeps_secrets(run, cross, tmp_path):
    environment = {'QUERY_STRING': 'a=b', 'REQUEST_METHOD': 'POST', 'HTTP_X_THING': 'y',
                   'HTTP_AUTHORIZATION': 'secret', 'HTTP_COOKIE': 'secret', 'HOME': 'secret',
                   'HTTP_PROXY_AUTHORIZATION': 'secret', 'PATH_TRANSLATED': 'secret',
                   'HTTP_COOKIE2': 'secret', 'HTTP_PROXY': 'secret', 'HTTP_REFERER': 'secret',
                   'HTTP_CONTENT_LENGTH': 'secret', 'HTTP_CONTENT_TYPE': 'secret'}
    rom = cross.c(COPY_META % 'Status: 418\\nContent-Type: text/plain\\r\\n')
    done = run(rom, '--cgi', '--headers', tmp_path / 'headers', '--stats-file', tmp_path / 'stats',
               env={**environment, 'PATH': os.environ['PATH']})
    assert (done.returncode, done.stderr) == (0, '')
    length = int(stats_of(tmp_path / 'stats')['out_len'])
    meta = (tmp_path / 'out').read_bytes()[:length]
    assert meta.endswith(b'\0\0') and b'secret' not in meta
    assert set(meta[:-2].split(b'\0')) == {b'QUERY_STRING=a=b', b'REQUEST_METHOD=POST',
                                          b'HTTP_X_THING=y'}
    assert (tmp_path / 'headers').read_text() == 'Status: 418\nContent-Type: text/plain\n'


def test_without_cgi_meta_is_empty(run, cross, tmp_path):
    rom = cross.c(COPY_META % '')
    run(rom, '--stats-file', tmp_path / 'stats', env={'QUERY_STRING': 'x'})
    assert stats_of(tmp_path / 'stats')['out_len'] == '0'


def test_cgi_environment_over_meta_is_refused(run, cross):
    done = run(cross.c(COPY_META % ''), '--cgi', env={'QUERY_STRING': 'x' * 40000})
    assert done.returncode == 125, 'neither image nor file is at fault'
    assert '--cgi: ' in done.stderr and '32768' in done.stderr


@pytest.mark.parametrize('options', [[], ['--headers'], ['--headers', '--trace=/dev/null']])
def test_bad_reply_header_is_a_fault(run, cross, tmp_path, options):
    headers = tmp_path / 'headers'
    options = [word + f'={headers}' if word == '--headers' else word for word in options]
    done = run(cross.c(COPY_META % 'A: good\\nno colon'), '--stats-file', tmp_path / 'stats',
               *options)
    assert done.returncode == 123
    assert 'fault: a reply header line of 8 bytes has no colon, after ' in done.stderr
    stats = stats_of(tmp_path / 'stats')
    assert (stats['halt'], stats['exit_status']) == ('fault', '123')
    assert stats['fault'] == 'a reply header line of 8 bytes has no colon'
    assert not options or headers.read_text() == '', 'whole or not at all'


def test_statistics_name_a_trap(run, cross, tmp_path):
    run(cross.asm(start('nop\n lw a0, 16(zero)\n')), '--stats-file', tmp_path / 'stats')
    stats = stats_of(tmp_path / 'stats')
    assert (stats['fault'], stats['mcause']) == ('load access fault', '0x00000005')
    run(cross.asm(start(EXIT_0)), '--stats-file', tmp_path / 'stats')
    assert stats_of(tmp_path / 'stats')['fault'] == ''


TRACE = '''\
         0  20000000  00500293  addi t0,zero,5                  t0=00000005
         1  20000004  00500293  addi t0,zero,5                  t0=00000005
         2  20000008  00000317  auipc t1,0x0                    t1=20000008
         3  2000000c  03030313  addi t1,t1,48                   t1=20000038
         4  20000010  30531073  csrrw zero,mtvec,t1             mtvec=20000038
         5  20000014  34002073  csrrs zero,mscratch,zero
         6  20000018  3401d3f3  csrrwi t2,mscratch,3            t2=00000000  mscratch=00000003
         7  2000001c  800005b7  lui a1,0x80000                  a1=80000000
         8  20000020  0055a223  sw t0,4(a1)                     [80000004]=00000005
         9  20000024  00658223  sb t1,4(a1)                     [80000004]=38
        10  20000028  0055a62f  amoadd.w a2,t0,(a1)             a2=00000000  [80000000]=00000005
        11  2000002c  1005a62f  lr.w a2,(a1)                    a2=00000005
        12  20000030  1855a62f  sc.w a2,t0,(a1)                 a2=00000000  [80000000]=00000005
        13  20000034  00002503  lw a0,0(zero)                   trap to 20000038\
  mcause=00000005  mepc=20000034  mtval=00000000
        14  20000038  0285      c.addi t0,1                     t0=00000006
        15  2000003a  30501073  csrrw zero,mtvec,zero           mtvec=00000000
        16  2000003e  220005b7  lui a1,0x22000                  a1=22000000
        17  20000042  34102573  csrrs a0,mepc,zero              a0=20000034
        18  20000046  00000317  auipc t1,0x0                    t1=20000046
        19  2000004a  00e30313  addi t1,t1,14                   t1=20000054
        20  2000004e  30531073  csrrw zero,mtvec,t1             mtvec=20000054
        21  20000052  8582      c.jr a1
        22  22000000  -         (not fetched)                   trap to 20000054\
  mcause=00000001  mepc=22000000  mtval=22000000
        23  20000054  00100537  lui a0,0x100                    a0=00100000
        24  20000058  6595      c.lui a1,0x5                    a1=00005000
        25  2000005a  55558593  addi a1,a1,1365                 a1=00005555
        26  2000005e  c10c      c.sw a1,0(a0)                   [00100000]=00005555
        27  20000060  power-down
'''


def test_trace(run, cross, tmp_path):
    """Each register written, of the same value too; memory, CSRs, traps and a fetch that failed."""
    rom = cross.asm(start('''
        .option norvc
        li t0, 5
        li t0, 5
        la t1, handler
        csrw mtvec, t1
        csrs mscratch, zero
        csrrwi t2, mscratch, 3
        li a1, 0x80000000
        sw t0, 4(a1)
        sb t1, 4(a1)
        amoadd.w a2, t0, (a1)
        lr.w a2, (a1)
        sc.w a2, t0, (a1)
        lw a0, 0(zero)
        .option rvc
        .align 2
        handler:
        addi t0, t0, 1
        csrw mtvec, zero
        li a1, 0x22000000
        csrr a0, mepc
        la t1, away
        csrw mtvec, t1
        jr a1
        .align 2
        away:
        ''' + EXIT_0))
    done = run(rom, f'--trace={tmp_path}/trace')
    assert done.returncode == 0
    assert (tmp_path / 'trace').read_text() == TRACE
    (tmp_path / 'ram').unlink()
    assert run(rom, '--trace').stderr == TRACE


def test_trace_stops_at_the_same_cap(run, cross, tmp_path):
    rom = cross.asm(start('1: addi t0, t0, 1\n j 1b\n'))
    done = run(rom, '--max-cycles=10', f'--trace={tmp_path}/trace', '--stats-file',
               tmp_path / 'stats')
    assert done.returncode == 121
    assert len((tmp_path / 'trace').read_text().splitlines()) == 11
    assert stats_of(tmp_path / 'stats')['cycles'] == '10'


@pytest.mark.parametrize('arguments, words', [
    ([], 'needs ROM RAM IN OUT'),
    (['a', 'b', 'c'], 'needs ROM RAM IN OUT'),
    (['a', 'b', 'c', 'd', 'e'], '`e` is too much'),
    (['--max-cycle=5'], 'did you mean --max-cycles'),
    (['--max-c=5'], 'did you mean --max-cycles'),
    (['--max-m=5'], 'did you mean --max-ms'),
    (['--max-cycles=0'], 'not between 1 and'),
    (['--max-ms=soon'], 'is not a time'),
    (['--gdb=65536', 'a', 'b', 'c', 'd'], '--gdb: port 65536 is over 65535'),
    (['--gdb=soon', 'a', 'b', 'c', 'd'], '--gdb: '),
    (['--gdb', '--trace', 'a', 'b', 'c', 'd'], 'both step through the run'),
    (['--machine=pdp', 'a', 'b', 'c', 'd'], 'no such profile; there are: virt classic'),
    (['--dir=/nonexistent', 'a', 'b', 'c', 'd'], '--dir /nonexistent: No such file'),
    (['--dir-rw=/dev/null', 'a', 'b', 'c', 'd'], '--dir-rw /dev/null: it is no folder'),
    (['--dir=/', '--dir-rw=/tmp', 'a', 'b', 'c', 'd'], 'a guest has one folder'),
    (['--arg=' + 'x' * 4096, 'a', 'b', 'c', 'd'], 'all 1 arguments together are over 4095 bytes'),
    (['--epoch=4294967296', 'a', 'b', 'c', 'd'], 'not between 0 and 4294967295'),
    (['--console=/nonexistent/x', *['/dev/null'] * 4], 'No such file'),
])
def test_wrong_usage(rv32im, arguments, words):
    done = subprocess.run([rv32im, *arguments], capture_output=True, text=True)
    assert done.returncode == 125
    assert words in done.stderr
    assert done.stderr.startswith('rv32im: ') and 'rv32im: rv32im' not in done.stderr


def test_help_and_version(rv32im):
    done = subprocess.run([rv32im, '--help'], capture_output=True, text=True)
    assert done.returncode == 0 and '--max-cycles N' in done.stdout and not done.stderr
    assert subprocess.run([rv32im, '--version'], capture_output=True).returncode == 0


@pytest.mark.parametrize('options', [[], ['--stats'], ['--trace']])
def test_lost_words_are_a_host_error(run, cross, options):
    """A console, statistics or trace that standard error did not take."""
    hello = cross.c('''
        int main(void) {
            for (const char *s = "hello\\n"; *s; s++) *(volatile char *)0x10000000 = *s;
            *(volatile unsigned *)0x100000 = 0x5555;
            return 0;
        }''')
    quiet = cross.asm(start(EXIT_0), name='quiet')
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([run.program, *options, quiet if options else hello, '/dev/null',
                               '/dev/null', '/dev/null'], stderr=full, timeout=60)
    assert done.returncode == 125


# Says `go` on the console, then reads or writes page after page for ever.
WALK = '''
    int main(void) {{
        *(volatile char *)0x10000000 = '\\n';
        for (;;)
            for (unsigned i = 0; i < 32 << 20; i += 4096)
                {access};
    }}'''


@pytest.mark.parametrize('name, access', [
    ('RAM', '((volatile char *)0x80000000)[i] = 1'),
    ('OUT', '((volatile char *)0x24000000)[i] = 1'),
    ('IN', '(void)((volatile char *)0x22000000)[i]')])
def test_file_cut_during_the_run_is_a_host_error(rv32im, cross, tmp_path, name, access):
    inp = tmp_path / 'IN'
    inp.write_bytes(b'')
    os.truncate(inp, WINDOW - 4096)
    child = subprocess.Popen([rv32im, cross.c(WALK.format(access=access)), tmp_path / 'RAM', inp,
                              tmp_path / 'OUT'], stderr=subprocess.PIPE, text=True)
    child.stderr.readline()
    os.truncate(tmp_path / name, 0)
    _, words = child.communicate(timeout=60)
    assert child.returncode == 125
    assert f'{name} {tmp_path / name} was cut to 0 bytes' in words


@pytest.mark.skipif(os.geteuid() != 0, reason='only root may mount a small file system')
def test_full_disk_is_a_host_error(rv32im, cross, tmp_path):
    disk = tmp_path / 'disk'
    disk.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', disk],
                             capture_output=True)
    if mounted.returncode:
        pytest.skip('mounting is not allowed here')
    try:
        (tmp_path / 'in').write_bytes(b'')
        rom = cross.c(WALK.format(access='((volatile char *)0x80000000)[i] = 1'))
        done = subprocess.run([rv32im, rom, disk / 'ram', tmp_path / 'in', tmp_path / 'out'],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 125
        assert 'no room' in done.stderr and str(disk / 'ram') in done.stderr
    finally:
        subprocess.run(['umount', disk], check=True)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_and_leave_ram_as_it_is(rv32im, cross, tmp_path, number):
    (tmp_path / 'in').write_bytes(b'')
    rom = cross.c(WALK.format(access='((volatile char *)0x80000000)[i] = 7'))
    child = subprocess.Popen([rv32im, rom, tmp_path / 'ram', tmp_path / 'in', tmp_path / 'out'],
                             stderr=subprocess.PIPE, text=True)
    child.stderr.readline()
    ram = tmp_path / 'ram'
    for _ in range(1000):
        if ram.read_bytes()[:1] == b'\7':
            break
        time.sleep(0.01)
    child.send_signal(number)
    child.communicate(timeout=60)
    assert child.returncode == -number
    assert ram.read_bytes()[0] == 7


def test_a_device_that_takes_no_such_access_is_named_in_the_fault(run, cross):
    plic = cross.asm(start(' li a0, 0x0c000000\n lb a1, 0(a0)\n'), name='plic')
    done = run(plic)
    assert done.returncode == 123
    assert 'address 0x0c000000 (PLIC: ' in done.stderr


def test_a_limit_of_file_sizes_is_a_host_error(run, cross, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    done = run(cross.asm(start(EXIT_0)), preexec_fn=limit)
    assert done.returncode == 125 and 'too large' in done.stderr
