# test_memory.py - what runs leave in memory is bounded: replies that nobody reads, late commits
# SPDX-License-Identifier: MIT
import json
import os
import random
import re
import socket
import time
import uuid
from pathlib import Path

import pytest

from test_queue import start_post, wait_until

BUDGET = 2 * 33554432 + 1000000  # two replies of a full OUT
CLIENTS = 8


def memory_files(server, name):
    """How many memory files of that name the server holds."""
    count = 0
    folder = Path(f'/proc/{server.process.pid}/fd')
    for entry in os.listdir(folder):
        try:
            count += f'memfd:{name} ' in os.readlink(folder / entry)
        except FileNotFoundError:
            pass
    return count


def slow_client(server, path, method='POST'):
    """Asks and takes in little of the reply: what its system keeps for it."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(('127.0.0.1', server.port))
    link.sendall(f'{method} {path} HTTP/1.1\r\nHost: localhost\r\n'
                 'Content-Length: 0\r\n\r\n'.encode())
    link.settimeout(60)
    return link


def test_replies_that_nobody_reads_count(start_server, client_of, firmware):
    server = start_server('--body-memory', str(BUDGET))
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('fill_out'))
    links = [slow_client(server, path) for _ in range(CLIENTS)]
    starts = [link.recv(12) for link in links]
    assert sorted(starts) == [b'HTTP/1.1 200'] * 2 + [b'HTTP/1.1 503'] * (CLIENTS - 2)
    wait_until(lambda: memory_files(server, 'out') == 2)
    refused = client('POST', path)
    assert refused.status == 503 and refused['Mcu-Committed'] == 'no' and refused['Retry-After']
    assert 'body-memory' in json.loads(refused.body)['detail']
    fault = '/mcu/' + client.put(firmware('fill_out_then_fault'))
    assert client('POST', fault, Accept='application/octet-stream').status == 503
    assert client('GET', '/healthz').status == 200
    for link in links:
        link.close()
    wait_until(lambda: memory_files(server, 'out') == 0)
    assert client('POST', path).status == 200


def test_a_trickle_does_not_keep_a_reply(start_server, client_of, firmware):
    server = start_server('--idle-ms', '300', '--download-rate', '1000000')
    path = '/mcu/' + client_of(server).put(firmware('fill_out'))
    link = slow_client(server, path)

    def is_given_up():
        link.recv(1)
        time.sleep(0.05)
        return memory_files(server, 'out') == 0
    assert link.recv(12) == b'HTTP/1.1 200'
    wait_until(is_given_up)
    link.close()


def test_large_commits_wait_for_each_other(start_server, client_of, firmware):
    """With room for none of their pages, no more of them are kept than there are workers."""
    server = start_server('--workers', '2', '--store-threads', '1', '--body-memory', '33554432')
    path = '/mcu/' + client_of(server).put(firmware('dirty'))
    links = [start_post(server, path, b'') for _ in range(CLIENTS)]
    most = 0
    for link in links:
        link.setblocking(False)
    waiting = set(links)
    while waiting:
        most = max(most, memory_files(server, 'delta'))
        for link in list(waiting):
            try:
                assert link.recv(12) == b'HTTP/1.1 200'
                waiting.remove(link)
            except BlockingIOError:
                pass
        time.sleep(0.002)
    assert 1 <= most <= 2
    for link in links:
        link.close()


@pytest.mark.parametrize('used', [0, 20_000_000])
def test_a_body_counts_until_its_run_is_over(start_server, client_of, firmware, used):
    """Body and reply of one run need no room at the same time."""
    server = start_server('--body-memory', '33554432')
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('fill_out'))
    assert client('POST', path, bytes(used)).status == 200


def deleted_files(server):
    """Descriptors of the server for files of its store that have no name any more."""
    folder = Path(f'/proc/{server.process.pid}/fd')
    links = [os.readlink(entry) for entry in folder.iterdir() if entry.is_symlink()]
    return [link for link in links if link.startswith(str(server.store)) and 'deleted' in link]


def test_replies_keep_a_bounded_part_of_the_disk(start_server, client_of, firmware):
    server = start_server('--held-bytes', str(BUDGET))
    client = client_of(server)
    rom = '/mcu/' + client.put(firmware('count'))
    session = f'{rom}/{uuid.uuid4()}'
    image = b'\1' * 33554432
    links = []
    statuses = []
    for _ in range(5):
        reply = client('PUT', session, image)
        statuses.append(reply.status)
        links.append(slow_client(server, session, 'GET'))
        assert links[-1].recv(12) == b'HTTP/1.1 200'
    assert statuses == [201, 200, 200, 200, 507]
    assert str(BUDGET) in json.loads(reply.body)['detail']
    assert client('POST', session).status == 507
    for link in links:
        link.close()
    wait_until(lambda: deleted_files(server) == [])
    assert client('PUT', session, image).status == 200


def test_small_pieces_of_a_body_are_written_together(server, client, rom):
    """Chunks of one byte, then of all kinds of sizes: few writes, and every byte in its place."""
    path, count = rom('echo'), 20000
    sizes = [1] * count + [4095, 1, 4096, 65535, 2, 70000, 3]
    data = random.Random(1).randbytes(sum(sizes))
    pieces, at = [], 0
    for size in sizes:
        pieces.append(b'%x\r\n%b\r\n' % (size, data[at:at + size]))
        at += size

    def writes():
        text = Path(f'/proc/{server.process.pid}/io').read_text()
        return int(re.search(r'^syscw: (\d+)$', text, re.M)[1])
    before = writes()
    with socket.create_connection(('127.0.0.1', server.port), timeout=60) as link:
        link.sendall(f'POST {path} HTTP/1.1\r\nHost: localhost\r\n'
                     'Transfer-Encoding: chunked\r\n\r\n'.encode())
        link.sendall(b''.join(pieces) + b'0\r\n\r\n')
        reply = b''
        while not reply.endswith(data):
            piece = link.recv(1 << 20)
            assert piece
            reply += piece
    assert reply.startswith(b'HTTP/1.1 200')
    assert writes() - before < count / 10
