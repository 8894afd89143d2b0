# test_gdb.py - rv32im --gdb and mote gdb with Debian's gdb-multiarch, and packets by hand
# SPDX-License-Identifier: MIT
import os
import re
import signal
import socket
import subprocess
import time

import pytest

WAIT_SECONDS = 60
FINISH = 'li t0, 0x100000\n li t1, {code} << 16 | 0x3333\n sw t1, 0(t0)\n'

# A variable is summed up right, until one write that is no sum breaks it.
SUM = '''
volatile unsigned total, steps;
volatile unsigned char *const in = (void *)0x22000000;
__attribute__((noinline)) void add(unsigned n) { total += n; steps++; }
__attribute__((noinline)) void spoil(void) { total = 1000; }
__attribute__((noinline)) void check(void) { __asm__ volatile("" : : "r"(total)); }
__attribute__((noinline)) void print(const char *s)
{
    while (*s) *(volatile char *)0x10000000 = *s++;
}
int main(void)
{
    total = steps = 0;
    for (unsigned i = 0; in[i]; i++) {
        add(in[i]);
        if (i == 2) spoil();
    }
    print("summed\\n");
    check();
    *(volatile unsigned *)0x24000000 = total;
    *(volatile unsigned *)0x100000 = steps << 16 | 0x3333;
    return 0;
}
'''
AT_RAM = ['-g', '-Wl,--section-start=.bss=0x80000000', '-Wl,--section-start=.sbss=0x80001000']


class Debugged:
    """A run that waits for a debugger; `port` is where."""

    def __init__(self, rv32im, folder, rom, *options, data=b''):
        (folder / 'in').write_bytes(data)
        self.folder = folder
        self.stats_path = folder / 'stats'
        self.log_path = folder / 'log'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                [rv32im, '--gdb=0', '--stats-file', self.stats_path, *options, rom,
                 folder / 'ram', folder / 'in', folder / 'out'], stderr=log)
        self.port = self._wait_for_port()

    def _wait_for_port(self):
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            found = re.search(r'waiting for a debugger on 127\.0\.0\.1:(\d+)\n', self.log)
            if found:
                return int(found[1])
            time.sleep(0.01)
        pytest.fail(f'no debugger was waited for: {self.log}')

    @property
    def log(self):
        return self.log_path.read_text()

    def end(self):
        return self.process.wait(WAIT_SECONDS)

    def stats(self):
        return self.stats_path.read_text()


@pytest.fixture
def debugged(rv32im, tmp_path):
    runs = []

    def start(rom, *options, folder='run', **more):
        (tmp_path / folder).mkdir()
        runs.append(Debugged(rv32im, tmp_path / folder, rom, *options, **more))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()


def gdb(run, elf, script):
    """What gdb-multiarch says to the script's lines, each behind a line of its own."""
    lines = ['set pagination off', 'set width 0', f'target remote 127.0.0.1:{run.port}']
    for line in script.strip().splitlines():
        lines += [f'echo \\n> {line.strip()}\\n', line.strip()]
    commands = [word for line in lines for word in ('-ex', line)]
    done = subprocess.run(['gdb-multiarch', '-nx', '-q', '--batch', *commands, elf],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=WAIT_SECONDS * 2)
    text = done.stdout
    answers = re.split(r'^> (.*)\n', text, flags=re.M)
    return text, dict(zip(answers[1::2], answers[2::2]))


def plain(rv32im, folder, rom, *options, data=b''):
    """The same run without a debugger: exit status, statistics, OUT, RAM, console."""
    folder.mkdir()
    (folder / 'in').write_bytes(data)
    done = subprocess.run([rv32im, '--stats-file', folder / 'stats', *options, rom,
                           folder / 'ram', folder / 'in', folder / 'out'],
                          capture_output=True, text=True, timeout=WAIT_SECONDS)
    return (done.returncode, (folder / 'stats').read_text(), (folder / 'out').read_bytes(),
            (folder / 'ram').read_bytes(), done.stderr)


