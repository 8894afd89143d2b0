# test_resources.py - ROMs, RAM images, lists, cookies, methods: http-api.md sentence by sentence
# SPDX-License-Identifier: MIT
import hashlib
import json
import re
import socket
import uuid

import pytest

from place import ROOT

UUID = re.compile(r'^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$')


def problem(reply):
    assert reply['Content-Type'] == 'application/problem+json'
    document = json.loads(reply.body)
    assert document['status'] == reply.status and document['type'] and document['detail']
    return document


def test_put_stores_a_rom_and_get_gives_it_back(client, firmware):
    image = firmware('echo').read_bytes()
    put = client('PUT', '/mcu', image)
    assert put.status == 201
    about = json.loads(put.body)
    assert UUID.match(about['id']) and put['Location'] == '/mcu/' + about['id']
    assert about['size'] == len(image) and about['format'] == 'elf'
    assert about['sha256'] == hashlib.sha256(image).hexdigest()
    assert about['entry'] == 0x20000000
    assert put.cookies() == {'rom': about['id'], 'ram': ''}
    for cookie in put.all('Set-Cookie'):
        assert 'Path=/mcu' in cookie and 'HttpOnly' in cookie and 'SameSite=Strict' in cookie
    for path, fields in (put['Location'], {}), ('/mcu', {'Cookie': 'rom=' + about['id']}):
        got = client('GET', path, **fields)
        assert got.status == 200 and got.body == image
        assert got['Content-Type'] == 'application/octet-stream'
        assert got['ETag'] == f'"{about["sha256"]}"'
        head = client('HEAD', path, **fields)
        assert head.status == 200 and head.body == b''
        assert head['Content-Length'] == str(len(image))


def test_put_replaces_a_rom_and_sessions_keep_their_ram(client, rom, firmware):
    path = rom('count')
    cookies = client('POST', path).cookies()
    session = f'{path}/{cookies["ram"]}'
    assert client('PUT', path, firmware('boot').read_bytes()).status == 200
    assert client('POST', session).body == b'1'
    assert client('PUT', path, firmware('count').read_bytes()).status == 200
    assert client('POST', session).body == b'2'
    fresh = f'/mcu/{uuid.uuid4()}'
    assert client('PUT', fresh, firmware('count').read_bytes()).status == 201


def test_raw_images(client):
    image = bytes.fromhex('b70010003755000013055555') + b'\x23\xa0\xa0\x00'
    put = client('PUT', '/mcu', image)
    assert put.status == 201 and json.loads(put.body)['format'] == 'raw'
    forced = client('PUT', '/mcu?format=raw', b'\x7fELF and more')
    assert forced.status == 201 and json.loads(forced.body)['format'] == 'raw'
    assert client('PUT', '/mcu?format=uf2', image).status == 422
    assert client('PUT', '/mcu?format=fish', image).status == 400


@pytest.mark.parametrize('query, status, words', [
    ('format=raw', 201, None), ('format=auto', 201, None), ('', 201, None), ('&', 201, None),
    ('&format=raw&', 201, None),
    ('x=1&format=raw', 400, '`x`'), ('format=raw&x', 400, '`x`'), ('Format=raw', 400, '`Format`'),
    ('x=1&format=bogus', 400, '`x`'), ('format=bogus', 400, '`bogus`'), ('format', 400, '``'),
    ('format=raw&format=raw', 400, 'twice'), ('%66ormat=raw', 400, '`%66ormat`'),
    ('format=hex', 422, 'Intel HEX'), ('format=raw&format=uf2', 400, 'twice'), ('=raw', 400, '``'),
])
def test_the_query_of_put(client, query, status, words):
    reply = client('PUT', '/mcu?' + query, bytes.fromhex('13000000'))
    assert reply.status == status
    if words:
        assert words in problem(reply)['detail']


def test_a_put_of_a_session_has_no_query(client, rom):
    session = f'{rom("count")}/{uuid.uuid4()}'
    reply = client('PUT', session + '?format=raw', b'x')
    assert reply.status == 400 and '`format`' in problem(reply)['detail']
    assert client('GET', session).status == 404


def test_bad_images_are_refused_with_words(client):
    reply = client('PUT', '/mcu', b'\x7fELF' + bytes(60))
    assert reply.status == 422
    assert len(problem(reply)['detail']) > 10


def test_a_body_over_the_window_is_refused(client):
    reply = client('PUT', '/mcu', bytes(33554433))
    assert reply.status == 413


