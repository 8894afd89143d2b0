# test_mote_client.py - put, post, get, ls and rm against a real server, and what they remember
# SPDX-License-Identifier: MIT
import json
import os
import pty
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

ID = r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
NOBODY = '11111111-1111-4111-8111-111111111111'
HEAD = '''
typedef unsigned u32; typedef unsigned char u8;
#define REG(a) (*(volatile u32 *)(a))
#define IN ((const volatile u8 *)0x22000000)
#define OUT ((volatile u8 *)0x24000000)
#define META ((volatile u8 *)0x26000000)
#define RAM ((volatile u32 *)0x80000000)
static void off(u32 code) { REG(0x100000) = code ? code << 16 | 0x3333 : 0x5555; for (;;) {} }
static void put(u32 n) { OUT[0] = '0' + n; REG(0x1001000c) = 1; }
'''
BODIES = {
    'echo': 'for (u32 i = 0; i < REG(0x10010008); i++) OUT[i] = IN[i];'
            'REG(0x1001000c) = REG(0x10010008); off(0);',
    'count': 'put(++RAM[0]); off(0);',
    'exit': 'u32 n = 0; for (u32 i = 0; i < REG(0x10010008); i++) n = n * 10 + IN[i] - 48; off(n);',
    'console': 'for (const char *p = "hello\\n"; *p; p++) *(volatile u8 *)0x10000000 = *p; off(0);',
    'evil': 'const char *p = "\\33[2Jred\\33[31m\\rover\\a\\ttab\\n";'
            'for (; *p; p++) *(volatile u8 *)0x10000000 = *p; off(0);',
    'forever': 'put(7); for (;;) __asm__("nop");',
    'fault': '*(volatile u32 *)4 = 1; off(0);',
    'environ': 'u32 n = REG(0x10010010); for (u32 i = 0; i < n; i++) OUT[i] = META[i];'
               'REG(0x1001000c) = n; off(0);',
    'teapot': 'const char *r = "Status: 418\\n"; u32 n = 0;'
              'for (; r[n]; n++) META[32768 + n] = r[n]; REG(0x10010014) = n; put(4); off(0);',
    'problem': 'const char *r = "Content-Type: application/problem+json\\n"; u32 n = 0;'
               'for (; r[n]; n++) META[32768 + n] = r[n]; REG(0x10010014) = n; put(5); off(3);',
}


@pytest.fixture
def rom(cross):
    """rom('echo') is the path of that firmware."""
    return lambda name: cross.c(HEAD + 'int main(void) { %s return 0; }' % BODIES[name], name)


@pytest.fixture
def memory(tmp_path):
    return tmp_path / 'session'


@pytest.fixture
def call(mote, memory, tmp_path):
    def call(*args, data=b'', **environment):
        return subprocess.run([mote, *args], input=data, capture_output=True, cwd=tmp_path,
                              timeout=120,
                              env={**os.environ, 'MOTE_SESSION': str(memory), **environment})
    return call


@pytest.fixture
def talk(call, server):
    """A call that has met the server."""
    assert call('ls', '--server', server.url).returncode == 0
    return call


def remembered(path):
    return dict(line.split('=', 1) for line in path.read_text().splitlines())


def put(talk, path, *options):
    done = talk('put', *options, path)
    assert (done.returncode, done.stderr) == (0, b'')
    return done.stdout.decode().strip()


def test_bytes_in_bytes_out(talk, rom, memory, server):
    name = put(talk, rom('echo'))
    assert re.fullmatch(ID, name)
    every = bytes(range(256)) * 9
    done = talk('post', data=every)
    assert (done.returncode, done.stdout, done.stderr) == (0, every, b'')
    assert remembered(memory)['server'] == server.url
    assert remembered(memory)['rom'] == name
    assert re.fullmatch(ID, remembered(memory)['ram'])
    assert talk('post').stdout == b''