def outcome(run):
    return (run.end(), run.stats(), (run.folder / 'out').read_bytes(),
            (run.folder / 'ram').read_bytes(), run.log.split('\n', 1)[1])


def test_the_write_that_broke_a_variable(rv32im, cross, debugged, tmp_path):
    """Source, breakpoint, watchpoint and the way back; the run is the same to the bit."""
    rom = cross.c(SUM, flags=AT_RAM)
    run = debugged(rom, data=b'abcdef')
    text, said = gdb(run, rom, '''
        break check
        continue
        print total
        print steps
        watch total
        reverse-continue
        bt 1
        print/x $pc == &add
        reverse-continue
        reverse-continue
        reverse-continue
        finish
        info line
        delete
        continue
    ''')
    assert 'Breakpoint 1, check ()' in text
    assert said['print total'] == f'$1 = {1000 + sum(b"def")}\n\n'
    assert said['print steps'] == '$2 = 6\n\n'
    backs = re.findall(r'Old value = (\d+)\nNew value = (\d+)\n.* in (\w+) \(', text)
    sums = [0, *(sum(b'abc'[:n + 1]) for n in range(3)),
            *(1000 + sum(b'def'[:n]) for n in range(4))]
    steps = [(str(sums[i]), str(sums[i - 1])) for i in (7, 6, 5)]
    assert [back[:2] for back in backs[:3]] == steps
    assert backs[3] == ('1000', str(sum(b'abc')), 'spoil'), text
    assert 'exited with code 06' in text
    assert outcome(run) == plain(rv32im, tmp_path / 'plain', rom, data=b'abcdef')


def test_the_run_is_the_same_with_and_without(rv32im, cross, debugged, tmp_path):
    rom = cross.c(SUM, flags=AT_RAM)
    run = debugged(rom, data=b'xyz')
    gdb(run, rom, '''
        rwatch steps
        break spoil
        continue
        stepi 7
        reverse-stepi 3
        continue
        continue
        delete
        break check
        continue
        reverse-continue
        reverse-stepi
        stepi 200
        reverse-stepi 100
        delete
        continue
    ''')
    assert outcome(run) == plain(rv32im, tmp_path / 'plain', rom, data=b'xyz')
    assert run.log.count('summed\n') == 1, 'the console is not repeated by going back'


# Writes a file by semihosting and counts on before and after.
FILES = '''
static int call(int number, void *block)
{
    register int a0 __asm__("a0") = number;
    register void *a1 __asm__("a1") = block;
    __asm__ volatile(".balign 16\\n.option push\\n.option norvc\\n slli x0, x0, 0x1f\\n ebreak\\n"
                     " srai x0, x0, 7\\n.option pop" : "+r"(a0) : "r"(a1) : "memory");
    return a0;
}
volatile unsigned before, after;
__attribute__((noinline)) void check(void) { __asm__ volatile("" : : "r"(after)); }
int main(void)
{
    for (int i = 0; i < 100; i++) before++;
    int handle = call(1, (void *[]){"log", (void *)8, (void *)3});
    call(5, (void *[]){(void *)handle, "one ", (void *)4});
    call(2, (void *[]){(void *)handle});
    for (int i = 0; i < 100; i++) after++;
    check();
    *(volatile unsigned *)0x100000 = 0x5555;
    return 0;
}
'''


def test_what_was_written_to_files_is_not_undone(cross, debugged, tmp_path):
    """The way back ends behind the last change to the user's files; nothing is written twice."""
    (tmp_path / 'files').mkdir()
    rom = cross.c(FILES, flags=AT_RAM)
    run = debugged(rom, '--dir-rw', tmp_path / 'files')
    text, said = gdb(run, rom, '''
        break check
        continue
        reverse-continue
        print before
        print after
        continue
        print after
        delete
        continue
    ''')
    assert said['print before'] == '$1 = 100\n\n', text
    assert said['print after'] == '$3 = 100\n\n', text
    assert '$2 = 0\n' in text and 'exited normally' in text
    assert run.end() == 0
    assert (tmp_path / 'files' / 'log').read_text() == 'one '


