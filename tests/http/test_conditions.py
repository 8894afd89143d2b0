# test_conditions.py - conditional requests and ranges of ROMs and sessions
# SPDX-License-Identifier: MIT
import email
import hashlib
import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from test_queue import is_running, start_post, wait_until

BYTES = bytes(range(256)) * 40


@pytest.fixture(params=['rom', 'ram'])
def stored(request, client, rom):
    """The path of a ROM or session that holds BYTES."""
    path = '/mcu/' + str(uuid.uuid4())
    if request.param == 'ram':
        path = f'{rom("count")}/{uuid.uuid4()}'
    put = client('PUT', path + ('?format=raw' if request.param == 'rom' else ''), BYTES)
    assert put.status == 201, put.body
    assert put['ETag'] == client('GET', path)['ETag']
    return path


def test_a_read_of_what_the_client_has(client, stored):
    etag = client('GET', stored)['ETag']
    for value in etag, f'W/{etag}', f'"x", {etag}', '*':
        for method in 'GET', 'HEAD':
            reply = client(method, stored, If_None_Match=value)
            assert reply.status == 304 and reply.body == b'' and reply['ETag'] == etag, value
            assert reply['Cache-Control'] == 'private, no-cache' and 'Cookie' in reply['Vary']
    assert client('GET', stored, If_None_Match='"x"').body == BYTES
    assert client('GET', stored, If_Match=etag).body == BYTES
    assert client('GET', stored, If_Match='*').body == BYTES
    for value in '"x"', f'W/{etag}':
        refused = client('GET', stored, If_Match=value)
        assert refused.status == 412 and etag.strip('"') in json.loads(refused.body)['detail']


@pytest.mark.parametrize('name', ['If-Match', 'If-None-Match'])
@pytest.mark.parametrize('value', ['', ',', 'fish', '"fish', '*, "a"', '"a" "b"', 'w/"a"'])
def test_a_malformed_condition_is_400_and_changes_nothing(client, stored, name, value):
    for method in 'GET', 'PUT', 'POST', 'DELETE':
        reply = client(method, stored, b'x', **{name: value})
        assert reply.status == 400 and 'If-Match' in json.loads(reply.body)['detail']
    assert client('GET', stored).body == BYTES


def test_a_change_of_what_is_still_there(client, stored):
    etag = client('GET', stored)['ETag']
    for fields in {'If-Match': '"x"'}, {'If-Match': f'W/{etag}'}, {'If-None-Match': '*'}, \
            {'If-None-Match': etag}, {'If-Match': etag, 'If-None-Match': '*'}:
        for method in 'PUT', 'DELETE':
            body = b'new' if method == 'PUT' else None
            assert client(method, stored, body, **fields).status == 412, fields
    assert client('GET', stored).body == BYTES
    put = client('PUT', stored, b'new', If_Match=f'"x", {etag}', If_None_Match='"y"')
    assert put.status == 200 and put['ETag'] != etag
    assert client('PUT', stored, b'newer', If_Match=etag).status == 412
    assert client('DELETE', stored, If_Match=etag).status == 412
    assert client('GET', stored).body == b'new'
    assert client('DELETE', stored, If_Match=put['ETag']).status == 204
    assert client('DELETE', stored, If_Match='*').status == 412
    assert client('PUT', stored, b'again', If_Match='*').status == 412
    assert client('PUT', stored, b'again', If_None_Match='*').status == 201


def test_one_of_many_makes_it(client, rom):
    for path in '/mcu/' + str(uuid.uuid4()), f'{rom("count")}/{uuid.uuid4()}':
        with ThreadPoolExecutor(8) as pool:
            puts = list(pool.map(lambda n: client('PUT', path, b'%d' % n, If_None_Match='*').status,
                                 range(8)))
        assert sorted(puts) == [201] + [412] * 7
        etag = client('GET', path)['ETag']
        with ThreadPoolExecutor(8) as pool:
            puts = list(pool.map(lambda n: client('PUT', path, b'x%d' % n, If_Match=etag).status,
                                 range(8)))
        assert sorted(puts) == [200] + [412] * 7


def test_a_put_without_an_id_makes_what_is_not_there(client):
    assert client('PUT', '/mcu', b'\x13\0\0\0', If_None_Match='*').status == 201
    assert client('PUT', '/mcu', b'\x13\0\0\0', If_Match='*').status == 412


def test_a_run_of_what_is_still_there(client, rom):
    path = rom('count')
    etag = client('GET', path)['ETag']
    assert client('POST', path, If_Match='"x"').status == 412
    assert json.loads(client('GET', '/sessions').body) == []
    made = client('POST', path, If_Match=etag)
    session, version = f'{path}/{made["Mcu-Ram"]}', f'"{made["Mcu-Ram-Version"]}"'
    # A session in the path is what is asked about; one in a cookie is not.
    assert client('POST', session, If_Match=etag).status == 412
    jar = f'rom={path.removeprefix("/mcu/")}; ram={made["Mcu-Ram"]}'
    assert client('POST', '/mcu', Cookie=jar, If_Match=etag).body == b'2'
    assert client('POST', session, If_Match=version).status == 412
    version = client('GET', session)['ETag']
    assert client('POST', session, If_None_Match=version).status == 412
    assert client('POST', session, If_Match=version).body == b'3'


