# test_options.py - every option of `mote serve` does what its text says
# SPDX-License-Identifier: MIT
import json
import os
import re
import select
import signal
import socket
import time

import pytest

from place import ROOT
from test_queue import children_of, is_running, start_post, wait_until

NAMES = re.findall(r'^OPTION\(\w+, +\w+, +"([a-z-]+)"',
                   (ROOT / 'src/service/option.def').read_text(), re.M)
QUIET_SECONDS = 0.5  # for which nothing must come; what does come is awaited without a bound


def connect(server):
    return socket.create_connection(('127.0.0.1', server.port), timeout=30)


def say(link, path='/healthz', *fields):
    link.sendall('\r\n'.join([f'GET {path} HTTP/1.1', 'Host: localhost', *fields, '', '']).encode())


def hear(link):
    """The status of the next reply."""
    answer = b''
    while b'\r\n\r\n' not in answer:
        piece = link.recv(65536)
        assert piece, 'closed without an answer'
        answer += piece
    return int(answer[9:12])


def is_silent(link):
    return not select.select([link], [], [], QUIET_SECONDS)[0]


def test_every_option_is_tested():
    tests = ''.join(path.read_text() for path in (ROOT / 'tests/http').glob('test_*.py'))
    assert len(NAMES) > 20
    assert [name for name in NAMES if f"'--{name}'" not in tests] == []


@pytest.mark.parametrize('option, value, good, bad, status', [
    ('--header-bytes', '512', ['/', 'X: ' + 'a' * 400], ['/', 'X: ' + 'a' * 600], 431),
    ('--header-fields', '3', ['/', 'A: b', 'A: b'], ['/', 'A: b', 'A: b', 'A: b'], 431),
    ('--target-bytes', '64', ['/?' + 'a' * 62], ['/?' + 'a' * 63], 414),
])
def test_limits_of_a_head(start_server, option, value, good, bad, status):
    server = start_server(option, value)
    for head, expected in (good, 200), (bad, status):
        with connect(server) as link:
            say(link, *head)
            assert hear(link) == expected


def test_allowed_hosts(start_server, client_of):
    client = client_of(start_server('--allow-host', 'mote.example,other.example'))
    for host in 'mote.example', 'OTHER.example:8080', 'localhost':
        assert client('GET', '/', Host=host).status == 200
    assert client('GET', '/', Host='evil.example').status == 421


def test_idle_connections_are_closed(start_server):
    with connect(start_server('--idle-ms', '50')) as link:
        assert link.recv(1) == b''


def test_connections_beyond_their_limit_wait(start_server):
    server = start_server('--connections', '1')
    first = connect(server)
    first.sendall(b'GET /heal')
    with connect(server) as second:
        say(second)
        assert is_silent(second)
        first.close()
        assert hear(second) == 200


def test_idle_connections_make_place(start_server):
    server = start_server('--connections', '4', '--idle-ms', '1h')
    links = [connect(server) for _ in range(4)]
    for link in links:
        say(link)
        assert hear(link) == 200
    with connect(server) as newcomer:
        say(newcomer)
        assert hear(newcomer) == 200
    assert links[0].recv(1) == b''
    for link in links[1:]:
        say(link)
        assert hear(link) == 200


def test_body_memory(start_server, client_of):
    server = start_server('--body-memory', '32MiB')
    with connect(server) as link:
        link.sendall(b'PUT /mcu HTTP/1.1\r\nHost: localhost\r\nContent-Length: 33554432\r\n\r\n')
        link.sendall(bytes(20 << 20))
        reply = client_of(server)('PUT', '/mcu', iter([bytes(1 << 20)] * 20))
        document = json.loads(reply.body)
        assert reply.status == 503 and document['type'].endswith(':body-memory')
        assert '33554432' in document['detail'] and reply['Retry-After']
    wait_until(lambda: client_of(server)('PUT', '/mcu', bytes(20 << 20)).status == 201)


def test_roms_have_a_limit(start_server, client_of, firmware):
    client = client_of(start_server('--roms', '1'))
    path = '/mcu/' + client.put(firmware('echo'))
    reply = client('PUT', '/mcu', firmware('count').read_bytes())
    assert reply.status == 429 and re.search(r'\b1\b', json.loads(reply.body)['detail'])
    assert client('PUT', path, firmware('count').read_bytes()).status == 200
    assert client('DELETE', path).status == 204
    client.put(firmware('echo'))


def test_sessions_have_a_limit(start_server, client_of, firmware):
    client = client_of(start_server('--sessions', '1'))
    path = '/mcu/' + client.put(firmware('count'))
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    reply = client('POST', path)
    assert reply.status == 429 and re.search(r'\b1\b', json.loads(reply.body)['detail'])
    assert reply['Mcu-Committed'] == 'no' and reply['Mcu-Ram'] is None
    assert client('POST', session).body == b'2'


@pytest.mark.parametrize('options, kept', [
    ([], [True, True]), (['--consoles', '1'], [False, True]), (['--consoles', '0'], [False, False]),
    (['--console-ms', '0'], [False, False]),
])
def test_console_logs_are_kept_so_long(start_server, client_of, firmware, options, kept):
    client = client_of(start_server(*options))
    path = '/mcu/' + client.put(firmware('console'))
    runs = [client('POST', path)['Mcu-Run'] for _ in kept]
    logs = [client('GET', f'/runs/{run}/console') for run in runs]
    assert [log.status == 200 for log in logs] == kept
    assert all(log.body == b'hello\n' for log in logs if log.status == 200)


@pytest.mark.parametrize('kill_after, status', [('10', b'503'), ('60000', b'504')])
def test_a_run_that_overstays_is_killed(start_server, client_of, firmware, kill_after, status):
    server = start_server('--kill-after-ms', kill_after)
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('forever'))
    link = start_post(server, path, b'', 'Mcu-Max-Ms: 200\r\n')
    wait_until(lambda: is_running(server))
    child = children_of(server)[-1]
    os.kill(child, signal.SIGSTOP)  # it cannot look at its own clock any more
    if status == b'504':
        assert is_silent(link)
        time.sleep(QUIET_SECONDS)
        os.kill(child, signal.SIGCONT)
    link.settimeout(30)
    assert link.recv(65536).startswith(b'HTTP/1.1 ' + status)
    link.close()


def test_workers(start_server, client_of, firmware):
    server = start_server('--workers', '2', '--max-ms', '60s', '--max-cycles', '1000000000000')
    path = '/mcu/' + client_of(server).put(firmware('forever'))
    links = [start_post(server, path, b'') for _ in range(3)]
    wait_until(lambda: len(children_of(server)) == 3)  # the zygote and two
    time.sleep(QUIET_SECONDS)
    assert len(children_of(server)) == 3
    for link in links:
        link.close()


def test_threads_of_the_store(start_server):
    few, many = (len(os.listdir(f'/proc/{server.process.pid}/task')) for server in
                 (start_server('--store-threads', '1'), start_server('--store-threads', '7')))
    assert many - few == 6
