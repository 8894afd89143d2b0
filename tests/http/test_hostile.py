# test_hostile.py - requests that are wrong on purpose: each has its answer, and the server lives on
# SPDX-License-Identifier: MIT
import socket

import pytest

HOST = b'Host: localhost\r\n'
TABLE = {
    'both lengths': (b'POST /mcu HTTP/1.1\r\n' + HOST +
                     b'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400),
    'two lengths': (b'POST /mcu HTTP/1.1\r\n' + HOST +
                    b'Content-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400),
    'the same length twice': (b'POST /mcu HTTP/1.1\r\n' + HOST +
                              b'Content-Length: 1\r\nContent-Length: 1\r\n\r\na', 400),
    'negative length': (b'POST /mcu HTTP/1.1\r\n' + HOST + b'Content-Length: -1\r\n\r\n', 400),
    'huge length': (b'PUT /mcu HTTP/1.1\r\n' + HOST + b'Content-Length: 33554433\r\n\r\n', 413),
    'length past 64 bits': (b'PUT /mcu HTTP/1.1\r\n' + HOST +
                            b'Content-Length: 99999999999999999999\r\n\r\n', 400),
    'bad chunk': (b'PUT /mcu HTTP/1.1\r\n' + HOST +
                  b'Transfer-Encoding: chunked\r\n\r\nfish\r\n', 400),
    'gzip, chunked': (b'PUT /mcu HTTP/1.1\r\n' + HOST +
                      b'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501),
    'folded header': (b'GET / HTTP/1.1\r\n' + HOST + b'X: a\r\n b\r\n\r\n', 400),
    'NUL in a header': (b'GET / HTTP/1.1\r\n' + HOST + b'X: a\0b\r\n\r\n', 400),
    'no Host': (b'GET / HTTP/1.1\r\n\r\n', 400),
    'two Hosts': (b'GET / HTTP/1.1\r\n' + HOST + HOST + b'\r\n', 400),
    'HTTP/2.0 line': (b'GET / HTTP/2.0\r\n' + HOST + b'\r\n', 505),
    'empty header name': (b'GET / HTTP/1.1\r\n' + HOST + b': a\r\n\r\n', 400),
    'space before colon': (b'GET / HTTP/1.1\r\n' + HOST + b'X : a\r\n\r\n', 400),
    'long target': (b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\n' + HOST + b'\r\n', 414),
    'long header': (b'GET / HTTP/1.1\r\n' + HOST + b'X: ' + b'a' * 20000 + b'\r\n\r\n', 431),
    'many headers': (b'GET / HTTP/1.1\r\n' + HOST + b'A: b\r\n' * 200 + b'\r\n', 431),
    'CONNECT': (b'CONNECT localhost:80 HTTP/1.1\r\n' + HOST + b'\r\n', 501),
    'strange expectation': (b'PUT /mcu HTTP/1.1\r\n' + HOST +
                            b'Expect: fish\r\nContent-Length: 1\r\n\r\n', 417),
    'traversal': (b'GET /mcu/../../../etc/passwd HTTP/1.1\r\n' + HOST + b'\r\n', 404),
    'encoded traversal': (b'GET /mcu/%2e%2e%2fetc HTTP/1.1\r\n' + HOST + b'\r\n', 400),
    'foreign absolute target': (b'GET http://evil.example/ HTTP/1.1\r\n' + HOST + b'\r\n', 421),
    'rebinding host': (b'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', 421),
    'not HTTP at all': (b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400),
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


@pytest.mark.parametrize('name', TABLE)
def test_hostile_requests(server, client, name):
    data, status = TABLE[name]
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
    assert exchange(server.port, b'GET / HTTP/1.1\r\n').startswith(b'HTTP/1.1 408')
    assert exchange(server.port, b'PUT /mcu HTTP/1.1\r\n' + HOST +
                    b'Content-Length: 10\r\n\r\nab').startswith(b'HTTP/1.1 408')
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
