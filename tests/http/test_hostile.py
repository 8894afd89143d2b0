# test_hostile.py - requests that are wrong on purpose: each has its answer, and the server lives on
# SPDX-License-Identifier: MIT
import ast
import json
import re
import socket
from pathlib import Path

import pytest

HOST = b'Host: localhost\r\n'
ROW = re.compile(r'^HOSTILE\((\w+), (\d{3}), ("(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*)\)$')


def hostile_rows():
    """The rows of hostile.def, whose strings Python reads as C does: {name: (bytes, status)}."""
    rows = {}
    for line in (Path(__file__).parent / 'hostile.def').read_text().splitlines():
        if line.startswith('HOSTILE('):
            name, status, literals = ROW.match(line).groups()
            pieces = re.findall(r'"(?:[^"\\]|\\.)*"', literals)
            rows[name] = (b''.join(ast.literal_eval('b' + piece) for piece in pieces), int(status))
    return rows


HOSTILE = hostile_rows()
# What only the whole server refuses, and what is too long for a row.
MORE = {
    'one byte too much': (b'PUT /mcu HTTP/1.1\r\n' + HOST +
                          b'Content-Length: 33554433\r\n\r\n', 413),
    'long target': (b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', 414),
    'long header': (b'GET / HTTP/1.1\r\n' + HOST + b'X: ' + b'a' * 20000 + b'\r\n\r\n', 431),
    'many headers': (b'GET / HTTP/1.1\r\n' + HOST + b'A: b\r\n' * 200 + b'\r\n', 431),
    'traversal': (b'GET /mcu/../../../etc/passwd HTTP/1.1\r\n' + HOST + b'\r\n', 404),
    'encoded traversal': (b'GET /mcu/%2e%2e%2fetc HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'foreign absolute target': (b'GET http://evil.example/ HTTP/1.1\r\n' + HOST + b'\r\n', 421),
    'rebinding host': (b'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421),
}


def exchange(port, data):
    """All that comes back; the client keeps its side open."""
    with socket.create_connection(('127.0.0.1', port), timeout=30) as link:
        link.sendall(data)
        answer = b''
        while b'\r\n\r\n' not in answer:
            piece = link.recv(65536)
            if not piece:
                break
            answer += piece
        return answer


def exchange_to_the_end(port, data):
    """All that comes until the server closes; what comes after the answer is refused with it."""
    with socket.create_connection(('127.0.0.1', port), timeout=30) as link:
        link.sendall(data)
        answer = b''
        while piece := link.recv(65536):
            answer += piece
        return answer


def test_the_table_is_read_as_a_whole():
    text = (Path(__file__).parent / 'hostile.def').read_text()
    assert len(HOSTILE) == text.count('\nHOSTILE(') > 80
    assert HOSTILE['nul_in_name'][0].count(b'\0') == 1


@pytest.mark.parametrize('name', HOSTILE)
def test_hostile_requests(server, client, name):
    data, status = HOSTILE[name]
    answer = exchange_to_the_end(server.port, data)
    assert answer[:9] == b'HTTP/1.1 ' and int(answer[9:12]) == status, answer[:200]
    assert answer.count(b'\r\nDate: ') == answer.count(b'\r\nConnection: close\r\n') == 1
    assert b'"type":"urn:mote:problem:' in answer and b'HPE_' not in answer
    assert client('GET', '/healthz').status == 200


@pytest.mark.parametrize('name, words', [
    ('coding_unknown', '`xchunked`'), ('coding_before_chunked', '`gzip, chunked`'),
    ('expects_the_unknown', '`a-miracle`'), ('expects_twice', 'two Expect'),
    ('connect', '`CONNECT`'), ('method_too_long', '`GETGET'),
    ('host_with_large_port', '`localhost:65536`'), ('target_with_large_port', '65535'),
    ('chunk_size_not_hex', 'hexadecimal'), ('chunk_size_overflows', '64 bits'),
    ('chunk_longer_than_size', 'not as long as its size says'),
    ('chunk_ends_with_lf', 'chunk'), ('last_chunk_ends_with_lf', 'CR LF'),
    ('trailer_without_name', 'no name'), ('trailer_folded', 'folded'),
    ('trailer_with_lf', 'CR LF')])
def test_a_refusal_says_what_is_wrong(server, name, words):
    answer = exchange_to_the_end(server.port, HOSTILE[name][0])
    assert words in json.loads(answer.partition(b'\r\n\r\n')[2])['detail']


@pytest.mark.parametrize('host', ['localhost:65535', 'localhost:', 'LocalHost:080', '[::1]',
                                  '[::1]:8080', '127.0.0.1:0'])
def test_a_host_may_have_any_port(server, host):
    answer = exchange(server.port, f'GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n'.encode())
    assert answer.startswith(b'HTTP/1.1 200 ')


@pytest.mark.parametrize('field, status', [(b'Expect: ', 417), (b'Transfer-Encoding: ', 501)])
def test_what_a_refusal_shows_is_bounded_and_escaped(server, field, status):
    value = b'"\\\xff<\xc3\xa4>' + b'x' * 4000
    answer = exchange_to_the_end(server.port, b'POST /mcu HTTP/1.1\r\n' + HOST + field + value +
                                 b'\r\n\r\n')
    assert answer.startswith(b'HTTP/1.1 %d ' % status)
    detail = json.loads(answer.partition(b'\r\n\r\n')[2])['detail']
    assert '`"\\\ufffd<\u00e4>x' in detail and len(detail) < 200


@pytest.mark.parametrize('name', MORE)
def test_what_the_service_refuses(server, client, name):
    data, status = MORE[name]
    answer = exchange(server.port, data)
    assert answer[:9] == b'HTTP/1.1 ' and int(answer[9:12]) == status, answer[:200]
    assert client('GET', '/healthz').status == 200


def test_http_0_9_gets_no_page(server, client):
    answer = exchange(server.port, b'GET /\r\n\r\n')
    assert b'Mote runs' not in answer
    assert client('GET', '/healthz').status == 200


def test_early_closes(server, client):
    for data in b'', b'G', b'PUT /mcu HTTP/1.1\r\n' + HOST + b'Content-Length: 100\r\n\r\nabc':
        with socket.create_connection(('127.0.0.1', server.port)) as link:
            link.sendall(data)
    assert client('GET', '/healthz').status == 200


def test_slow_heads_and_bodies(start_server, client_of):
    server = start_server('--header-ms', '200', '--upload-rate', '1000000')
    head = exchange_to_the_end(server.port, b'GET / HTTP/1.1\r\n')
    assert head.startswith(b'HTTP/1.1 408') and b'200 ms' in head
    # 20 KiB in 10 s would do without the option.
    body = exchange_to_the_end(server.port, b'PUT /mcu HTTP/1.1\r\n' + HOST +
                               b'Content-Length: 99999\r\n\r\n' + bytes(20480))
    assert body.startswith(b'HTTP/1.1 408') and b'1000000 bytes a second' in body
    assert client_of(server)('GET', '/healthz').status == 200


def test_expect_100_continue(server, rom):
    data = (f'POST {rom("echo")} HTTP/1.1\r\n'.encode() + HOST +
            b'Expect: 100-continue\r\nContent-Length: 2\r\n\r\n')
    with socket.create_connection(('127.0.0.1', server.port), timeout=30) as link:
        link.sendall(data)
        assert link.recv(25) == b'HTTP/1.1 100 Continue\r\n\r\n'
        link.sendall(b'ok')
        assert link.recv(65536).endswith(b'ok')
    # An answer that needs no body comes instead of the invitation.
    assert exchange(server.port, b'POST /mcu HTTP/1.1\r\n' + HOST + b'Expect: 100-continue\r\n'
                    b'Content-Length: 2\r\n\r\n').startswith(b'HTTP/1.1 404')