TRAP = '''
.globl _start, handler, behind
_start:
    la t0, handler
    csrw mtvec, t0
    li a0, 5
here:
    ecall
behind:
    addi a0, a0, 1
''' + FINISH.format(code=9) + '''
.balign 4
handler:
    csrr t2, mepc
    addi t2, t2, 4
    csrw mepc, t2
    mret
'''


def test_step_over_a_trap_and_csrs(rv32im, cross, debugged):
    rom = cross.asm(TRAP)
    run = debugged(rom)
    text, said = gdb(run, rom, '''
        tbreak *here
        continue
        stepi
        print $pc == &handler
        print/x $mepc == &here
        print $mcause
        stepi 4
        print/x $pc == &behind
        set $mscratch = 0x12345678
        print/x $mscratch
        print/x $misa & 0x100
        set $mhartid = 7
        print $mhartid
        set $mcycle = 1000
        print $mcycle
        stepi
        print $mcycle
        reverse-stepi 2
        print/x $mscratch
        print $pc == &handler + 12
        info registers mstatus mtvec
        continue
    ''')
    assert said['print $pc == &handler'].startswith('$1 = 1'), text
    assert said['print/x $mepc == &here'].startswith('$2 = 0x1')
    assert said['print $mcause'].startswith('$3 = 11')
    assert said['print/x $pc == &behind'].startswith('$4 = 0x1')
    assert '$5 = 0x12345678' in text
    assert said['print/x $misa & 0x100'].startswith('$6 = 0x100')
    assert 'Could not write register "mhartid"' in text
    assert said['print $mhartid'].startswith('$7 = 0')
    assert '$8 = 1000\n' in text and '$9 = 1001\n' in text
    assert '$10 = 0x0\n' in text, 'going back before a change by hand undoes it'
    assert 'mtvec ' in said['info registers mstatus mtvec']
    assert run.end() == 9


def test_an_edit_changes_what_comes(rv32im, cross, debugged):
    rom = cross.asm('.globl _start, middle, last\n_start: li a0, 1\nmiddle: addi a0, a0, 1\n'
                    'li t0, 0x10000000\nli t1, 0x41\nadd t1, t1, a0\nsb t1, 0(t0)\nlast: nop\n'
                    'slli a0, a0, 16\nli t1, 0x3333\nor t1, t1, a0\nli t0, 0x100000\n'
                    'sw t1, 0(t0)\n')
    run = debugged(rom)
    text, _ = gdb(run, rom, '''
        tbreak *last
        continue
        tbreak *middle
        reverse-continue
        set $a0 = 5
        tbreak *last
        continue
        reverse-stepi
        stepi
        print $a0
        continue
    ''')
    assert '$1 = 6\n' in text, text
    assert run.end() == 6
    assert 'CG' in run.log, 'what was new is shown, once'


