# test_server.py - the server as a process: options, graceful stop, its death, its log
# SPDX-License-Identifier: MIT
import ctypes
import json
import os
from pathlib import Path
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import time
from types import SimpleNamespace
import uuid

import pytest

from overlap import overlapping_elf
from test_queue import children_of, is_running, start_post, wait_until


def serve(mote, *options):
    """A server that is to end by itself."""
    return subprocess.run([mote, 'serve', *options], capture_output=True, text=True, timeout=5)


def test_refuses_to_bind_beyond_loopback(mote, tmp_path):
    run = serve(mote, '--listen', '0.0.0.0:0', '--store', tmp_path / 's')
    assert run.returncode == 125
    assert '--listen-beyond-loopback-without-tokens' in run.stderr
    assert not (tmp_path / 's').exists()


@pytest.mark.parametrize('address, words', [
    ('127.0.0.1:99999', '`99999` is no whole number from 0 to 65535'),
    ('127.0.0.1:65536', '`65536` is no whole number from 0 to 65535'),
    ('127.0.0.1:+18203', '`+18203`'),
    ('127.0.0.1: 18203', '` 18203`'),
    ('127.0.0.1:-1', '`-1`'),
    ('::1:18777', '[::1]:18777'),
    ('127.0.0.1', 'HOST:PORT'),
])
def test_a_bad_address_is_named_and_leaves_nothing_behind(mote, tmp_path, address, words):
    run = serve(mote, '--listen', address, '--store', tmp_path / 's')
    assert run.returncode == 125
    assert address in run.stderr and words in run.stderr
    assert not (tmp_path / 's').exists()


def test_refuses_a_store_that_another_server_has(mote, server):
    run = serve(mote, '--listen', '127.0.0.1:0', '--store', server.store)
    assert run.returncode == 125
    assert f'{server.store} is in use by another server' in run.stderr
    assert '--store' in run.stderr


def test_refuses_a_port_that_another_server_has(mote, server, tmp_path):
    run = serve(mote, '--listen', f'127.0.0.1:{server.port}', '--store', tmp_path / 's')
    assert run.returncode == 125
    assert f'127.0.0.1:{server.port}' in run.stderr and 'in use' in run.stderr
    assert '--listen' in run.stderr