def test_a_new_project_goes_to_the_server(talk, mote, memory, tmp_path):
    assert talk('new', 'project').returncode == 0
    environment = {**os.environ, 'MOTE_SESSION': str(memory)}
    environment.pop('MAKEFLAGS', None)
    done = subprocess.run(['make', '-s', '-C', tmp_path / 'project', 'put', f'MOTE={mote}'],
                          capture_output=True, timeout=120, env=environment)
    assert (done.returncode, done.stderr) == (0, b'')
    assert talk('post', data=b'quick fox\n').stdout == b'QUICK FOX\nHello from an MCU.\n'


def test_post_takes_a_file_and_a_pipe(talk, rom, tmp_path, mote, memory):
    put(talk, rom('environ'))
    (tmp_path / 'input').write_bytes(b'x' * 1000)
    assert b'CONTENT_LENGTH=1000\0' in talk('post', 'input').stdout
    with open(tmp_path / 'input', 'rb') as file:
        file.seek(400)
        done = subprocess.run([mote, 'post', '-'], stdin=file, capture_output=True, timeout=60,
                              env={**os.environ, 'MOTE_SESSION': str(memory)})
    assert b'CONTENT_LENGTH=600\0' in done.stdout
    done = talk('post', 'missing')
    assert done.returncode == 124 and b'missing' in done.stderr


def test_session_goes_on_and_starts_anew(talk, rom, memory):
    put(talk, rom('count'))
    assert [talk('post').stdout for _ in range(3)] == [b'1', b'2', b'3']
    first = remembered(memory)['ram']
    assert talk('post', '--new').stdout == b'1'
    assert remembered(memory)['ram'] != first
    assert talk('post', '--ram', first).stdout == b'4'
    assert talk('post').stdout == b'5', 'what an option named is remembered'


def test_another_rom_or_server_forgets_the_session(talk, rom, memory, start_server):
    one = put(talk, rom('count'))
    talk('post')
    two = put(talk, rom('echo'))
    assert remembered(memory)['ram'] == ''
    talk('post')
    of_two = remembered(memory)['ram']
    assert talk('post', '--rom', one).stdout == b'1', 'a new session'
    assert remembered(memory)['ram'] != of_two
    other = start_server()
    done = talk('post', '--server', other.url)
    assert done.returncode == 125 and b'mote put FILE' in done.stderr
    assert remembered(memory)['rom'] == one and two != one


@pytest.mark.parametrize('code, status', [(0, 0), (7, 7), (118, 118), (119, 119), (300, 119)])
def test_exit_code_of_the_guest(talk, rom, code, status):
    put(talk, rom('exit'))
    done = talk('post', data=b'%d' % code)
    assert (done.returncode, done.stderr) == (status, b'')


def test_guests_own_status_is_no_failure(talk, rom):
    put(talk, rom('teapot'))
    done = talk('post', '--stats')
    assert (done.returncode, done.stdout) == (0, b'4')
    assert b'Status: 418\n' in done.stderr
    put(talk, rom('problem'))
    done = talk('post')
    assert (done.returncode, done.stdout, done.stderr) == (3, b'5', b''), 'the guest wrote it'


def test_console_and_stats(talk, rom):
    put(talk, rom('console'))
    done = talk('post')
    assert (done.returncode, done.stderr) == (0, b'hello\n')
    lines = talk('post', '--stats').stderr.decode().splitlines()
    assert lines[:2] == ['hello', 'Status: 200']
    names = {line.split(':')[0] for line in lines[1:]}
    assert {'Mcu-Halt', 'Mcu-Cycles', 'Mcu-Ram', 'Mcu-Committed', 'Server-Timing'} <= names


def on_a_terminal(command, **more):
    """What a command prints on a standard error that is a terminal."""
    leader, follower = pty.openpty()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=follower, timeout=60, **more)
    os.close(follower)
    text = b''
    try:
        while piece := os.read(leader, 65536):
            text += piece
    except OSError:  # what a leader says once its last follower is closed
        pass
    os.close(leader)
    return done.returncode, text