def test_halts(rv32im, cross, debugged):
    """A fault and a cap are shown before the debugger is left; a power down only by wish."""
    fault = cross.asm('.globl _start\n_start: nop\nlw a0, 16(zero)\n', name='fault')
    run = debugged(fault, folder='fault')
    text, said = gdb(run, fault, '''
        monitor halt
        continue
        monitor halt
        reverse-stepi
        continue
        continue
    ''')
    assert text.count('the run has not ended') == 1
    assert 'received signal SIGSEGV' in text
    assert ('halt fault after 2 cycles: load access fault at pc 0x20000002, '
            'address 0x00000010 (unmapped)') in text
    assert 'Program terminated with signal SIGSEGV' in text
    assert run.end() == 123 and 'load access fault' in run.log
    loop = cross.asm('.globl _start\n_start: nop\n1: addi a0, a0, 1\nj 1b\n', name='loop')
    run = debugged(loop, '--max-cycles=5000', folder='loop')
    text, said = gdb(run, loop, 'continue\nmonitor cycles\nreverse-stepi\nprint $a0\ncontinue\n'
                                'continue')
    assert 'received signal SIGXCPU' in text
    assert 'cycles 5000 of 5000, instructions 5000, mtime 500' in said['monitor cycles']
    assert said['print $a0'].startswith('$1 = 2499'), text
    assert run.end() == 121
    run = debugged(loop, '--max-ms=20', '--max-cycles=1e15', folder='time')
    text, said = gdb(run, loop, 'continue\nmonitor halt\ncontinue')
    assert 'received signal SIGXCPU' in text
    assert 'halt time after ' in said['monitor halt']
    assert run.end() == 122
    good = cross.asm('.globl _start\n_start: li a0, 3\n' + FINISH.format(code=4), name='good')
    run = debugged(good, folder='good')
    text, said = gdb(run, good, 'monitor end stop\ncontinue\nmonitor halt\nreverse-stepi 2\n'
                                'monitor cycles\ncontinue\ncontinue\n')
    assert 'halt power-down after ' in said['monitor halt'] and 'exit code 4' in text
    assert 'exited with code 04' in text
    assert run.end() == 4


def test_memory(rv32im, cross, debugged):
    rom = cross.asm('.globl _start\n_start: lw a0, 0(a1)\n' + FINISH.format(code=0))
    run = debugged(rom, data=b'request')
    text, said = gdb(run, rom, '''
        x/s 0x22000000
        set var *(int *)0x80000000 = 77
        print *(int *)0x80000000
        set var *(char *)0x22000000 = 'R'
        x/s 0x22000000
        set var *(int *)0x20000000 = 0
        x/i $pc
        print *(int *)0
        print *(int *)0x10010000
        set $a1 = 0x80000000
        stepi
        print $a0
        detach
    ''')
    assert '"request"' in said['x/s 0x22000000'] and 'Request' not in text
    assert said['print *(int *)0x80000000'].startswith('$1 = 77')
    assert text.count('Cannot access memory at address 0x2') == 2
    assert 'lw\ta0,0(a1)' in said['x/i $pc']
    assert 'Cannot access memory at address 0x0' in said['print *(int *)0'] + text
    assert said['print $a0'].startswith('$2 = 77'), text
    assert run.end() == 0, 'after a detach the run goes on'


class Packets:
    """The protocol by hand."""

    def __init__(self, run):
        self.socket = socket.create_connection(('127.0.0.1', run.port), WAIT_SECONDS)

    def send(self, data, check=None):
        data = data.encode('latin-1') if isinstance(data, str) else data
        self.socket.sendall(b'$' + data + b'#' + (check or b'%02x' % (sum(data) % 256)))

    def byte(self):
        byte = self.socket.recv(1)
        assert byte, 'the stub has closed the connection'
        return byte

    def reply(self):
        while self.byte() != b'$':
            pass
        return self.rest()

    def rest(self):
        data = b''
        while not data.endswith(b'#'):
            data += self.byte()
        assert int(self.byte() + self.byte(), 16) == sum(data[:-1]) % 256
        return data[:-1].decode()

    def ask(self, data):
        self.send(data)
        return self.reply()