def exchange(host, port, text):
    with socket.create_connection((host, port), timeout=30) as link:
        link.sendall(text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n').encode())
        return b''.join(iter(lambda: link.recv(65536), b''))


@pytest.fixture
def ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(('::1', 0))
    except OSError as error:
        pytest.skip(f'this machine has no [::1]: {error}')


def test_listens_on_ipv6(start_server, ipv6):
    server = start_server(listen='[::1]:0')
    assert f'http://[::1]:{server.port}\n' in server.log
    answer = exchange('::1', server.port, 'GET /roms HTTP/1.1\r\nHost: [::1]\r\n\r\n')
    assert answer.startswith(b'HTTP/1.1 200 ')
    wait_until(lambda: 'peer=[::1]:' in server.log)


def test_a_mapped_loopback_address_is_local(start_server, ipv6):
    server = start_server('--listen-beyond-loopback-without-tokens', listen='[::]:0')
    for host in '127.0.0.1', '::1':
        for path in '/roms', '/sessions':
            answer = exchange(host, server.port, f'GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n')
            assert answer.startswith(b'HTTP/1.1 200 '), (host, path)


def test_help_names_every_option(mote):
    run = subprocess.run([mote, 'serve', '--help'], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0
    for name in '--listen', '--store', '--max-cycles', '--queue', '--drain-ms', '--config':
        assert name in run.stdout
    assert 'Exit status: ' in run.stdout and run.stdout.endswith('.\n')


def test_bad_options_are_refused(mote):
    for wrong in ['--fish'], ['--max-ms', '0'], ['--queue', 'many'], ['extra']:
        run = subprocess.run([mote, 'serve', *wrong], capture_output=True, text=True, timeout=30)
        assert run.returncode == 125 and run.stderr


def test_options_from_file_and_environment(start_server, client_of, firmware, tmp_path):
    config = tmp_path / 'mote.conf'
    config.write_text('# caps\nmax-cycles = 5000\nmax-ms = 5s\n')
    environment = dict(os.environ, MOTE_MAX_CYCLES='4000')

    def cap(*options, **more):
        client = client_of(start_server(*options, **more))
        return client('POST', '/mcu/' + client.put(firmware('forever')))['Mcu-Cycles']

    assert cap('--config', str(config)) == '5000'
    assert cap('--config', str(config), environment=environment) == '4000'
    assert cap('--max-cycles', '3000', environment=environment) == '3000'


@pytest.mark.parametrize('text, words', [
    (b'max-ms\n', ['mote.conf:1:', '`max-ms` is not `name = value`']),
    (b'\n# x\nmax-mss = 5\n', ['mote.conf:3:', '`max-mss`']),
    (b'config = x\n', ['mote.conf:1:', '`config`']),
    (b'max-ms = 5s = 6\n', ['5s = 6']),
    (b'# ' + b'x' * 5000 + b'\nmax-ms = 5s\n', ['mote.conf:1:', '4096 bytes']),
    (b'max-ms = ' + b' ' * 4087 + b'5s', ['mote.conf:1:', '4096 bytes']),
    (b'max-ms = 5s\0\n', ['mote.conf:1:', 'byte 12', 'NUL']),
    (b'# x\nmax-ms = 5s\0ms', ['mote.conf:2:', 'byte 12', 'NUL']),
    (None, ['mote.conf', 'directory']),
], ids=['no value', 'no option', 'itself', 'two values', 'long comment', 'long value', 'NUL',
        'NUL at the end', 'folder'])
def test_a_bad_configuration_is_named(mote, tmp_path, text, words):
    config = tmp_path / 'mote.conf'
    if text is None:
        config.mkdir()
    else:
        config.write_bytes(text)
    run = serve(mote, '--config', config, '--listen', '127.0.0.1:0', '--store', tmp_path / 's')
    assert run.returncode == 125
    assert all(word in run.stderr for word in words), run.stderr
    missing = serve(mote, '--config', tmp_path / 'none')
    assert missing.returncode == 125 and 'No such file' in missing.stderr


def test_a_configuration_may_end_without_a_line_end(start_server, client_of, firmware, tmp_path):
    config = tmp_path / 'mote.conf'
    config.write_bytes(b'  max-ms=5s\r\n\tmax-cycles  =  5000')
    client = client_of(start_server('--config', config))
    assert client('POST', '/mcu/' + client.put(firmware('forever')))['Mcu-Cycles'] == '5000'


def test_a_graceful_stop_commits_what_runs(start_server, client_of, firmware):
    server = start_server()
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('spin'))
    session = f'{path}/{client("POST", path, b"0")["Mcu-Ram"]}'
    wait_until(lambda: not is_running(server))  # the process of the run before may still be ending
    link = start_post(server, session, b'50000')
    wait_until(lambda: is_running(server))
    assert server.stop() == 0
    assert b'Mcu-Committed: yes' in link.recv(65536)
    link.close()
    again = client_of(start_server(store=server.store))
    assert again('POST', session, b'0').body == b'3'


def test_the_drain_has_a_bound(start_server, client_of, firmware):
    # The run itself would go on for a minute, and then commit.
    server = start_server('--drain-ms', '100', '--max-ms', '60s', '--max-cycles', '1e15')
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('forever'))
    link = start_post(server, path, b'')
    wait_until(lambda: is_running(server))
    assert server.stop() == 0
    assert 'the drain bound has passed' in server.log
    assert link.recv(65536) == b''
    link.close()
    again = client_of(start_server(store=server.store))
    assert again('GET', '/sessions').body.strip() == b'[]'


