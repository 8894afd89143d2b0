# test_console.py - typing into a run: from a pipe and a terminal, written down and typed again
# SPDX-License-Identifier: MIT
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

# Echoes what it receives and ends at a `.` with the cycle count, which depends on when each byte
# came in. WAIT is how it waits; TICK sets a timer that is set anew each millisecond.
PROGRAM = '''
enum {{ TICK = {tick}, MTI = 7, MEI = 11 }};
#define REG(address) (*(volatile unsigned *)(address))
#define UART(offset) (*(volatile unsigned char *)(0x10000000 + (offset)))
static void print(unsigned value)
{{
    for (int i = 28; i >= 0; i -= 4) {{
        UART(0) = "0123456789abcdef"[value >> i & 15];
    }}
}}
static void hear(void)
{{
    while (UART(5) & 1) {{
        unsigned char c = UART(0);
        UART(0) = c;
        if (c == '.') {{
            unsigned cycles;
            __asm__ volatile("csrr %0, mcycle" : "=r"(cycles));
            print(cycles);
            print(REG(0x0200bff8));
            REG(0x100000) = 0x5555;
        }}
    }}
}}
__attribute__((interrupt("machine"), aligned(4))) static void on_interrupt(void)
{{
    unsigned cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    if (cause == (1u << 31 | MTI)) {{
        REG(0x02004000) += TICK;
    }} else {{
        unsigned source = REG(0x0c200004);
        hear();
        REG(0x0c200004) = source;
    }}
}}
__attribute__((unused)) static void sleep(unsigned milliseconds)
{{
    __asm__ volatile("csrw mie, %0" : : "r"(1 << MTI));
    __asm__ volatile("csrci mstatus, 8");
    REG(0x02004000) = REG(0x0200bff8) + 10000 * milliseconds;
    REG(0x02004004) = 0;
    __asm__ volatile("wfi");
}}
__attribute__((unused)) static void off(void)
{{
    REG(0x100000) = 0x5555;
}}
int main(void)
{{
    __asm__ volatile("csrw mtvec, %0" : : "r"(on_interrupt));
    REG(0x0c000000 + 4 * 10) = 1;
    REG(0x0c002000) = 1 << 10;
    UART(1) = {listen};
    if (TICK) {{
        REG(0x02004000) = TICK;
        REG(0x02004004) = 0;
    }}
    __asm__ volatile("csrw mie, %0" : : "r"(1 << MTI | 1 << MEI));
    __asm__ volatile("csrsi mstatus, 8");
    UART(0) = '>';
    for (;;) {{
        {wait}
    }}
}}
'''
WAITS = {'wfi': (0, 1, '__asm__ volatile("wfi");'),
         'wfi and ticks': (10000, 1, '__asm__ volatile("wfi");'),
         'jump to itself': (0, 1, '__asm__ volatile("1: j 1b");'),
         'jump and ticks': (10000, 1, '__asm__ volatile("1: j 1b");'),
         'polling': (0, 0, 'hear();'),
         'polling and ticks': (10000, 0, 'hear();')}
DEAF = {'deaf': (0, 0, '__asm__ volatile("nop");'),
        'chatty': (0, 0, "UART(0) = '.';"),
        'deaf and slow': (0, 0, 'for (int i = 0; i < 10; i++) { sleep(50); } off();')}
CAPS = ['--max-cycles=1e12', '--max-ms=60s']


@pytest.fixture
def command(rv32im, cross, tmp_path):
    """command(wait, option...): the run's words; its statistics go to the file `stats`."""
    def command(wait, *options, name='program'):
        tick, listen, text = (WAITS | DEAF)[wait]
        rom = cross.c(PROGRAM.format(tick=tick, listen=listen, wait=text), name=name)
        (tmp_path / 'in').write_bytes(b'')
        return [rv32im, f'--stats-file={tmp_path}/stats', *CAPS, *options, rom,
                *(tmp_path / name for name in ('ram', 'in', 'out'))]
    return command


def stats_of(path):
    return dict(line.split('=', 1) for line in path.read_text().splitlines())