def test_a_console_cannot_steer_the_terminal(mote, talk, rom, memory):
    put(talk, rom('evil'))
    assert talk('post').stderr == b'\33[2Jred\33[31m\rover\a\ttab\n', 'no terminal: as it is'
    code, text = on_a_terminal([mote, 'post'], env={**os.environ, 'MOTE_SESSION': str(memory)})
    assert (code, text) == (0, rb'\x1b[2Jred\x1b[31m\x0dover\x07' + b'\ttab\r\n')


def test_a_lost_console_is_a_host_error(mote, talk, rom, memory):
    put(talk, rom('console'))
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([mote, 'post'], stdin=subprocess.DEVNULL, stderr=full, timeout=60,
                              env={**os.environ, 'MOTE_SESSION': str(memory)})
    assert done.returncode == 125


def test_closed_standard_output_is_a_host_error(mote, talk, rom, memory, tmp_path):
    path = rom('count')
    put(talk, path)
    assert talk('post', data=b'x').returncode == 0
    for args in (['ls'], ['get', 'rom'], ['get', 'ram'], ['put', path], ['post']):
        done = subprocess.run(['sh', '-c', 'exec "$@" >&-', 'sh', mote, *args], input=b'x',
                              stderr=subprocess.PIPE, cwd=tmp_path, timeout=60,
                              env={**os.environ, 'MOTE_SESSION': str(memory)})
        assert done.returncode == 125, args
        assert b'standard output: Bad file descriptor' in done.stderr, args


def test_caps(talk, rom):
    put(talk, rom('forever'))
    done = talk('post', '--max-cycles=1k')
    assert (done.returncode, done.stdout) == (121, b'7')
    assert b'cycle cap' in done.stderr
    done = talk('post', '--max-ms=30')
    assert (done.returncode, done.stdout) == (122, b'7')
    assert b'wall-clock cap' in done.stderr


def test_fault_says_where(talk, rom, memory):
    put(talk, rom('fault'))
    done = talk('post')
    assert (done.returncode, done.stdout) == (123, b'')
    assert b'store' in done.stderr and b'0x00000004' in done.stderr
    assert re.search(rb'  at 0x2\w+ \(\w+\+\d+\)\n', done.stderr)
    assert remembered(memory)['ram'] == ''


def test_query_and_fields(talk, rom):
    put(talk, rom('environ'))
    out = talk('post', '-q', 'a=b&c', '-H', 'X-Thing: yes', '--header=Content-Type: a/b').stdout
    assert {b'QUERY_STRING=a=b&c', b'HTTP_X_THING=yes',
            b'CONTENT_TYPE=a/b'} <= set(out.split(b'\0'))
    secrets = ['-H', 'Cookie2: secret', '-H', 'Proxy: secret', '-H', 'Proxy-Authorization: secret']
    assert b'secret' not in talk('post', *secrets).stdout
    done = talk('post', '--query', 'a b')
    assert done.returncode == 125 and b'%20' in done.stderr
    for bad in ('no colon', ': empty', 'a: b\r\nc: d'):
        assert talk('post', '-H', bad).returncode == 125


def test_get_gives_back_what_was_put(talk, rom, memory, tmp_path):
    path = rom('count')
    put(talk, path)
    for _ in range(4):
        talk('post')
    assert talk('get', 'rom').stdout == path.read_bytes()
    assert talk('get', 'ram', '-o', 'image').returncode == 0
    assert (tmp_path / 'image').read_bytes() == b'\4', 'zeros at its end are cut'
    talk('post')
    done = talk('put', '--session', 'image')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')
    assert talk('post').stdout == b'5'
    assert talk('put', '--session', '--ram', NOBODY, 'image').returncode == 0, 'a fork'
    assert remembered(memory)['ram'] == NOBODY
    assert talk('post').stdout == b'5'
    done = talk('get', 'something')
    assert done.returncode == 125 and b'neither rom nor ram' in done.stderr
    done = talk('get', 'rom', '--rom', NOBODY, '-o', 'new')
    assert done.returncode == 240 and not (tmp_path / 'new').exists()
    assert talk('get', 'rom', '-o', 'no/such/folder').returncode == 125