def test_the_condition_of_a_run_is_looked_at_in_its_turn(server, client, rom):
    path = rom('spin')
    first = client('POST', path, b'0')
    session = f'{path}/{first["Mcu-Ram"]}'
    link = start_post(server, session, b'200000')
    wait_until(lambda: is_running(server))
    late = client('POST', session, b'0', If_Match=f'"{first["Mcu-Ram-Version"]}"')
    assert late.status == 412
    assert b'\r\n\r\n2' in link.recv(65536)
    assert client('POST', session, b'0').body == b'3'
    link.close()


def test_a_removal_with_a_condition_waits_for_the_run_before_it(server, client, rom):
    path = rom('spin')
    first = client('POST', path, b'0')
    session = f'{path}/{first["Mcu-Ram"]}'
    link = start_post(server, session, b'200000')
    wait_until(lambda: is_running(server))
    assert client('DELETE', session, If_Match=f'"{first["Mcu-Ram-Version"]}"').status == 412
    assert b'\r\n\r\n2' in link.recv(65536)
    assert client('GET', session).status == 200
    link.close()


@pytest.mark.parametrize('value, first, end', [
    ('bytes=0-0', 0, 1), ('bytes=100-199', 100, 200), ('bytes=-10', 10230, 10240),
    ('bytes=10000-', 10000, 10240), ('bytes=0-99999999999999999999', 0, 10240),
    ('bytes=5-9,0-7', 0, 10), ('bytes= 1-1 , 99999-', 1, 2)])
def test_a_range(client, stored, value, first, end):
    reply = client('GET', stored, Range=value)
    assert reply.status == 206 and reply.body == BYTES[first:end]
    assert reply['Content-Range'] == f'bytes {first}-{end - 1}/10240'
    assert reply['ETag'] == client('GET', stored)['ETag'] and reply['Accept-Ranges'] == 'bytes'
    assert reply['Content-Type'] == 'application/octet-stream'


def test_several_ranges(client, stored):
    reply = client('GET', stored, Range='bytes=10000-,0-1,500-600')
    assert reply.status == 206 and reply['Content-Range'] is None
    assert reply.all('Content-Type')[0].startswith('multipart/byteranges; boundary=')
    document = email.message_from_bytes(
        b'Content-Type: ' + reply['Content-Type'].encode() + b'\r\n\r\n' + reply.body)
    parts = document.get_payload()
    assert [part['Content-Range'] for part in parts] == [
        'bytes 10000-10239/10240', 'bytes 0-1/10240', 'bytes 500-600/10240']
    assert [part.get_payload(decode=True) for part in parts] == [
        BYTES[10000:], BYTES[:2], BYTES[500:601]]


@pytest.mark.parametrize('value, status, words', [
    ('bytes=10240-', 416, '10240'), ('bytes=-0', 416, '10240'),
    ('bytes=' + '0-0,' * 17, 416, '16 ranges'),
    ('bytes=' + '0-,' * 4000, 416, '16 ranges'),
    ('bytes=' + ','.join(f'{n}-{n}' for n in range(0, 3000, 2)), 416, '16 ranges'),
    ('bytes=5-4', 400, 'Range'), ('bytes=', 400, 'Range'), ('bytes=a-', 400, 'Range'),
    ('bytes=1-2-3', 400, 'Range')])
def test_a_range_that_cannot_be_had(client, stored, value, status, words):
    reply = client('GET', stored, Range=value)
    assert reply.status == status and words in json.loads(reply.body)['detail']
    assert reply['Content-Range'] == ('bytes */10240' if status == 416 else None)


def test_when_a_range_does_not_count(client, stored):
    etag = client('GET', stored)['ETag']
    assert client('GET', stored, Range='lines=1-2').body == BYTES
    for value in '"x"', f'W/{etag}', 'Wed, 25 Nov 2026 00:00:00 GMT', 'fish':
        reply = client('GET', stored, Range='bytes=0-0', If_Range=value)
        assert reply.status == 200 and reply.body == BYTES
    assert client('GET', stored, Range='bytes=0-0', If_Range=etag).status == 206
    head = client('HEAD', stored, Range='bytes=0-0')
    assert head.status == 200 and head['Content-Length'] == '10240'
    # Conditions come first (RFC 9110, 13.2.2).
    assert client('GET', stored, Range='bytes=99999-', If_None_Match=etag).status == 304


def test_ranges_of_nothing(client, rom):
    session = f'{rom("count")}/{uuid.uuid4()}'
    assert client('PUT', session, b'').status == 201
    assert client('GET', session).body == b''
    assert client('GET', session, Range='bytes=0-').status == 416


def test_the_parts_of_a_large_image_join(client, rom):
    image = os.urandom(1 << 20) + b'\1'
    session = f'{rom("count")}/{uuid.uuid4()}'
    client('PUT', session, image)
    parts = [client('GET', session, Range=f'bytes={at}-{at + 99999}').body
             for at in range(0, len(image), 100000)]
    assert hashlib.sha256(b''.join(parts)).digest() == hashlib.sha256(image).digest()
    many = client('GET', session, Range='bytes=0-499999,600000-1048576')
    assert image[:500000] in many.body and image[600000:] in many.body