def test_ram_images(client, rom):
    path = rom('count')
    session = f'{path}/{uuid.uuid4()}'
    put = client('PUT', session, b'\x09' + bytes(5000))
    assert put.status == 201 and put['Mcu-Ram-Version'] and put['Location'] == session
    got = client('GET', session)
    assert got.status == 200 and got.body == b'\x09'
    assert got['ETag'] == f'"{put["Mcu-Ram-Version"]}"'
    run = client('POST', session)
    assert run.body == b'10' and run['Mcu-Ram-Version'] != put['Mcu-Ram-Version']
    again = client('PUT', session, b'\x01')
    assert again.status == 200 and again['Location'] == session
    assert client('GET', session).body == b'\x01'


def test_removal(client, rom):
    path = rom('count')
    session = f'{path}/{client("POST", path).cookies()["ram"]}'
    assert client('DELETE', session).status == 204
    assert client('GET', session).status == 404
    assert client('POST', session).status == 404
    assert client('DELETE', session).status == 404
    assert client('DELETE', path).status == 204
    assert client('GET', path).status == 404
    assert client('POST', path).status == 404


def test_removing_a_rom_leaves_its_sessions(client, rom):
    path = rom('count')
    session = f'{path}/{client("POST", path).cookies()["ram"]}'
    client('DELETE', path)
    assert client('GET', session).body[:1] == b'\x01'
    assert client('DELETE', session).status == 204


def test_lists(client, rom):
    path = rom('count')
    ram = client('POST', path).cookies()['ram']
    roms = json.loads(client('GET', '/roms').body)
    assert [r['id'] for r in roms] == [path.removeprefix('/mcu/')]
    sessions = json.loads(client('GET', '/sessions').body)
    assert [(s['id'], s['rom']) for s in sessions] == [(ram, path.removeprefix('/mcu/'))]


@pytest.mark.parametrize('path', ['/roms', '/sessions'])
@pytest.mark.parametrize('fields, words', [
    ({'Forwarded': 'for=192.0.2.1'}, 'its field Forwarded'),
    ({'x-forwarded-for': '192.0.2.1'}, 'its field X-Forwarded-For'),
    ({'X-Forwarded-Host': 'mote.example'}, 'its field X-Forwarded-Host'),
    ({'X-Real-IP': ''}, 'its field X-Real-IP'),
    ({'Via': '1.1 proxy'}, 'its field Via'),
    ({'Host': 'mote.example'}, 'Host `mote.example`'),
])
def test_lists_are_for_this_machine_alone(start_server, client_of, path, fields, words):
    client = client_of(start_server('--allow-host', 'mote.example'))
    refused = client('GET', path, **fields)
    assert refused.status == 403 and problem(refused)['type'].endswith(':not-local')
    assert words in problem(refused)['detail']
    assert client('GET', '/healthz', **fields).status == 200
    for host in 'localhost', '127.0.0.1:80', '[::1]':
        assert client('GET', path, Host=host).body.strip() == b'[]'


@pytest.mark.parametrize('path', ['/roms', '/sessions'])
def test_lists_can_be_switched_off(start_server, client_of, path):
    client = client_of(start_server('--no-lists'))
    refused = client('GET', path)
    assert refused.status == 403 and problem(refused)['type'].endswith(':no-lists')
    assert '--no-lists' in problem(refused)['detail']
    assert client('GET', '/healthz').status == 200


def test_a_list_needs_a_host(server):
    with socket.create_connection(('127.0.0.1', server.port), timeout=30) as link:
        link.sendall(b'GET /roms HTTP/1.0\r\n\r\n')
        assert link.recv(12) == b'HTTP/1.1 403'


def test_cookies_and_precedence(client, rom):
    path, other = rom('count'), rom('count')
    first, second = path.removeprefix('/mcu/'), other.removeprefix('/mcu/')
    made = client('POST', '/mcu', Cookie=f'rom={first}')
    assert made.cookies() == {'rom': first, 'ram': made['Mcu-Ram']}
    jar = f'rom={first}; ram={made["Mcu-Ram"]}'
    again = client('POST', '/mcu', Cookie=jar)
    assert again.body == b'2' and not again.cookies() and again['Mcu-Ram'] == made['Mcu-Ram']
    # The ram cookie counts where the path names the cookie's ROM, and not for any other.
    assert client('POST', path, Cookie=jar).body == b'3'
    assert client('POST', other, Cookie=jar).body == b'1'
    # A session named in the path goes with any ROM.
    assert client('POST', f'{other}/{made["Mcu-Ram"]}', Cookie=f'rom={second}').body == b'4'
    # Malformed or vanished counts as absent in a cookie.
    assert client('POST', '/mcu', Cookie=f'rom={first}; ram=fish').body == b'1'
    assert client('POST', '/mcu', Cookie=f'rom={first}; ram={uuid.uuid4()}').body == b'1'
    assert client('POST', '/mcu', Cookie='rom=fish').status == 404
    assert client('POST', '/mcu', Cookie=f'rom={uuid.uuid4()}').status == 404
    assert client('POST', '/mcu').status == 404
    assert client('GET', '/mcu').status == 404