LOOP = '.globl _start\n_start: nop\n1: addi a0, a0, 1\nj 1b\n'
BAD = [
    ('', ''), ('v', ''), ('qUnknown', ''), ('vUnknown;x', ''), ('QUnknown', ''), ('b', ''),
    ('p', 'E16'), ('p21', 'E16'), ('p40', 'E16'), ('pfffffffff', 'E16'), ('p1041', 'E16'),
    ('P5', 'E16'), ('P5=', 'E16'), ('P5=12', 'E16'), ('P5=1234567g', 'E16'),
    ('P21=00000000', 'E16'), ('Pf55=00000000', 'E16'), ('G', 'E16'), ('G00', 'E16'),
    ('m', 'E16'), ('m0', 'E16'), ('m0,', 'E16'), ('m20000000,4001', 'E16'),
    ('m20000000,100000000', 'E16'), ('m0,4', 'E0e'), ('m10000000,1', 'E0e'),
    ('m82000000,1', 'E0e'), ('m81fffffe,4', '0000'), ('mfffffffe,4', 'E0e'), ('m80000000,0', ''),
    ('M80000000,4', 'E16'), ('M80000000,4:00', 'E16'), ('M80000000,2:000g', 'E16'),
    ('M81fffffe,4:00000000', 'E0e'), ('M20000000,1:00', 'E0e'), ('M10000000,1:41', 'E0e'),
    ('X80000000,4:ab', 'E16'), ('X80000000,0:', 'OK'), ('X0,1:a', 'E0e'),
    ('Z', 'E16'), ('Z5,0,4', 'E16'), ('Z2,80000000', 'E16'), ('Z2,80000000,0', 'E1c'),
    ('Z2,80000000,401', 'E1c'), ('Z2,0,4', 'E0e'), ('Z2,81fffffe,4', 'E0e'),
    ('Z2,fffffffe,4', 'E0e'), ('Z2,10000000,4', 'E0e'), ('z9,0,0', 'E16'), ('z1,0,4', 'OK'),
    ('cg', 'E16'), ('C', 'E16'), ('C05;g', 'E16'), ('C05x', 'E16'), ('s;', 'E16'),
    ('vCont', ''), ('vCont;', 'E16'), ('vCont;x', 'E16'), ('qRcmd,0', 'E16'), ('qRcmd,zz', 'E16'),
    ('qRcmd,' + '61' * 129, 'E16'), ('qXfer:features:read:target.xml:', 'E16'),
    ('qXfer:features:read:target.xml:0', 'E16'), ('qXfer:features:read:target.xml:ffffffff,10',
                                                  'l'),
    ('qXfer:features:read:other.xml:0,10', ''), ('qCRC:0,10', ''), ('x' * 16384, ''),
    ('x' * 16385, 'E16'),
]


def test_bad_packets_are_refused(cross, debugged):
    """One connection takes them all, and the machine has not moved."""
    run = debugged(cross.asm(LOOP), '--max-cycles=1000')
    peer = Packets(run)
    before = peer.ask('g')
    for packet, answer in BAD:
        assert peer.ask(packet) == answer, packet[:40]
    assert peer.ask('g') == before
    peer.send('g', check=b'zz')
    assert peer.byte() == b'-', 'a damaged packet is asked for again'
    peer.socket.sendall(b'$g$g#67')  # one that was cut off, and a whole one
    assert peer.reply() == before
    peer.socket.sendall(b'-')
    assert peer.reply() == before
    assert peer.ask('QStartNoAckMode') == 'OK'
    peer.socket.sendall(b'+$g#67')
    assert peer.byte() == b'$', 'acknowledged no more'
    assert peer.rest() == before
    assert run.process.poll() is None
    for index in range(64):
        assert peer.ask(f'Z1,{0x30000000 + 4 * index:x},4') == 'OK'
    assert peer.ask('Z1,40000000,4') == 'E1c', 'points have a bound'
    assert peer.ask('Z1,30000000,4') == 'OK', 'one that is there is no second'
    peer.send('vKill;1')
    assert peer.reply() == 'OK'
    assert run.end() == 125
    assert 'the debugger ended the run after 0 cycles' in run.log