def test_get_spares_a_terminal(mote, talk, rom, memory):
    put(talk, rom('echo'))
    leader, follower = pty.openpty()
    done = subprocess.run([mote, 'get', 'rom'], stdin=subprocess.DEVNULL, stdout=follower,
                          stderr=subprocess.PIPE, timeout=60,
                          env={**os.environ, 'MOTE_SESSION': str(memory)})
    os.close(follower)
    os.close(leader)
    assert done.returncode == 125 and b'-o FILE' in done.stderr


def test_replace_keeps_the_sessions(talk, rom, memory):
    name = put(talk, rom('count'))
    assert talk('post').stdout == b'1'
    ram = remembered(memory)['ram']
    assert put(talk, rom('echo'), '--replace') == name
    assert remembered(memory)['ram'] == ram
    assert talk('post', data=b'abc').stdout == b'abc'
    assert put(talk, rom('count'), '--rom', NOBODY) == NOBODY


def test_put_refuses_what_makes_no_sense(talk, rom, tmp_path):
    (tmp_path / 'a.c').write_text('int main(void) { return 0; }\n')
    done = talk('put', 'a.c')
    assert done.returncode == 124 and b'mote cc' in done.stderr
    assert talk('put', '--raw', 'a.c').returncode == 0
    (tmp_path / 'empty').touch()
    for options in [], ['--raw']:
        done = talk('put', *options, 'empty')
        assert (done.returncode, b'is empty' in done.stderr) == (240, True)
        assert b'--raw' not in done.stderr
    (tmp_path / 'cut').write_bytes(b'\x7fELF')
    assert b'--raw takes the bytes' in talk('put', 'cut').stderr
    for options in (['--session', '--raw'], ['--session', '--replace'], ['--ram', NOBODY]):
        assert talk('put', *options, 'a.c').returncode == 125
    (tmp_path / 'bad').write_bytes(b'\x7fELF\x01\x01\x01' + bytes(60))
    done = talk('put', 'bad')
    assert done.returncode == 240
    assert done.stderr.startswith(b'mote put: 422: ') and b'`mote cc`' in done.stderr
    for name in ('missing', '.'):
        assert talk('put', name).returncode == 124


@pytest.mark.parametrize('name, shown', [('big', b'big'), ('\x1b[2Jbig', rb'\?\[2Jbig')],
                         ids=['plain', 'steering'])