OTHER_VERSION = str(uuid.uuid1())


@pytest.mark.parametrize('path, what, text', [
    ('/mcu/fish', '{rom}', 'fish'),
    ('/mcu/..%2f..%2fetc%2fpasswd', '{rom}', '..%2f..%2fetc%2fpasswd'),
    ('/mcu/..', '{rom}', '..'),
    (f'/mcu/{uuid.uuid4()}/x', '{ram}', 'x'),
    (f'/mcu/{OTHER_VERSION}', '{rom}', OTHER_VERSION),
    ('/runs/fish/console', '{run}', 'fish'),
])
def test_a_malformed_id_in_the_path_is_400_and_named(client, path, what, text):
    reply = client('GET', path)
    assert reply.status == 400
    document = problem(reply)
    assert document['type'].endswith(':bad-id')
    assert what in document['detail'] and f'`{text}`' in document['detail']


@pytest.mark.parametrize('path', ['/fish', '/mcu/', '/mcu/../../etc/passwd', '//mcu', '/MCU',
                                  f'/mcu/{uuid.uuid4()}', f'/mcu/{uuid.uuid4()}/{uuid.uuid4()}',
                                  f'/runs/{uuid.uuid4()}/console'])
def test_what_is_not_there_is_404(client, path):
    reply = client('GET', path)
    assert reply.status == 404
    problem(reply)


@pytest.mark.parametrize('method, path, allow', [
    ('DELETE', '/mcu', 'GET HEAD OPTIONS POST PUT'),
    ('PATCH', f'/mcu/{uuid.uuid4()}', 'DELETE GET HEAD OPTIONS POST PUT'),
    ('POST', '/roms', 'GET HEAD OPTIONS'),
    ('PUT', '/healthz', 'GET HEAD OPTIONS'),
])
def test_missing_methods_are_405_with_allow(client, method, path, allow):
    reply = client(method, path)
    assert reply.status == 405
    assert sorted(reply['Allow'].split(', ')) == allow.split()
    options = client('OPTIONS', path)
    assert options.status == 204 and options['Allow'] == reply['Allow']


@pytest.mark.parametrize('method', ['SOURCE', 'BREW', 'post'])
def test_methods_that_http_has_not_are_501(client, method):
    for path in '/mcu', '/fish':
        reply = client(method, path)
        assert reply.status == 501
        document = problem(reply)
        assert document['type'].endswith(':unknown-method') and f'`{method}`' in document['detail']


@pytest.mark.parametrize('path', ['/readyz', '/metrics', '/openapi.json'])
def test_paths_of_later_issues_are_501(client, path):
    assert client('GET', path).status == 501


UNBUILT = ['If-Unmodified-Since', 'Idempotency-Key',
           'Content-Digest', 'Repr-Digest']


@pytest.mark.parametrize('name', UNBUILT)
def test_what_is_not_built_is_never_ignored(client, rom, name):
    path = rom('count')
    for method in 'POST', 'PUT', 'DELETE':
        reply = client(method, path, b'x', **{name: '*'})
        assert reply.status == 501, method
        assert name in problem(reply)['detail']
    assert client('GET', path, **{name: '*'}).status == 200  # of a read, nothing is harmed


@pytest.mark.parametrize('codings', [['gzip'], ['identity', 'gzip'], ['identity,, gzip'],
                                     ['', 'gzip'], ['gzip', 'identity']])
def test_encoded_bodies_are_415(client, rom, codings):
    pairs = [('Content-Encoding', coding) for coding in codings]
    reply = client.pairs('POST', rom('echo'), pairs, b'x')
    assert reply.status == 415
    assert '`gzip`' in problem(reply)['detail']


@pytest.mark.parametrize('codings', [['identity', 'Identity , identity'], [''], [',', ' , ,'],
                                     [', identity ,,']])
def test_identity_is_no_encoding(client, rom, codings):
    """Empty elements of a list mean nothing (RFC 9110, 5.6.1.2)."""
    pairs = [('Content-Encoding', coding) for coding in codings]
    assert client.pairs('POST', rom('echo'), pairs, b'x').body == b'x'


@pytest.mark.parametrize('name, value', [
    ('Content-Type', 'text/plain'), ('Content-Range', 'bytes 0-0/1'), ('Mcu-Max-Cycles', '99999'),
    ('Mcu-Max-Ms', '999'), ('Mcu-Seed', '1'), ('Mcu-Ephemeral', 'true'),
    ('Origin', 'http://127.0.0.1'), ('Sec-Fetch-Site', 'none'), ('Idempotency-Key', 'a' * 20),
    ('If-Unmodified-Since', 'Wed, 25 Nov 2026 00:00:00 GMT')])
