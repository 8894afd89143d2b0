# test_memory.py - what runs leave in memory is bounded: replies that nobody reads, late commits
# SPDX-License-Identifier: MIT
import json
import os
import socket
import time
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


def slow_client(server, path):
    """Posts and takes in little of the reply: what its system keeps for it."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(('127.0.0.1', server.port))
    link.sendall(f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n'.encode())
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
