# test_storm.py - many requests on few sessions over pipelined connections: none ends the server
# SPDX-License-Identifier: MIT
import json
import random
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_queue import is_running, start_post, wait_until

SEEDS = range(1, 4)
CONNECTIONS = 4
REQUESTS = 60  # of each connection


def text_of(method, path, body=b'', extra=''):
    return (f'{method} {path} HTTP/1.1\r\nHost: localhost\r\n{extra}'
            f'Content-Length: {len(body)}\r\n\r\n').encode() + body


def statuses(port, requests):
    """Sends all requests at once on one connection; the statuses of the replies that came."""
    with socket.create_connection(('127.0.0.1', port)) as link:
        link.settimeout(30)
        link.sendall(b''.join(requests))
        found, tail = [], b''
        while len(found) < len(requests):
            piece = link.recv(1 << 20)
            assert piece, f'the server closed after {found}, {tail!r}'
            found += re.findall(rb'HTTP/1\.1 (\d\d\d)', tail + piece)
            tail = (tail + piece)[-11:]  # a byte less than a match, so that none is found twice
    return [int(n) for n in found]


@pytest.fixture
def busy(start_server, client_of, firmware):
    """busy(...) is a server with one worker, which is taken, and the path of an idle session."""
    links = []

    def start(*options):
        server = start_server('--workers', '1', *options)
        client = client_of(server)
        path = '/mcu/' + client.put(firmware('count'))
        session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
        forever = '/mcu/' + client.put(firmware('forever'))
        links.append(start_post(server, forever, b'', 'Mcu-Max-Ms: 60000\r\n'))
        wait_until(lambda: is_running(server))
        return server, client, session
    yield start
    for link in links:
        link.close()


def test_a_session_is_removed_posted_and_removed_in_one_go(server, client, rom):
    path = rom('count')
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    remove, post = text_of('DELETE', session), text_of('POST', session, b'1')
    assert statuses(server.port, [remove, post, remove]) == [204, 404, 404]
    assert client('GET', '/healthz').status == 200


def test_a_rom_is_removed_before_its_run_in_one_go(server, client, rom):
    path = rom('count')
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    post, remove = text_of('POST', session), text_of('DELETE', session)
    got = statuses(server.port, [post, text_of('DELETE', path), post, remove, remove])
    assert got == [200, 204, 404, 204, 404]
    assert client('GET', '/healthz').status == 200


def test_a_wait_that_ends_lets_the_removal_behind_it_run(busy):
    server, client, session = busy('--queue-ms', '300')
    got = statuses(server.port, [text_of('POST', session), text_of('DELETE', session)])
    assert got == [429, 204]
    assert client('GET', '/healthz').status == 200


def test_a_place_that_is_refused_lets_the_removal_behind_it_run(busy):
    server, client, session = busy('--waiting', '1')
    path = session.rsplit('/', 1)[0]
    waiting = start_post(server, path, b'')
    wait_until(lambda: client('POST', session, timeout=60).status == 503)
    got = statuses(server.port, [text_of('POST', session), text_of('DELETE', session)])
    assert got == [503, 204]
    waiting.close()


def test_removals_of_two_connections_meet_a_run_that_waits(busy):
    server, client, session = busy()
    first = socket.create_connection(('127.0.0.1', server.port))
    first.sendall(text_of('POST', session) + text_of('DELETE', session))
    time.sleep(0.2)  # lets the first come in first; the outcome is the same if it does not
    assert client('DELETE', session).status in (204, 404)
    first.close()
    assert client('GET', '/healthz').status == 200


def storm(port, roms, sessions, seed):
    """A connection's worth of requests by chance, sent in bursts; how many were answered."""
    chance = random.Random(seed)
    answered = 0
    while answered < REQUESTS:
        burst = []
        for _ in range(chance.randint(1, 6)):
            rom, ram = chance.choice(roms), chance.choice(sessions)
            method = chance.choice(['POST', 'POST', 'POST', 'PUT', 'DELETE', 'DELETE', 'GET'])
            is_rom = chance.random() < 0.1 and method != 'PUT'
            path = f'/mcu/{rom}' if is_rom else f'/mcu/{rom}/{ram}'
            burst.append(text_of(method, path, b'\1' if method == 'PUT' else b''))
        answered += len(statuses(port, burst))
    return answered


@pytest.mark.parametrize('workers', ['1', '2'])
@pytest.mark.parametrize('seed', SEEDS)
def test_a_storm_on_few_sessions(start_server, client_of, firmware, workers, seed):
    server = start_server('--workers', workers, '--queue', '2', '--waiting', '2',
                          '--queue-ms', '50')
    client = client_of(server)
    image = firmware('count').read_bytes()
    roms = [json.loads(client('PUT', '/mcu', image).body)['id'] for _ in range(3)]
    sessions = ['%08x-0000-4000-8000-000000000000' % n for n in range(3)]
    with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
        links = [pool.submit(storm, server.port, roms, sessions, seed * 100 + n)
                 for n in range(CONNECTIONS)]
        while not all(link.done() for link in links):
            client('PUT', f'/mcu/{roms[0]}', image)  # or the storm would soon have no ROMs
            client('PUT', f'/mcu/{roms[1]}', image)
        assert all(link.result() >= REQUESTS for link in links)
    assert server.process.poll() is None and 'must hold' not in server.log
    assert server.stop() == 0