def test_a_detach_at_the_end_changes_nothing(rv32im, cross, debugged, tmp_path):
    """What stands behind the end of the run is not run, and a cap that is reached stays so."""
    behind = cross.asm('.globl _start\n_start: li a0, 0x100000\nli a1, 0x5555\nsw a1, 0(a0)\n'
                       'li a2, 0xdead\nli a3, 0x80000000\nsw a2, 0(a3)\n' + FINISH.format(code=7),
                       name='behind')
    run = debugged(behind, folder='behind')
    peer = Packets(run)
    assert peer.ask('qRcmd,' + b'end stop'.hex())
    assert 'replaylog:end' in peer.ask('c')
    assert peer.ask('D') == 'OK'
    peer.socket.close()
    assert outcome(run) == plain(rv32im, tmp_path / 'plain', behind)
    run = debugged(cross.asm(LOOP), '--max-ms=2000', '--max-cycles=1e15', folder='time')
    peer = Packets(run)
    peer.send('c')
    time.sleep(1.5)
    peer.socket.sendall(b'\3')
    assert peer.reply().startswith('T02')
    begin = time.monotonic()
    assert peer.ask('D') == 'OK'
    peer.socket.close()
    assert run.end() == 122
    assert time.monotonic() - begin < 1.5, 'the time before the detach counts too'


def test_interrupt_and_a_debugger_that_goes_away(cross, debugged):
    run = debugged(cross.asm(LOOP), '--max-cycles=1e15', '--max-ms=1h')
    peer = Packets(run)
    for packet in ('c', 'vCont;c', 'C05'):
        peer.send(packet)
        peer.socket.sendall(b'\3')
        assert peer.reply().startswith('T02')
    assert peer.ask('Z1,80000000,4') == 'OK'
    peer.send('c')
    peer.socket.sendall(b'\3')
    assert peer.reply().startswith('T02'), 'with a point to look for, too'
    peer.send('bc')
    assert 'replaylog:begin' in peer.reply()
    peer.socket.close()
    assert run.end() == 125
    assert 'the debugger went away after ' in run.log


def test_what_is_no_debugger_is_turned_away(cross, debugged):
    run = debugged(cross.asm('.globl _start\n_start: ' + FINISH.format(code=3)))
    with socket.create_connection(('127.0.0.1', run.port), WAIT_SECONDS) as browser:
        browser.sendall(b'POST / HTTP/1.1\r\n\r\n$k#6b')
        try:
            assert browser.recv(100) == b''
        except ConnectionResetError:
            pass
    assert Packets(run).ask('c') == 'W03'
    assert run.end() == 3
    assert 'what connected is no debugger' in run.log


def test_a_port_in_use(rv32im, cross, debugged):
    rom = cross.asm(LOOP)
    run = debugged(rom)
    done = subprocess.run([rv32im, f'--gdb={run.port}', rom, *['/dev/null'] * 3],
                          capture_output=True, text=True, timeout=WAIT_SECONDS)
    assert done.returncode == 125
    assert f'cannot listen on 127.0.0.1:{run.port}: ' in done.stderr


LAMBDA = '''#include <stdio.h>
int count;
static void note(int c)
{
    if (c == 'b')
        count = 100;
    else
        count++;
}
int main(void)
{
    int c;
    while ((c = getchar()) != EOF)
        note(c);
    printf("%d\\n", count);
    return 5;
}
'''