@pytest.mark.parametrize('wait', WAITS)
def test_a_record_types_the_same_run_again(command, tmp_path, wait):
    process = subprocess.Popen(command(wait, '--console=tty', f'--record={tmp_path}/record'),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout.read(1) == b'>'
    for piece in (b'a', b'bc', bytes(range(256)).replace(b'.', b''), b'end.'):
        process.stdin.write(piece)
        process.stdin.flush()
        time.sleep(0.02)  # so that they come in at moments of their own
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b'')
    assert out.startswith(b'abc' + bytes(range(256)).replace(b'.', b'') + b'end.')
    stats = stats_of(tmp_path / 'stats')
    record = (tmp_path / 'record').read_text()
    assert re.fullmatch(r'(\d+ \d+ 0x[0-9a-f]{2}\n)+', record)
    assert len(record.splitlines()) == 3 + 255 + 4
    for options in ([], [f'--trace={tmp_path}/trace']):
        if options and int(stats['cycles']) > 100000:
            continue  # a line for each instruction
        again = subprocess.run(
            command(wait, f'--replay={tmp_path}/record', f'--record={tmp_path}/second', *options),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert (again.returncode, again.stderr) == (0, b'>' + out)
        assert stats_of(tmp_path / 'stats') == stats
        assert (tmp_path / 'second').read_text() == record


def test_the_end_of_input_ends_a_wait(command, tmp_path):
    for wait in ('wfi', 'jump to itself'):
        done = subprocess.run(command(wait, '--console=tty'), input=b'hello', capture_output=True,
                              timeout=60)
        assert (done.returncode, done.stdout.replace(b'>', b'')) == (0, b'hello')
        assert stats_of(tmp_path / 'stats')['halt'] == 'power-down'


def test_a_record_of_another_run_is_refused(command, tmp_path):
    (tmp_path / 'record').write_text('1000000000 5 0x41\n')
    done = subprocess.run(command('wfi', f'--replay={tmp_path}/record'), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 124
    assert 'record: the run did not come by line 1, of cycle 1000000000' in done.stderr


@pytest.mark.parametrize('text, complaint', [
    ('1 2\n', 'line 1 is not'), ('1 2 0x4\n', 'line 1 is not'), ('1 2 0x411\n', 'line 1 is not'),
    ('1 2 0x4g\n', 'line 1 is not'), ('a 2 0x41\n', 'line 1 is not'), ('\n', 'line 1 is not'),
    ('1  2 0x41\n', 'line 1 is not'), ('-1 2 0x41\n', 'line 1 is not'),
    ('1 2 0x41 \n', 'line 1 is not'), ('1 2 quit\n3\n', 'line 2 is not'),
    ('18446744073709551616 2 0x41\n', 'line 1 is not'), ('1 2 0x41\0\n', 'line 1 is not'),
    ('1 ' + '2' * 100 + ' 0x41\n', 'line 1 is not'),
    ('5 0 0x41\n4 0 0x41\n', 'line 2 is of cycle 4, before that of the line above, 5')])
def test_a_bad_record_is_refused_before_anything_changes(command, tmp_path, text, complaint):
    (tmp_path / 'record').write_text(text)
    done = subprocess.run(command('wfi', f'--replay={tmp_path}/record'), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 124
    assert complaint in done.stderr
    assert not (tmp_path / 'ram').exists()


@pytest.mark.parametrize('options, complaint', [
    (['--record=r'], 'nothing is typed without --console=tty'),
    (['--console=tty', '--replay=r'], 'it types by itself'),
    (['--console=tty', '--console-in=i'], 'only one of them'),
    (['--replay=r', '--console-in=i'], 'only one of them'),
    (['--console=tty', '--machine=classic'], '--console=tty: --machine classic has no'),
    (['--replay=r', '--machine=classic'], '--replay: --machine classic has no')])
def test_options_that_do_not_go_together(command, options, complaint):
    done = subprocess.run(command('wfi', *options), capture_output=True, text=True, timeout=60)
    assert done.returncode == 125
    assert complaint in done.stderr


def test_mote_run_has_no_terminal_left(mote, command):
    done = subprocess.run([mote, 'run', '--console=tty', command('wfi')[-4]], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 125
    assert 'use rv32im' in done.stderr


class Terminal:
    """A run on a terminal of its own."""

    def __init__(self, command, stdout=None):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command, stdin=self.slave,
                                        stdout=stdout or self.slave, stderr=subprocess.PIPE)
        self.seen = b''

    def type(self, data):
        os.write(self.master, data)

    def expect(self, text):
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], 60)
            assert ready, (text, self.seen)
            self.seen += os.read(self.master, 4096)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def end(self):
        status = self.process.wait(60)
        assert termios.tcgetattr(self.slave) == self.before
        return status

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    opened = []

    def terminal(command, **options):
        opened.append(Terminal(command, **options))
        return opened[-1]
    yield terminal
    for one in opened:
        one.close()


def test_typing_at_a_terminal(command, terminal, tmp_path):
    t = terminal(command('wfi', '--console=tty'))
    t.expect(b'>')
    assert t.is_raw()
    t.type(b'hi\x03\x04\r\x1a')  # no key but one is anybody else's
    t.expect(b'>hi\x03\x04\r\x1a')
    t.type(b'\x01\x01\x01?.')  # Ctrl-A twice is one; what else follows it is dropped
    t.expect(b'\x1a\x01.')
    assert t.end() == 0
    assert stats_of(tmp_path / 'stats')['halt'] == 'power-down'


@pytest.mark.parametrize('wait', WAITS)
def test_ctrl_a_x_quits_and_a_replay_does_too(command, terminal, tmp_path, wait):
    t = terminal(command(wait, '--console=tty', f'--record={tmp_path}/record'))
    t.expect(b'>')
    t.type(b'a')
    t.expect(b'>a')
    t.type(b'\x01x')
    assert t.end() == 0
    stats = stats_of(tmp_path / 'stats')
    assert (stats['halt'], stats['exit_status']) == ('quit', '0')
    assert (tmp_path / 'record').read_text().endswith(' quit\n')
    again = subprocess.run(command(wait, f'--replay={tmp_path}/record'), capture_output=True,
                           timeout=60)
    assert (again.returncode, again.stderr) == (0, b'>a')
    assert stats_of(tmp_path / 'stats') == stats


def test_a_reader_that_goes_away_puts_the_terminal_back(command, terminal, tmp_path):
    t = terminal(command('chatty', '--console=tty'), stdout=subprocess.PIPE)
    assert t.process.stdout.read(2) == b'>.'
    assert t.is_raw()
    t.process.stdout.close()
    assert t.end() == -signal.SIGPIPE


def test_the_terminal_is_put_back_while_a_run_is_stopped(command, terminal, tmp_path):
    t = terminal(command('wfi', '--console=tty'))
    t.expect(b'>')
    t.process.send_signal(signal.SIGTSTP)
    assert os.WIFSTOPPED(os.waitpid(t.process.pid, os.WUNTRACED)[1])
    assert not t.is_raw()
    t.process.send_signal(signal.SIGCONT)
    t.type(b'a')
    t.expect(b'>a')
    assert t.is_raw()
    t.type(b'.')
    assert t.end() == 0


@pytest.mark.parametrize('keys', [300, 6000])  # over the UART's line; over what is kept behind it
def test_ctrl_a_x_quits_a_guest_that_takes_no_key(command, terminal, tmp_path, keys):
    t = terminal(command('deaf', '--console=tty', f'--record={tmp_path}/record'))
    t.expect(b'>')
    t.type(b'k' * keys)
    t.type(b'\x01x')
    assert t.end() == 0
    stats = stats_of(tmp_path / 'stats')
    assert stats['halt'] == 'quit'
    subprocess.run(command('deaf', f'--replay={tmp_path}/record'), stderr=subprocess.DEVNULL,
                   timeout=60, check=True)
    assert stats_of(tmp_path / 'stats') == stats


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_guest_that_takes_no_key(command, terminal, tmp_path, number):
    t = terminal(command('deaf', '--console=tty'))
    t.expect(b'>')
    t.type(b'k' * 300)
    time.sleep(0.2)
    t.process.send_signal(number)
    assert t.end() == -number


def test_a_signal_ends_a_run_whose_input_is_over(command, tmp_path):
    process = subprocess.Popen(command('deaf', '--console=tty'), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    assert process.stdout.read(1) == b'>'
    time.sleep(0.2)
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM
    process.stdout.close()


def test_a_full_line_makes_no_wait_shorter(command, terminal, tmp_path):
    t = terminal(command('deaf and slow', '--console=tty'))
    t.expect(b'>')
    begin = time.monotonic()
    for _ in range(4):
        t.type(b'k' * 100)
        time.sleep(0.01)
    assert t.end() == 0
    assert time.monotonic() - begin > 0.3  # ten waits of 50 ms, the first of which a key may end


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT,
                                    signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2,
                                    signal.SIGXCPU, signal.SIGPIPE])
def test_a_signal_puts_the_terminal_back(command, terminal, tmp_path, number):
    for wait in ('wfi', 'polling'):
        t = terminal(command(wait, '--console=tty'))
        t.expect(b'>')
        t.process.send_signal(number)
        assert t.end() == -number
        assert stats_of(tmp_path / 'stats')['halt'] == 'quit'


@pytest.mark.parametrize('look', [None, 'trace', 'profile'])
def test_waiting_for_keys_counts_against_no_cap(command, terminal, tmp_path, look):
    options = [f'--{look}={tmp_path}/{look}'] if look else []
    words = command('wfi', '--console=tty', '--max-ms=200', '--max-cycles=100k', *options)
    t = terminal(words)
    t.expect(b'>')
    time.sleep(0.5)
    t.type(b'a.')
    t.expect(b'>a.')
    assert t.end() == 0