def test_put_draws_a_bar_on_a_terminal_only(mote, talk, memory, tmp_path, name, shown):
    (tmp_path / name).write_bytes(b'\x13\0\0\0' * (2 << 20))
    leader, follower = pty.openpty()
    done = subprocess.run([mote, 'put', name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=follower, cwd=tmp_path, timeout=60,
                          env={**os.environ, 'MOTE_SESSION': str(memory)})
    os.close(follower)
    seen = b''
    try:
        while piece := os.read(leader, 4096):
            seen += piece
    except OSError:  # the other side is closed
        pass
    os.close(leader)
    assert done.returncode == 0 and re.fullmatch(ID, done.stdout.decode().strip())
    assert re.search(rb'\r' + shown + rb' \[#*\s*\] +\d+% [\d.]+ MiB', seen)
    assert b'100% 8.0 MiB' in seen
    assert b'8388608 bytes, raw' in seen
    assert put(talk, name)


def test_ls_shows_and_marks(talk, rom, memory):
    empty = talk('ls').stdout.decode()
    assert '`mote put FILE` uploads one' in empty and '`mote post` starts one' in empty
    one, two = put(talk, rom('count')), put(talk, rom('echo'))
    talk('post')
    ram = remembered(memory)['ram']
    table = talk('ls').stdout.decode()
    assert re.search(rf'^  {one} +\d+  elf ', table, re.M)
    assert re.search(rf'^\* {two} +\d+  elf ', table, re.M)
    assert re.search(rf'^\* {ram} +\d+  {two}  \d{{4}}-', table, re.M)
    data = json.loads(talk('ls', '--json').stdout)
    assert {each['id'] for each in data['roms']} == {one, two}
    assert [each['id'] for each in data['sessions']] == [ram]


def test_rm_removes_and_forgets(talk, rom, memory):
    put(talk, rom('count'))
    talk('post')
    assert talk('rm', 'ram').returncode == 0
    assert remembered(memory)['ram'] == '' != remembered(memory)['rom']
    done = talk('rm', 'ram')
    assert done.returncode == 125 and b'`mote post` starts one' in done.stderr
    assert talk('post').stdout == b'1'
    assert talk('rm', 'rom').returncode == 0
    assert remembered(memory)['rom'] == ''
    data = json.loads(talk('ls', '--json').stdout)
    assert data['roms'] == [] and len(data['sessions']) == 1
    done = talk('rm', 'rom', '--rom', NOBODY)
    assert done.returncode == 240
    assert done.stderr.startswith(b'mote rm: 404: ') and b'`mote ls`' in done.stderr


def test_vanished_session_is_said(talk, rom, memory):
    put(talk, rom('count'))
    talk('post')
    ram = remembered(memory)['ram']
    talk('rm', 'ram')
    done = talk('post', '--ram', ram)
    assert done.returncode == 240 and b'`mote post --new`' in done.stderr


def test_nobody_answers(call, memory, start_server):
    server = start_server()
    assert call('ls', '-s', f'127.0.0.1:{server.port}/').returncode == 0
    assert remembered(memory)['server'] == server.url
    server.stop()
    for args in (['ls'], ['put', '/dev/null'], ['post', '--rom', NOBODY],
                 ['get', 'rom', '--rom', NOBODY], ['rm', 'rom', '--rom', NOBODY]):
        done = call(*args)
        assert done.returncode == 241
        assert server.url.encode() in done.stderr and b'`mote serve`' in done.stderr
    for bad in ('ftp://127.0.0.1', 'http://a b', '/'):
        assert call('ls', '--server', bad).returncode == 125, bad


def test_server_that_dies_under_a_run(mote, talk, rom, memory, server):
    put(talk, rom('forever'))
    process = subprocess.Popen([mote, 'post'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               env={**os.environ, 'MOTE_SESSION': str(memory)})
    process.stdin.write(b'x' * 100000)
    process.stdin.flush()
    server.kill()
    _, words = process.communicate(timeout=60)
    assert process.returncode == 241 and server.url.encode() in words


def test_wrong_ids_and_options(talk):
    for args in (['post', '--rom', 'xyz'], ['post', '--rom', NOBODY, '--ram', '1'],
                 ['get', 'rom', '--rom', NOBODY + '0'], ['ls', '--rom', NOBODY], ['rm'],
                 ['post', 'a', 'b']):
        done = talk(*args)
        assert done.returncode == 125, args


def test_memory_file(call, server, tmp_path, memory):
    """Its default place; broken lines count as absent; it is its owner's."""
    home = tmp_path / 'home'
    home.mkdir()
    away = dict(MOTE_SESSION='', XDG_CONFIG_HOME='', HOME=str(home))
    assert call('ls', '-s', server.url, **away).returncode == 0
    place = home / '.config/mote/session'
    assert remembered(place)['server'] == server.url
    assert place.stat().st_mode & 0o77 == 0
    assert call('ls', '-s', server.url,
                **{**away, 'XDG_CONFIG_HOME': str(tmp_path / 'xdg')}).returncode == 0
    assert (tmp_path / 'xdg/mote/session').exists()
    memory.write_text(f'nonsense\nserver={server.url}\nrom=zzz\nram=\nother=1\n')
    assert call('ls').returncode == 0
    memory.unlink()
    memory.mkdir()
    done = call('ls')
    assert done.returncode == 124 and str(memory).encode() in done.stderr


class Liar:
    """Answers every request with the same bytes, then closes, or where `is_silent` waits."""

    def __init__(self, answer, is_silent=False):
        self.answer, self.is_silent = answer, is_silent
        self.asked, self.held = [], []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.url = 'http://127.0.0.1:%d' % self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            head = b''
            while b'\r\n\r\n' not in head and (piece := peer.recv(65536)):
                head += piece
            self.asked.append(head.split(b'\r\n')[0].decode())
            peer.sendall(self.answer)
            if self.is_silent:
                self.held.append(peer)
            else:
                peer.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def liar():
    started = []

    def liar(*args, **more):
        started.append(Liar(*args, **more))
        return started[-1]
    yield liar
    for each in started:
        each.close()


def reply(body, fields=b'', status=b'200 OK', length=None):
    return (b'HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n'
            % (status, fields, len(body) if length is None else length)) + body


def test_get_replaces_its_file_whole_or_not_at_all(call, liar, tmp_path):
    kept = tmp_path / 'kept'
    kept.write_bytes(b'precious')
    kept.chmod(0o640)
    (tmp_path / 'link').symlink_to('kept')
    broken = liar(reply(b'half', length=1000))
    for name in ('kept', 'link', 'fresh'):
        done = call('get', 'rom', '--rom', NOBODY, '-s', broken.url, '-o', name)
        assert done.returncode == 241 and b'not whole' in done.stderr
    assert kept.read_bytes() == b'precious'
    names = ['kept', 'link']
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    good = liar(reply(b'whole'))
    for name in ('kept', 'link', 'fresh'):
        assert call('get', 'rom', '--rom', NOBODY, '-s', good.url, '-o', name).returncode == 0
        assert (tmp_path / name).read_bytes() == b'whole'
        kept.write_bytes(b'precious')
    assert (tmp_path / 'link').is_symlink() and kept.stat().st_mode & 0o777 == 0o640
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / 'fresh').stat().st_mode & 0o777 == 0o666 & ~mask
    get = ['get', 'rom', '--rom', NOBODY, '-s', good.url, '-o']
    assert call(*get, '/dev/stdout').stdout == b'whole'
    done = call(*get, '/dev/full')
    assert done.returncode == 125 and b'No space left' in done.stderr


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_get_that_is_interrupted_leaves_nothing(mote, liar, memory, tmp_path, number):
    (tmp_path / 'kept').write_bytes(b'precious')
    half = liar(reply(b'half', length=1000), is_silent=True)
    get = subprocess.Popen([mote, 'get', 'rom', '--rom', NOBODY, '-s', half.url, '-o', 'kept'],
                           cwd=tmp_path, env={**os.environ, 'MOTE_SESSION': str(memory)},
                           # nohup leaves it ignored
                           preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    own = Path(f'/proc/{get.pid}/fd')
    until = time.monotonic() + 20
    while time.monotonic() < until and not any(
            os.readlink(fd).startswith(str(tmp_path)) for fd in own.iterdir()):
        time.sleep(0.01)
    assert any(os.readlink(fd).startswith(str(tmp_path)) for fd in own.iterdir())  # half is there
    get.send_signal(number)
    assert get.wait(20) == -number
    assert [path.name for path in tmp_path.iterdir()] == ['kept']
    assert (tmp_path / 'kept').read_bytes() == b'precious'


@pytest.mark.parametrize('answer', [b'[]', b'\0\xff garbage\r\n\r\n', b'SSH-2.0-Server\r\n'])
def test_what_speaks_no_http_is_said(call, liar, answer):
    done = call('ls', '-s', liar(answer).url)
    assert done.returncode == 241, done
    assert b'does not speak HTTP' in done.stderr


@pytest.mark.parametrize('args, answer, words', [
    (['post'], reply(b'out'), b'without Mcu-Halt'),
    (['rm', 'rom'], reply(b'hello'), b'204'),
    (['put', 'file'], reply(b'{}'), b'without an id'),
    (['put', '--session', '--ram', NOBODY, 'file'], reply(b''), b'without Location'),
])
def test_what_is_no_mote_server_is_said(call, liar, tmp_path, args, answer, words):
    (tmp_path / 'file').write_bytes(b'x')
    other = liar(answer)
    done = call(*args, '--rom', NOBODY, '-s', other.url)
    assert done.returncode == 125
    assert words in done.stderr and other.url.encode() in done.stderr
    assert done.stderr.endswith(b'is it a Mote server?\n')


EVIL = b'\\u001b[2J\\u009b31m\\u202e'
EVIL_FIELDS = (b'Mcu-Halt: fault\r\nMcu-Committed: no\r\nMcu-Run: ../../../../aaaaaaaaaaaaaaaa\r\n'
               b'Mcu-X: \x1b[31mred \xc2\x9b31m \x9b31m\r\nServer-Timing: \x1b[2J\r\n')


def test_a_server_cannot_steer_the_terminal(call, liar):
    steering = re.compile(rb'[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae|\x9b31')
    listed = b'[{"id":"%s","size":1,"format":"%s","created_ms":1}]' % (NOBODY.encode(), EVIL)
    refusal = reply(b'{"detail":"no %s"}' % EVIL, status=b'404 X')
    trace = b'{"detail":"%s","backtrace":[{"address":"%s","symbol":"%s","offset":1}]}' % (
        EVIL, EVIL, EVIL)
    cases = [(['ls'], reply(listed)), (['ls', '--json'], reply(listed)), (['ls'], refusal),
             (['post', '--rom', NOBODY, '--stats'], reply(trace, EVIL_FIELDS, b'502 X'))]
    for args, answer in cases:
        done = call(*args, '-s', liar(answer).url)
        assert done.stdout + done.stderr
        assert not steering.search(done.stdout + done.stderr), (args, done)
    assert b'Mcu-X: ?[31mred ?31m ?31m\n' in done.stderr and b'  at ?[2J?31m?' in done.stderr


def test_a_run_that_is_no_id_is_not_asked_for(call, liar):
    for name in (b'../../../../aaaaaaaaaaaaaaaaaaaaaaaa', b'%2e%2e/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'):
        server = liar(reply(b'OK', b'Mcu-Halt: power-down\r\nMcu-Committed: yes\r\n'
                            b'Mcu-Run: %s\r\n' % name))
        assert call('post', '--rom', NOBODY, '-s', server.url).stdout == b'OK'
        assert server.asked == [f'POST /mcu/{NOBODY} HTTP/1.1']


@pytest.mark.parametrize('answer', [b'', b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'])
@pytest.mark.parametrize('args', [['ls'], ['post', '--rom', NOBODY],
                                  ['get', 'rom', '--rom', NOBODY]])
def test_a_silent_server_is_given_up(call, liar, args, answer):
    done = call(*args, '--timeout=300ms', '-s', liar(answer, is_silent=True).url)
    assert done.returncode == 241
    assert b'nothing came for 300 ms; --timeout' in done.stderr


def test_own_cap_is_waited_for(call, liar):
    done = call('post', '--rom', NOBODY, '--max-ms=700', '--timeout=300ms',
                '-s', liar(b'', is_silent=True).url)
    assert done.returncode == 241 and b'nothing came for 1000 ms' in done.stderr


def test_input_that_is_cut_meanwhile_is_said(mote, liar, memory, tmp_path):
    """The file shrinks between the request's head, which tells its length, and its last byte."""
    path = tmp_path / 'input'
    path.write_bytes(b'x' * (64 << 20))
    server = liar(b'HTTP/1.1 100 Continue\r\n\r\n', is_silent=True)
    process = subprocess.Popen([mote, 'post', '--rom', NOBODY, '-s', server.url, path],
                               stderr=subprocess.PIPE,
                               env={**os.environ, 'MOTE_SESSION': str(memory)})
    while not server.asked:  # it sends no more than the socket holds: nobody reads it
        threading.Event().wait(0.01)
    os.truncate(path, 1000)
    while not server.held:
        threading.Event().wait(0.01)
    while server.held[0].recv(1 << 20):
        pass
    _, words = process.communicate(timeout=60)
    assert process.returncode == 124 and b'was cut while it was sent' in words