def test_nothing_is_left_of_a_killed_server(start_server, client_of, firmware):
    server = start_server()
    client = client_of(server)
    link = start_post(server, '/mcu/' + client.put(firmware('forever')), b'')
    wait_until(lambda: is_running(server))
    family = children_of(server)
    server.kill()

    def is_gone(pid):
        try:
            with open(f'/proc/{pid}/stat') as file:
                return file.read().rsplit(')', 1)[1].split()[0] == 'Z'
        except FileNotFoundError:
            return True
    wait_until(lambda: all(is_gone(pid) for pid in family))
    link.close()
    start_server(store=server.store)


def refuse_seccomp():
    """Has prctl(PR_SET_SECCOMP) fail with EPERM in this process and its children."""
    load, equals, give = 0x20, 0x15, 0x06
    prctl, set_seccomp = {'x86_64': 157, 'aarch64': 167}[os.uname().machine], 22
    rows = [(load, 0, 0, 0), (equals, 0, 3, prctl), (load, 0, 0, 16),
            (equals, 0, 1, set_seccomp), (give, 0, 0, 0x50001), (give, 0, 0, 0x7fff0000)]
    text = b''.join(struct.pack('=HBBI', *row) for row in rows)
    code = ctypes.create_string_buffer(text, len(text))
    program = ctypes.create_string_buffer(struct.pack('@HP', len(rows), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(set_seccomp, 2, program, 0, 0) == 0


def test_without_walls_the_server_does_not_start(mote, tmp_path):
    if b'__asan_init' in mote.read_bytes():
        pytest.skip('under a sanitizer the list of system calls is off')
    run = subprocess.run([mote, 'serve', '--listen', '127.0.0.1:0', '--store', tmp_path / 's'],
                         capture_output=True, text=True, timeout=30, preexec_fn=refuse_seccomp)
    assert run.returncode == 125
    assert 'refuses the walls round a run' in run.stderr and 'seccomp' in run.stderr
    assert not (tmp_path / 's').exists()


def test_a_dead_zygote_is_replaced(server, client, rom):
    forever, count = rom('forever'), rom('count')
    session = f'{count}/{client("POST", count)["Mcu-Ram"]}'
    for life in range(1, 4):
        wait_until(lambda: not is_running(server))  # of the POST before
        link = start_post(server, forever, b'', 'Mcu-Max-Ms: 60000\r\n')
        wait_until(lambda: is_running(server))
        zygote = children_of(server)[0]
        os.kill(zygote, signal.SIGKILL)
        assert link.recv(65536).startswith(b'HTTP/1.1 503')
        wait_until(lambda: server.log.count('has died') == life)
        again = client('POST', session)
        assert (again.status, again.body) == (200, str(life + 1).encode())
        wait_until(lambda: zygote not in children_of(server))
        link.close()
    assert server.stop() == 0


def start_of_code(pid):
    """The address of the program in a process, wherever a sanitizer's own memory lies."""
    maps = Path(f'/proc/{pid}/maps').read_text().splitlines()
    return next(line for line in maps if line.endswith('/mote')).split('-')[0]


@pytest.mark.parametrize('is_first', [True, False])
def test_a_zygote_sees_nothing_of_the_server_and_dies_with_it(server, client, rom, mote,
                                                              is_first):
    if not is_first:
        before = children_of(server)[0]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: 'has died' in server.log)
        wait_until(lambda: before not in children_of(server))
    wait_until(lambda: client('POST', rom('count')).status == 200)
    zygote = children_of(server)[0]
    folder = Path(f'/proc/{zygote}')
    targets = [os.readlink(entry) for entry in (folder / 'fd').iterdir()]
    assert all(t.startswith('socket:') or t == 'anon_inode:[signalfd]' for t in targets)
    assert len(targets) == 2
    is_sanitized = b'__asan_init' in mote.read_bytes()  # whose options are in the environment
    assert is_sanitized or (folder / 'environ').read_bytes() == b''
    assert start_of_code(zygote) != start_of_code(server.process.pid)
    server.kill()
    wait_until(lambda: not folder.exists() or
               (folder / 'stat').read_text().rsplit(')', 1)[1].split()[0] == 'Z')


def test_the_log_shortens_ids(server, client, rom):
    path = rom('echo')
    ram = client('POST', path + '?secret', b'x')['Mcu-Ram']
    rom_id = path.removeprefix('/mcu/')
    wait_until(lambda: 'halt=power-down' in server.log)
    assert rom_id[:8] in server.log and rom_id not in server.log
    assert ram[:8] in server.log and ram not in server.log
    assert 'secret' not in server.log


def test_a_log_that_nobody_reads_stops_nothing(mote, tmp_path):
    taken = socket.create_server(('127.0.0.1', 0))
    port = taken.getsockname()[1]
    taken.close()
    ours, theirs = os.pipe()
    server = subprocess.Popen([mote, 'serve', '--listen', f'127.0.0.1:{port}', '--store',
                               tmp_path / 'store'], stderr=theirs)
    os.close(theirs)
    try:
        log = b''
        while b'listening' not in log:
            log += os.read(ours, 65536)
        link = socket.create_connection(('127.0.0.1', port))
        link.settimeout(20)
        for _ in range(1500):  # some 100 bytes of log each: a pipe holds 64 KiB
            link.sendall(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
            assert link.recv(4096).startswith(b'HTTP/1.1 200')
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            while True:
                log += os.read(ours, 65536)
        link.sendall(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
        assert link.recv(4096).startswith(b'HTTP/1.1 200')
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        said = os.read(ours, 65536)
        # The first line behind the gap may have come while the pipe was being emptied.
        log += said
        told = re.findall(rb'^mote: (\d+) lines of this log were dropped', log, re.M)
        dropped = sum(int(n) for n in told)
        assert dropped > 100 and b'stopping' in said
        assert dropped + log.count(b'/healthz') == 1501
        link.close()
    finally:
        server.kill()
        server.wait()
        os.close(ours)


def test_the_log_shortens_an_id_wherever_it_stands(server, client):
    names = [str(uuid.uuid4()) for _ in range(3)]
    client('GET', '/' + names[0])
    client('GET', '/mcu/' + names[1])
    client('GET', f'/a/b/c/{names[2]}/')
    wait_until(lambda: server.log.count(' status=') == 3)
    for name in names:
        assert name[:8] in server.log and name[:10] not in server.log


def test_the_log_names_no_session_that_was_not_made(server, client, rom):
    assert client('POST', rom('write_then_fault')).status == 502
    wait_until(lambda: 'halt=fault' in server.log)
    line = next(line for line in server.log.splitlines() if 'halt=fault' in line)
    assert 'committed=no' in line and ' rom=' in line and ' ram=' not in line


def test_keep_alive_and_pipelining(server, client, rom):
    path = rom('echo')
    link = socket.create_connection(('127.0.0.1', server.port))
    one = f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n'
    link.sendall((one + 'one' + one + 'two').encode())
    link.settimeout(30)
    data = b''
    while data.count(b'HTTP/1.1 200') < 2 or not data.endswith(b'two'):
        piece = link.recv(65536)
        assert piece
        data += piece
    assert data.index(b'one') < data.index(b'two')
    link.close()


def test_node_is_a_client_too(server, client, rom, tmp_path):
    script = tmp_path / 'client.js'
    script.write_text('''
const http = require('http');
const request = http.request({port: +process.argv[2], host: '127.0.0.1', method: 'POST',
  path: process.argv[3]}, reply => {
  let text = '';
  reply.on('data', d => text += d);
  reply.on('end', () => console.log(reply.statusCode, reply.headers['mcu-halt'], text));
});
request.write('from '); request.end('node');
''')
    run = subprocess.run(['node', script, str(server.port), rom('echo')], capture_output=True,
                         text=True, timeout=60)
    assert run.stdout == '200 power-down from node\n', run.stderr


def test_curl_and_its_cookie_jar(server, firmware, tmp_path):
    curl = ['curl', '-sS', '-b', tmp_path / 'jar', '-c', tmp_path / 'jar']
    subprocess.run([*curl, '-T', firmware('count'), server.url + '/mcu'], check=True,
                   capture_output=True)
    said = [subprocess.run([*curl, '-X', 'POST', server.url + '/mcu'], check=True,
                           capture_output=True).stdout for _ in range(3)]
    assert said == [b'1', b'2', b'3']


@pytest.mark.parametrize('closed', ['2>&-', '<&- 2>&-', '<&- >&- 2>&-'])
def test_closed_standard_files_are_nobody_elses(mote, tmp_path, closed, client_of, firmware):
    taken = socket.create_server(('127.0.0.1', 0))
    port = taken.getsockname()[1]
    taken.close()
    server = subprocess.Popen(['sh', '-c', f'exec "$@" {closed}', 'sh', mote, 'serve', '--listen',
                               f'127.0.0.1:{port}', '--store', tmp_path / 'store'])

    def is_up():
        assert server.poll() is None, 'the server has ended'
        with socket.socket() as link:
            return link.connect_ex(('127.0.0.1', port)) == 0
    try:
        wait_until(is_up)
        client = client_of(SimpleNamespace(port=port))
        path = '/mcu/' + client.put(firmware('count'))
        assert [client('POST', path).status for _ in range(3)] == [200] * 3
        for fd in 0, 1, 2:
            if f'{fd}>&-' in closed or (fd == 0 and '<' in closed) or (fd == 1 and ' >' in closed):
                assert os.readlink(f'/proc/{server.pid}/fd/{fd}') == '/dev/null'
        assert server.poll() is None
    finally:
        server.kill()
        server.wait()


def limited(start_server, kind, limit, *options):
    """A server that starts under a soft limit of ours."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, before[1]))
    try:
        return start_server(*options)
    finally:
        resource.setrlimit(kind, before)


def test_files_beyond_a_size_limit_are_507(start_server, client_of):
    server = limited(start_server, resource.RLIMIT_FSIZE, 1000)
    reply = client_of(server)('PUT', '/mcu', bytes(4000))
    assert reply.status == 507 and '(ulimit -f) is 1000 ' in json.loads(reply.body)['detail']
    assert server.stop() == 0


def test_the_limit_of_open_files_is_raised(start_server):
    server = limited(start_server, resource.RLIMIT_NOFILE, 64, '--connections', '200')
    with open(f'/proc/{server.process.pid}/limits') as file:
        limit = int(re.search(r'Max open files\s+(\d+)', file.read())[1])
    assert limit > 400 and 'ulimit' not in server.log


def test_too_many_open_files_are_told(mote, tmp_path, client_of, firmware):
    log = open(tmp_path / 'log', 'w+b')
    server = subprocess.Popen(
        ['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh', mote, 'serve', '--listen', '127.0.0.1:0',
         '--store', tmp_path / 'store'], stderr=log)
    links = []
    try:
        wait_until(lambda: b'listening' in (tmp_path / 'log').read_bytes())
        text = (tmp_path / 'log').read_text()
        assert re.search(r'need 5\d\d\d open files, this system allows 40 ', text)
        port = int(re.search(r'127\.0\.0\.1:(\d+)', text)[1])
        path = '/mcu/' + client_of(SimpleNamespace(port=port)).put(firmware('count'))
        first = socket.create_connection(('127.0.0.1', port))
        links = [socket.create_connection(('127.0.0.1', port)) for _ in range(40)]
        folder = f'/proc/{server.pid}/fd'
        wait_until(lambda: len(os.listdir(folder)) == 40)
        for method in 'GET', 'POST':
            first.sendall(f'{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
            reply = first.recv(65536)
            assert reply.startswith(b'HTTP/1.1 503')
            assert b'too many open files' in reply and b'is 40' in reply
        first.close()
    finally:
        for link in links:
            link.close()
        server.kill()
        server.wait()
        log.close()


@pytest.fixture
def disk(tmp_path):
    """A disk under a server of `disk.environment`: no sync ends while the file `disk.hangs` is
    there."""
    hangs = tmp_path / 'hangs'
    source, library = tmp_path / 'disk.c', tmp_path / 'disk.so'
    source.write_text(f'''
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <unistd.h>
        int fsync(int fd)
        {{
            while (access("{hangs}", F_OK) == 0) usleep(1000);
            return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
        }}''')
    subprocess.run(['cc', '-shared', '-fPIC', '-o', library, source, '-ldl'], check=True)
    options = os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
    environment = dict(os.environ, LD_PRELOAD=str(library), ASAN_OPTIONS=options)
    return SimpleNamespace(hangs=hangs, environment=environment)


def start_put(server, image):
    """Sends a ROM and leaves the reply unread, once its bytes are in the store's hands."""
    link = socket.create_connection(('127.0.0.1', server.port))
    link.sendall(b'PUT /mcu HTTP/1.1\r\nHost: localhost\r\n'
                 b'Content-Length: %d\r\n\r\n' % len(image) + image)
    wait_until(lambda: list((server.store / 'blob').iterdir()))
    return link


@pytest.mark.parametrize('is_bound', [True, False], ids=['drain-ms', 'second-signal'])
def test_a_disk_that_hangs_does_not_keep_the_server(start_server, client_of, firmware, disk,
                                                    is_bound):
    server = start_server('--drain-ms', '100' if is_bound else '1h', environment=disk.environment)
    disk.hangs.touch()
    link = start_put(server, firmware('echo').read_bytes())
    if not is_bound:
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: 'stopping' in server.log)
    assert server.stop() != 0  # with something left undone it is no graceful end
    assert 'has not ended' in server.log
    assert link.recv(65536) == b''
    link.close()
    again = client_of(start_server(store=server.store))
    assert again('GET', '/roms').body.strip() == b'[]'


def test_a_list_does_not_stop_the_loop(start_server, client_of, firmware, disk):
    """It is made by the store's threads: where the only one is busy the list waits, nobody else."""
    server = start_server('--store-threads', '1', environment=disk.environment)
    client = client_of(server)
    disk.hangs.touch()
    link = start_put(server, firmware('echo').read_bytes())
    with socket.create_connection(('127.0.0.1', server.port), timeout=60) as list_link:
        list_link.sendall(b'GET /roms HTTP/1.1\r\nHost: localhost\r\n\r\n')
        assert client('GET', '/healthz').status == 200
        assert not select.select([list_link], [], [], 0.5)[0]
        disk.hangs.unlink()
        assert list_link.recv(12) == b'HTTP/1.1 200'
    assert link.recv(12) == b'HTTP/1.1 201'
    link.close()


def test_a_stop_waits_for_work_whose_client_has_gone(start_server, client_of, firmware, disk):
    server = start_server('--drain-ms', '1h', environment=disk.environment)
    disk.hangs.touch()
    start_put(server, firmware('echo').read_bytes()).close()
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: 'stopping' in server.log)
    time.sleep(3)  # longer than STOP_GRACE_MS, which is for what is over its bound
    disk.hangs.unlink()
    wait_until(lambda: server.process.poll() is not None)
    assert server.process.returncode == 0
    again = client_of(start_server(store=server.store))
    assert len(json.loads(again('GET', '/roms').body)) == 1


def test_an_image_of_overlapping_names_stops_nothing(server, client):
    """Such an image once kept a thread of the store for minutes."""
    image = overlapping_elf(8 << 20)
    for _ in range(8):
        assert client('PUT', '/mcu', image).status == 201
    assert server.stop() == 0