def test_a_field_that_may_come_once_is_400_when_it_comes_again(client, rom, name, value):
    reply = client.pairs('POST', rom('echo'), [(name, value), (name.lower(), value)], b'x')
    assert reply.status == 400
    document = problem(reply)
    assert document['type'].endswith(':bad-header') and f'2 fields {name}' in document['detail']


def test_content_range_is_400(client, rom):
    assert client('PUT', rom('echo'), b'x', Content_Range='bytes 0-0/1').status == 400


def test_front_page_and_health(client):
    page = client('GET', '/')
    assert page.status == 200 and page['Content-Type'].startswith('text/plain')
    assert b'curl' in page.body
    rows = re.findall(r'^ROUTE\(\w+, +(\w+), +"([^"]+)", +"[^"]*", +"(.*)"\)$',
                      (ROOT / 'src/service/route.def').read_text(), re.M)
    listed = re.findall(r'^  (\w+) (/.*)\n      (.*)$', page.body.decode(), re.M)
    assert listed == rows and len(rows) > 15
    assert client('GET', '/healthz').body == b'ok\n'


def test_cache_fields(client, rom):
    path = rom('echo')
    assert client('GET', path)['Cache-Control'] == 'private, no-cache'
    assert client('POST', path)['Cache-Control'] == 'no-store'
    for method in 'GET', 'POST':
        reply = client(method, path)
        assert 'Cookie' in reply['Vary']
        assert reply['X-Content-Type-Options'] == 'nosniff'
        assert reply['Content-Security-Policy'] == 'sandbox'
        assert reply['Access-Control-Allow-Origin'] is None


PATHS_OF_ERRORS = [
    ('{rom}', b'Content-Length: 33554433\r\n\r\n', 413),
    ('{rom}', b'Transfer-Encoding: chunked\r\n\r\nfish\r\n', 400),
    ('{rom}', b'X: a', 408),
    ('{rom}', b'Content-Length: 1\r\nOrigin: http://evil.example\r\n\r\na', 403),
    ('{rom}', b'Content-Length: 1\r\nContent-Encoding: gzip\r\n\r\na', 415),
    ('{rom}', b'Content-Length: x\r\n\r\n', 400),
    ('/mcu/fish', b'\r\n', 400),
    ('/mcu/' + 'a' * 9000, b'\r\n', 414),
    ('{rom}', b'X: ' + b'a' * 20000 + b'\r\n\r\n', 431),
    ('{rom}', b'Expect: fish\r\n\r\n', 417),
]


@pytest.mark.parametrize('path, rest, status', PATHS_OF_ERRORS)
def test_errors_have_their_cache_fields_too(start_server, client_of, firmware, path, rest, status):
    server = start_server(*(['--header-ms', '100'] if status == 408 else []))
    rom = '/mcu/' + client_of(server).put(firmware('echo'))
    for method, cache in ('POST', b'no-store'), ('PUT', b'private, no-cache'):
        line = f'{method} {path.format(rom=rom)} HTTP/1.1\r\nHost: localhost\r\n'.encode()
        with socket.create_connection(('127.0.0.1', server.port), timeout=30) as link:
            link.sendall(line + rest)
            head = link.recv(65536).partition(b'\r\n\r\n')[0]
        assert head.startswith(b'HTTP/1.1 %d ' % status), head
        assert b'\r\nCache-Control: ' + cache + b'\r\n' in head
        assert head.count(b'\r\nVary: Cookie') == 1 and head.count(b'Cache-Control') == 1


def test_a_request_that_is_not_understood_is_not_cached(server):
    with socket.create_connection(('127.0.0.1', server.port), timeout=30) as link:
        link.sendall(b'G(T /mcu HTTP/1.1\r\n\r\n')
        assert b'\r\nCache-Control: no-store\r\n' in link.recv(65536)


def test_rebinding_hosts_are_421(client):
    for host in 'evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1':
        reply = client('GET', '/', Host=host)
        assert reply.status == 421 and f'`{host}`' in problem(reply)['detail']
    for host in 'localhost', '127.0.0.1:1', '[::1]:8080':
        assert client('GET', '/', Host=host).status == 200


def test_foreign_origins_and_sites_are_403(client, rom):
    path = rom('count')
    own = f'http://127.0.0.1:{client.port}'
    for method in 'PUT', 'POST', 'DELETE':
        evil = client(method, path, Origin='http://evil.example')
        assert evil.status == 403 and '`http://evil.example`' in problem(evil)['detail']
        assert client(method, path, Origin=own.replace('http', 'https')).status == 403
        assert client(method, path, Origin='null').status == 403
        assert client(method, path, Sec_Fetch_Site='cross-site').status == 403
        assert client(method, path, Sec_Fetch_Site='same-site').status == 403
    assert client('POST', path, Origin=own, Sec_Fetch_Site='same-origin').status == 200
    assert client('POST', path, Sec_Fetch_Site='none').status == 200