@pytest.fixture
def call(mote, tmp_path):
    """call('gdb', ...) runs mote in the test's folder."""
    temporary = tmp_path / 'temporary'
    temporary.mkdir()

    def call(*args, **environment):
        done = subprocess.run([mote, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, cwd=tmp_path,
                              timeout=2 * WAIT_SECONDS,
                              env={**os.environ, 'TMPDIR': str(temporary), **environment})
        assert list(temporary.iterdir()) == []
        return done
    return call


def test_a_lambda_by_its_source_with_its_input(call, tmp_path):
    (tmp_path / 'lambda.c').write_text(LAMBDA)
    (tmp_path / 'request').write_bytes(b'abcd')
    (tmp_path / 'script').write_text('break lambda.c:15\ncontinue\n')
    (tmp_path / 'more').write_text('print count\n')
    done = call('gdb', '--ex', 'set width 0', '-x', 'script', '--command=more', '--batch',
                'lambda.c', 'request')
    assert done.returncode == 125, 'the debugger has quit at the breakpoint'
    assert 'the debugger ended the run after ' in done.stdout
    assert 'Breakpoint 1, main () at ' in done.stdout and '$1 = 102' in done.stdout, done.stdout
    steps = ['break lambda.c:15', 'continue', 'watch count', 'reverse-continue', 'reverse-continue',
             'reverse-continue', 'frame', 'print c', 'next', 'delete', 'continue']
    done = call('gdb', '--batch', *(word for step in steps for word in ('--ex', step)), '--stats',
                'lambda.c', 'request')
    assert done.returncode == 5, done.stdout
    assert re.findall(r'Old value = (\d+)\nNew value = (\d+)', done.stdout)[:3] == [
        ('102', '101'), ('101', '100'), ('100', '1')], done.stdout
    assert "count = 100;" in done.stdout and "$1 = 98" in done.stdout
    assert 'exited with code 05' in done.stdout and '\n102\n' in done.stdout
    assert 'halt=power-down' in done.stdout


@pytest.mark.parametrize('option', ['--trace', '--trace-only=traps', '--profile', '--coverage=c',
                                    '--record=r', '--replay=r', '--gdb=5'])
def test_an_option_that_a_debugger_rules_out_is_none(call, option):
    name = option.split('=')[0]
    done = call('gdb', option, 'lambda.c')
    assert done.returncode == 125 and f'unknown option {name}' in done.stdout
    helps = [re.split(r'[\s[]', call(command, '--help').stdout) for command in ('gdb', 'run')]
    assert [name in words for words in helps] == [False, True]
    assert name.replace('-', '\\-') not in call('gdb', '--man').stdout


@pytest.mark.parametrize('command', ['gdb', 'run'])
def test_a_terminal_is_offered_where_it_can_be_had(call, cross, rv32im, command):
    done = call(command, '--console=tty', cross.asm(LOOP))
    assert done.returncode == 125 and '--console=tty: ' in done.stdout
    assert 'tty' not in call(command, '--help').stdout
    assert 'tty' in subprocess.run([rv32im, '--help'], capture_output=True, text=True).stdout


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_no_file(mote, tmp_path, number):
    (tmp_path / 'lambda.c').write_text(LAMBDA)
    debugger = tmp_path / 'debugger'
    debugger.write_text('#!/bin/sh\necho ready\nexec sleep 2 >&-\n')
    debugger.chmod(0o755)
    temporary = tmp_path / 'temporary'
    temporary.mkdir()
    process = subprocess.Popen([mote, 'gdb', '--debugger', debugger, tmp_path / 'lambda.c'],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               env={**os.environ, 'TMPDIR': str(temporary)})
    assert process.stdout.readline() == b'ready\n'
    assert list(temporary.iterdir()) != []
    process.send_signal(number)
    assert process.wait(WAIT_SECONDS) == -number
    process.stdout.close()
    deadline = time.monotonic() + WAIT_SECONDS
    while list(temporary.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_no_debugger(call, cross):
    rom = cross.asm(LOOP)
    done = call('gdb', rom, PATH='/nonexistent')
    assert (done.returncode, done.stdout) == (
        124, 'mote gdb: gdb-multiarch is not installed: apt-get install gdb-multiarch\n')
    done = call('gdb', '--debugger', '/nonexistent/gdb', rom)
    assert done.returncode == 124 and '/nonexistent/gdb: No such file' in done.stdout
    done = call('gdb', '--debugger', '/bin/true', rom)
    assert done.returncode == 125
    assert 'the debugger ended before it connected' in done.stdout
    done = call('gdb', '/nonexistent.c')
    assert done.returncode == 124 and 'there is no file /nonexistent.c' in done.stdout


def test_a_raw_image(call, cross):
    done = call('gdb', '--batch', '--ex', 'x/i $pc', '--ex', 'continue',
                cross.bin('.globl _start\n_start: ' + FINISH.format(code=6)))
    assert done.returncode == 6
    assert 'lui\tt0,0x100' in done.stdout
