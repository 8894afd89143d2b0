# test_cgi.py - the CGI road: Debian's lighttpd with contrib/cgi, and curl with its cookie jar
# SPDX-License-Identifier: MIT
import fcntl
import gzip
import json
import os
import re
import socket
import subprocess
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from overlap import overlapping_elf
from place import ROOT

CONTRIB = ROOT / 'contrib/cgi'
WINDOW = 32 << 20
START_SECONDS = 20
TITLES = dict(re.findall(r'^STATUS\((\d+), "(.*)"\)$',
                         (ROOT / 'src/http/status.def').read_text(), re.M))
UUID4 = r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
FINISH = 'li t0, 0x100000; li t1, 0x5555; sw t1, (t0); 9: j 9b\n'

# Counts its runs in RAM, answers the number as one letter (A for 1), and takes some time for it.
COUNTER = '''
.option norvc
.globl _start
_start: li t0, 0x80000000; lw t1, (t0); addi t1, t1, 1
        li t3, 300000
1:      addi t3, t3, -1; bnez t3, 1b
        sw t1, (t0)
        li t2, 0x24000000; addi t1, t1, 64; sb t1, (t2)
''' + FINISH
# Counts as above, and then faults where IN begins with a `!`.
FAULTY = '''
.option norvc
.globl _start
_start: li t0, 0x80000000; lw t1, (t0); addi t1, t1, 1; sw t1, (t0)
        li t2, 0x24000000; addi t1, t1, 64; sb t1, (t2)
        li t4, 0x22000000; lbu t5, (t4); li t6, '!'; bne t5, t6, 8f
        li t4, 0x50000000; sw t1, (t4)
8:
''' + FINISH
ENDLESS = '''
.option norvc
.globl _start
_start: li t0, 0x80000000; lw t1, (t0); addi t1, t1, 1; sw t1, (t0)
        li t2, 0x24000000; addi t1, t1, 64; sb t1, (t2)
1:      addi t3, t3, 1; j 1b
'''
# IN becomes the reply's headers, OUT is a B.
HEADERS = '''
.option norvc
.globl _start
_start: li t0, 0x10010000; lw t1, 8(t0); li t2, 0x22000000; li t3, 0x26008000
        sw t1, 20(t0); add t1, t1, t2
1:      bgeu t2, t1, 2f; lbu t4, (t2); sb t4, (t3); addi t2, t2, 1; addi t3, t3, 1; j 1b
2:      li t2, 0x24000000; li t1, 'B'; sb t1, (t2)
''' + FINISH
# OUT is the request's half of META; its length is in the lambda controller.
ENVIRON = '''
.option norvc
.globl _start
_start: li t0, 0x10010000; lw t1, 16(t0); li t2, 0x26000000; li t3, 0x24000000
        sw t1, 12(t0); add t1, t1, t2
1:      bgeu t2, t1, 2f; lbu t4, (t2); sb t4, (t3); addi t2, t2, 1; addi t3, t3, 1; j 1b
2:
''' + FINISH
# Powers down with the exit code that IN's first byte is.
EXIT = '''
.option norvc
.globl _start
_start: li t0, 0x22000000; lbu t1, (t0); slli t1, t1, 16; li t2, 0x3333; or t1, t1, t2
        li t0, 0x100000; sw t1, (t0)
9:      j 9b
'''


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Reply:
    """What curl got: the last status, its fields (a list for each name) and the body."""

    def __init__(self, head, body):
        blocks = [b for b in head.replace('\r', '').split('\n\n') if b.strip()]
        lines = blocks[-1].splitlines()
        self.status = int(lines[0].split()[1])
        self.body = body
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(':')
            self.fields.setdefault(name.lower(), []).append(value.strip())

    def __getitem__(self, name):
        values = self.fields.get(name.lower(), [])
        assert len(values) <= 1, f'{name} is there {len(values)} times'
        return values[0] if values else None

    def problem(self, status, kind):
        assert (self.status, self['Content-Type']) == (status, 'application/problem+json')
        document = json.loads(self.body)
        assert list(document)[:4] == ['type', 'title', 'status', 'detail']  # as the server has it
        assert document['title'] == TITLES[str(status)]
        assert document['type'] == 'urn:mote:problem:' + kind
        assert document['status'] == status
        return document


class Web:
    """lighttpd as contrib/cgi configures it, over a fresh store."""

    def __init__(self, folder, rv32im, **values):
        self.folder = folder
        self.store = values.get('store', folder / 'store')
        for name in ('rom', 'ram', 'tmp', 'www'):
            (self.store / name).mkdir(parents=True)
        self.pem = folder / 'server.pem'
        self._make_certificate()
        self.values = {'script': CONTRIB / 'mcu.sh', 'rv32im': rv32im, 'store': self.store,
                       'pem': self.pem, **values}
        for _ in range(5):  # somebody else may take a port between here and lighttpd
            if self._start():
                return
        pytest.fail(f'lighttpd did not start:\n{self.log()}')

    def _make_certificate(self):
        key, certificate = self.folder / 'key.pem', self.folder / 'certificate.pem'
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                        '-subj', '/CN=localhost', '-addext',
                        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out',
                        certificate], check=True, capture_output=True)
        self.pem.write_bytes(certificate.read_bytes() + key.read_bytes())
        self.certificate = certificate

    def _configure(self):
        """The template with this test's values; every one of them must be there to be set."""
        text = (CONTRIB / 'lighttpd.conf').read_text()
        for name, value in self.values.items():
            text, count = re.subn(rf'^var\.{name} += ".*"', f'var.{name} = "{value}"', text,
                                  flags=re.M)
            assert count == 1, name
        path = self.folder / 'lighttpd.conf'
        path.write_text(text)
        return path

    def _start(self):
        self.port, self.tls_port = free_port(), free_port()
        self.values.update(http_port=self.port, tls_port=self.tls_port)
        with open(self.folder / 'log', 'wb') as log:
            self.process = subprocess.Popen(['/usr/sbin/lighttpd', '-D', '-f', self._configure()],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(('127.0.0.1', self.tls_port), 1).close()
            except OSError:
                time.sleep(0.02)
                continue
            self.url = f'http://127.0.0.1:{self.port}/mcu'
            self.tls_url = f'https://localhost:{self.tls_port}/mcu'
            return True
        self.stop()
        return False

    def log(self):
        return (self.folder / 'log').read_text(errors='replace')

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def curl(self, method, path='', *options, body=None, jar=None, url=None):
        work = self.folder / f'curl-{uuid.uuid4()}'
        work.mkdir()
        command = ['curl', '-sS', '--max-time', '60', '--path-as-is', '-D', work / 'head',
                   '-o', work / 'body', *options]
        command += ['-I'] if method == 'HEAD' else ['-X', method]
        if body is not None:
            (work / 'in').write_bytes(body)
            command += ['-H', 'Content-Type: application/octet-stream', '--data-binary',
                        f'@{work / "in"}']
        if jar:
            command += ['-b', jar, '-c', jar]
        subprocess.run([*command, (url or self.url) + path], check=True, capture_output=True)
        body_path = work / 'body'
        return Reply((work / 'head').read_text(errors='replace'),
                     body_path.read_bytes() if body_path.exists() else b'')

    def put(self, path, **more):
        """Uploads a file as a new ROM; gives its id."""
        reply = self.curl('PUT', body=path.read_bytes(), **more)
        assert reply.status == 201, reply.body
        return json.loads(reply.body)['id']

    def is_tidy(self):
        """Whether no request left a thing behind in tmp; the last one may still be at it."""
        until = time.monotonic() + 10
        while list((self.store / 'tmp').iterdir()) and time.monotonic() < until:
            time.sleep(0.02)
        left = sorted(str(p) for p in (self.store / 'tmp').rglob('*'))
        assert left == []
        return True

    def sessions(self):
        return sorted(p.parent.name for p in (self.store / 'ram').glob('*/image'))


@pytest.fixture
def start_web(tmp_path, rv32im):
    webs = []

    def start(**values):
        folder = tmp_path / f'web{len(webs)}'
        folder.mkdir()
        webs.append(Web(folder, values.pop('rv32im', rv32im), **values))
        return webs[-1]
    yield start
    for web in webs:
        web.stop()


@pytest.fixture
def web(start_web):
    return start_web()


@pytest.fixture
def jar(tmp_path):
    return tmp_path / 'jar'


@pytest.fixture
def rom(build):
    """rom('visits') is the path of that example."""
    return lambda name: build / 'roms' / f'{name}.elf'


def test_a_session_carries_on_by_cookies(web, jar, rom):
    put = web.curl('PUT', body=rom('visits').read_bytes(), jar=jar)
    document = json.loads(put.body)
    assert put.status == 201
    assert put['Location'] == '/mcu/' + document['id']
    assert re.fullmatch(UUID4, document['id'])
    assert document['size'] == rom('visits').stat().st_size and document['format'] == 'elf'
    assert put['ETag'] == f'"{document["sha256"]}"'
    assert put.fields['set-cookie'] == [
        f'rom={document["id"]}; Path=/mcu; HttpOnly; SameSite=Strict',
        'ram=; Path=/mcu; HttpOnly; SameSite=Strict; Max-Age=0']

    first = web.curl('POST', body=b'', jar=jar)
    assert (first.status, first.body) == (200, b'Welcome! Visit number 1.\n')
    assert first['Content-Type'] == 'text/plain; charset=utf-8'
    assert first.fields['set-cookie'] == [
        f'rom={document["id"]}; Path=/mcu; HttpOnly; SameSite=Strict',
        f'ram={first["Mcu-Ram"]}; Path=/mcu; HttpOnly; SameSite=Strict']
    second = web.curl('POST', body=b'', jar=jar)
    assert second.body == b'Welcome back! Visit number 2.\n'
    assert 'set-cookie' not in second.fields
    assert second['Mcu-Ram'] == first['Mcu-Ram'] and second['Mcu-Rom'] == document['id']
    assert (second['Mcu-Halt'], second['Mcu-Exit-Code'], second['Mcu-Committed']) == (
        'power-down', '0', 'yes')
    assert int(second['Mcu-Cycles']) >= int(second['Mcu-Instructions']) > 100
    assert second['Content-Security-Policy'] == 'sandbox'
    assert second['X-Content-Type-Options'] == 'nosniff'
    assert second['Cache-Control'] == 'no-store'
    assert web.sessions() == [first['Mcu-Ram']] and web.is_tidy()


def test_get_gives_rom_and_ram(web, jar, rom, cross):
    web.put(rom('upper'), jar=jar)
    got = web.curl('GET', jar=jar)
    assert got.status == 200 and got.body == rom('upper').read_bytes()
    assert got['Cache-Control'] == 'private, no-cache' and 'Cookie' in got['Vary']
    head = web.curl('HEAD', jar=jar)
    assert (head.status, head['Content-Length'], head['ETag']) == (
        200, str(len(got.body)), got['ETag'])

    counter = web.put(cross.bin(COUNTER))
    assert web.curl('GET', f'/{counter}').body == cross.bin(COUNTER).read_bytes()
    ram = web.curl('POST', f'/{counter}', body=b'')['Mcu-Ram']
    got = web.curl('GET', f'/{counter}/{ram}')
    assert (got.status, got.body) == (200, b'\x01')  # the zeros behind it are cut
    assert web.is_tidy()


def test_ram_can_be_put(web, cross):
    counter, session = web.put(cross.bin(COUNTER)), str(uuid.uuid4())
    assert web.curl('PUT', f'/{counter}/{session}', body=b'\x04').status == 201
    assert web.curl('POST', f'/{counter}/{session}', body=b'').body == b'E'
    assert web.curl('PUT', f'/{counter}/{session}', body=b'').status == 200
    empty = web.curl('GET', f'/{counter}/{session}')
    assert (empty.status, empty.body) == (200, b'')
    image = os.urandom(100000) + b'\x01'
    assert web.curl('PUT', f'/{counter}/{session}', body=image).status == 200
    assert web.curl('GET', f'/{counter}/{session}').body == image


def test_ids_in_the_path_win_and_roms_share_a_session(web, jar, rom, cross):
    counter, faulty = web.put(cross.bin(COUNTER)), web.put(cross.bin(FAULTY, name='faulty'))
    web.put(rom('upper'), jar=jar)
    assert web.curl('POST', body=b'quiet', jar=jar).body == b'QUIET'
    first = web.curl('POST', f'/{counter.upper()}', body=b'', jar=jar)
    assert first.body == b'A' and len(first.fields['set-cookie']) == 2
    session = first['Mcu-Ram']
    assert web.curl('POST', f'/{faulty}/{session}', body=b'').body == b'B'
    assert web.curl('POST', f'/{counter}/{session}', body=b'').body == b'C'
    # The cookie's session is the counter's: another ROM starts one of its own.
    other = web.curl('POST', f'/{faulty}', body=b'', jar=jar)
    assert other.body == b'A' and other['Mcu-Ram'] != session
    # A new upload expires it.
    web.put(cross.bin(COUNTER), jar=jar)
    assert web.curl('POST', body=b'', jar=jar).body == b'A'


def test_each_name_is_on_the_disk_before_the_reply(start_web, rom, tmp_path):
    """A script like ours, whose sync and mv note what they are called for."""
    folder, notes = tmp_path / 'bin', tmp_path / 'notes'
    folder.mkdir()
    for name in ('sync', 'mv'):
        (folder / name).write_text(
            f'#!/bin/sh\necho "{name} $*" >>{notes}\nexec /bin/{name} "$@"\n')
        (folder / name).chmod(0o755)
    script = tmp_path / 'mcu.sh'
    text = (CONTRIB / 'mcu.sh').read_text()
    assert text.count('\nPATH=') == 1
    script.write_text(text.replace('\nPATH=', f'\nPATH={folder}:'))
    script.chmod(0o755)
    web = start_web(script=script)
    program = web.put(rom('visits'))
    assert notes.read_text().splitlines() == [
        'sync body', f'mv -fT body {web.store}/rom/{program}', f'sync {web.store}/rom']
    for make in (lambda: web.curl('POST', f'/{program}', body=b'')['Mcu-Ram'],
                 lambda: web.curl('PUT', f'/{program}/{uuid.uuid4()}',
                                  body=b'x')['Location'].rpartition('/')[2]):
        notes.unlink()
        session = f'{web.store}/ram/{make()}'
        synced, moved, *names = notes.read_text().splitlines()
        assert synced.startswith('sync ') and moved.endswith(f' {session}/image')
        assert names == [f'sync {session}', f'sync {web.store}/ram']


def test_a_rom_can_be_replaced(web, rom, cross):
    counter = web.put(cross.bin(COUNTER))
    session = web.curl('POST', f'/{counter}', body=b'')['Mcu-Ram']
    assert web.curl('PUT', f'/{counter}', body=rom('upper').read_bytes()).status == 200
    assert web.curl('POST', f'/{counter}/{session}', body=b'now').body == b'NOW'
    named = str(uuid.uuid4())
    put = web.curl('PUT', f'/{named}', body=rom('upper').read_bytes())
    assert put.status == 201 and 'set-cookie' not in put.fields


@pytest.mark.parametrize('path, status', [
    ('/nonsense', 400),
    ('/6ba7b810-9dad-11d1-80b4-00c04fd430c8', 400),          # version 1
    ('/00000000-0000-4000-c000-000000000000', 400),          # another variant
    ('/00000000-0000-4000-8000-00000000000', 400),
    ('/00000000-0000-4000-8000-0000000000000', 400),
    ('/00000000-0000-4000-8000-00000000000*', 400),
    ('/????????-????-4???-a???-????????????', 400),
    ('/00000000-0000-4000-8000-000000000000%0a', 400),
    ('/%24%28id%29', 400),
    ('/..%2f..%2fetc%2fpasswd', 404),  # lighttpd resolves dots
    ('/../../../etc/passwd', 404),
    ('/../rom', 404),
    ('/00000000-0000-4000-8000-000000000000', 404),
    ('/00000000-0000-4000-8000-000000000000/..', 400),  # which is /mcu/
    ('/00000000-0000-4000-8000-000000000000/.%2e', 400),
    ('/00000000-0000-4000-8000-000000000000/nonsense', 400),
    ('/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000000', 404),
    ('/00000000-0000-4000-8000-000000000000/00000000-0000-4000-8000-000000000000/x', 404),
    ('.sh', 404),
    ('', 404),
])
def test_bad_paths_are_refused(web, path, status):
    for method in ('GET', 'POST'):
        reply = web.curl(method, path, body=b'x' if method == 'POST' else None)
        assert reply.status == status, (method, reply.body)
    assert web.sessions() == [] and web.is_tidy()


@pytest.mark.parametrize('path', ['/..', '/../../../etc/passwd', '/../tmp', '/', '//', '/a/..',
                                  '/00000000-0000-4000-8000-000000000000/', '/*', '/*/*', '/-',
                                  '/00000000-0000-4000-8000-000000000000\n',
                                  '/00000000-0000-4000-8000-000000000000/../rom'])
def test_the_script_trusts_no_server_to_clean_paths(web, rv32im, path):
    for method in ('GET', 'POST', 'PUT'):
        environment = {'MOTE_STORE': web.store, 'MOTE_RV32IM': rv32im, 'REQUEST_METHOD': method,
                       'PATH_INFO': path, 'CONTENT_LENGTH': '0'}
        reply = subprocess.run([CONTRIB / 'mcu.sh'], env=environment, stdin=subprocess.DEVNULL,
                               capture_output=True, check=True)
        assert re.match(rb'Status: 40[04]\n', reply.stdout) and reply.stderr == b''
    assert sorted(p.name for p in web.store.rglob('*')) == ['ram', 'rom', 'tmp', 'www']


def test_bad_cookies_count_as_absent(web, rom, cross):
    counter = web.put(cross.bin(COUNTER))
    for bad in ('rom=../../../../etc/passwd', f'rom={uuid.uuid4()}', 'rom=*', 'rom', '=; ;;'):
        reply = web.curl('POST', '', '-H', f'Cookie: {bad}', body=b'')
        reply.problem(404, 'no-rom')
    for bad in ('..', str(uuid.uuid4()), f'{counter}'):
        reply = web.curl('POST', '', '-H', f'Cookie: rom={counter}; ram={bad}', body=b'')
        assert reply.body == b'A' and reply['Mcu-Ram'] != bad
    quoted = web.curl('POST', '', '-H', f'Cookie: x=y;rom="{counter}"', body=b'')
    assert quoted.body == b'A'


def test_a_fault_rolls_back(web, cross):
    faulty = web.put(cross.bin(FAULTY))
    first = web.curl('POST', f'/{faulty}', body=b'!')
    document = first.problem(502, 'fault')
    assert document['address'] == '0x50000000' and document['cycles'] > 0
    assert 'fault' in document['detail'] and 'set-cookie' not in first.fields
    assert document['detail'].endswith('; no session was made')
    assert (first['Mcu-Halt'], first['Mcu-Committed'], first['Mcu-Ram']) == ('fault', 'no', None)
    assert web.sessions() == [] and not list((web.store / 'ram').iterdir())

    session = web.curl('POST', f'/{faulty}', body=b'')['Mcu-Ram']
    second = web.curl('POST', f'/{faulty}/{session}', body=b'!')
    assert second.problem(502, 'fault')['detail'].endswith('; the session is unchanged')
    assert second['Mcu-Ram'] == session
    third = web.curl('POST', f'/{faulty}/{session}', '-H', 'Accept: application/octet-stream',
                     body=b'!')
    assert (third.status, third.body) == (502, b'B')
    assert web.curl('POST', f'/{faulty}/{session}', body=b'').body == b'B'
    assert web.is_tidy()


BYTES, REPORT = 'application/octet-stream', 'application/problem+json'


@pytest.mark.parametrize('accept, wanted', [
    (None, REPORT), ('*/*', REPORT), ('text/html', REPORT), (BYTES, BYTES),
    ('Application/Octet-Stream', BYTES), (f'text/html , {BYTES} ; Q=0.5', BYTES),
    (f'{BYTES}, */*', REPORT), (f'{BYTES}, */*;q=0.1', BYTES), (f'*/*;q=0.1, {BYTES}', BYTES),
    ('application/*;q=0.5', REPORT), (f'application/*;q=0.5, {BYTES};q=0.6', BYTES),
    (f'application/*;q=0.5, {BYTES};q=0.4', REPORT), (f'*/*, {REPORT};q=0.9', BYTES),
    (f'{BYTES};q=0', REPORT), (f'{BYTES};q=2', REPORT), (f'{BYTES};q=0.1234', REPORT),
    (f'{BYTES};q', REPORT), (f'{BYTES};q=1.001', REPORT), (f'{BYTES};q=1.', BYTES),
    (f'{BYTES};q=1=1', REPORT), (f'{BYTES};x=q=0', BYTES), (f'{BYTES};v=1;q=0.3', BYTES),
    (f'{BYTES};q=0, {BYTES}', REPORT), (f'{BYTES}s', REPORT), ('application', REPORT),
    (',;,=', REPORT), (f'"{BYTES}"', REPORT)])
def test_accept_means_what_it_means_to_the_server(web, server, cross, accept, wanted):
    image = cross.bin(FAULTY)
    for url in (web.url, server.url + '/mcu'):
        program = json.loads(web.curl('PUT', url=url, body=image.read_bytes()).body)['id']
        field = ['-H', f'Accept: {accept}' if accept is not None else 'Accept:']
        reply = web.curl('POST', f'/{program}', *field, url=url, body=b'!')
        assert (reply.status, reply['Content-Type']) == (502, wanted), url


def test_the_caps_commit_and_answer_504(start_web, cross):
    web = start_web(max_cycles=20000)
    endless = web.put(cross.bin(ENDLESS))
    first = web.curl('POST', f'/{endless}', body=b'')
    assert (first.status, first.body, first['Mcu-Halt']) == (504, b'A', 'cycles')
    assert (first['Mcu-Cycles'], first['Mcu-Exit-Code']) == ('20000', None)
    path = f'/{endless}/{first["Mcu-Ram"]}'
    lower = web.curl('POST', path, '-H', 'Mcu-Max-Cycles: 500', body=b'')
    assert (lower.body, lower['Mcu-Cycles'], lower['Mcu-Committed']) == (b'B', '500', 'yes')
    higher = web.curl('POST', path, '-H', 'Mcu-Max-Cycles: 999999999', body=b'')
    assert (higher.body, higher['Mcu-Cycles']) == (b'C', '20000')
    for bad in ('0', '1e3', '-1', '9' * 19):
        web.curl('POST', path, '-H', f'Mcu-Max-Cycles: {bad}', body=b'').problem(400, 'bad-header')


def test_the_wall_clock_cap(start_web, cross):
    web = start_web(max_cycles=10 ** 15, max_ms=50)
    reply = web.curl('POST', f'/{web.put(cross.bin(ENDLESS))}', body=b'')
    assert (reply.status, reply['Mcu-Halt'], reply.body) == (504, 'time', b'A')


def test_exit_codes(web, cross):
    program = web.put(cross.bin(EXIT))
    reply = web.curl('POST', f'/{program}', body=b'\x07')
    assert (reply.status, reply['Mcu-Exit-Code'], reply['Mcu-Committed']) == (502, '7', 'yes')
    reply = web.curl('POST', f'/{program}', body=b'\xc8')
    assert (reply.status, reply['Mcu-Exit-Code']) == (502, '200')


def test_a_guest_sets_headers_within_bounds(web, cross):
    path = f'/{web.put(cross.bin(HEADERS))}'
    reply = web.curl('POST', path, body=b'Status: 404 Gone fishing\nX-Fish: trout\r\n'
                                        b'Content-Type: text/other\ncontent-type: text/html\n'
                                        b'Location: https://example.org/\nVary: X-Fish\n')
    assert (reply.status, reply.body, reply['X-Fish']) == (404, b'B', 'trout')
    assert reply['Content-Type'] == 'text/html'
    assert reply['Location'] == 'https://example.org/'
    assert {v for vary in reply.fields['vary'] for v in vary.split(', ')} == {'Cookie', 'X-Fish'}
    reply = web.curl('POST', path, body=b'Status: 201\nX-A: 1\nStatus: 404\nX-A: 2\n')
    assert reply.status == 404 and ', '.join(reply.fields['x-a']) == '1, 2'
    assert web.curl('POST', path, body=b'').fields['content-type'] == ['application/octet-stream']
    for status in (204, 205, 304):
        reply = web.curl('POST', path, body=b'Status: %d\n' % status)
        assert (reply.status, reply.body) == (status, b'')
    for bad in (b'Status: 199\n', b'Status: 600\n', b'Status: 2000\n', b'Status: fine\n',
                b'X: a\x01b\n', b'no colon\n', b': nameless\n'):
        reply = web.curl('POST', path, body=bad)
        reply.problem(502, 'fault')
        assert reply['Mcu-Committed'] == 'no' and reply['Mcu-Halt'] == 'fault'


def test_forbidden_headers_are_dropped(web, cross):
    rows = re.findall(r'FORBIDDEN\("(.*)"\)', (ROOT / 'src/service/forbidden.def').read_text())
    rows += ['X-Sendfile', 'X-Sendfile2', 'X-LIGHTTPD-send-file', 'X-Accel-Redirect']
    names = [name.replace('*', 'Evil') for name in rows]
    text = ''.join(f'{name}: /etc/passwd\n' for name in names + [n.upper() for n in names])
    reply = web.curl('POST', f'/{web.put(cross.bin(HEADERS))}', body=text.encode())
    assert (reply.status, reply.body) == (200, b'B')
    seen = [name for name, values in reply.fields.items() if any('passwd' in v for v in values)]
    assert seen == []


def test_a_guest_sees_the_request_but_no_ids(web, cross):
    program = web.put(cross.bin(ENVIRON))
    reply = web.curl('POST', f'/{program}?name=value', '-H', 'X-Fish: trout', '-H',
                     'Authorization: Basic c2VjcmV0', '-H', 'Cookie: secret=1', '-H',
                     f'Referer: http://localhost/mcu/{program}', body=b'12345')
    variables = dict(v.split('=', 1) for v in reply.body.decode().split('\0') if v)
    assert variables['REQUEST_METHOD'] == 'POST' and variables['QUERY_STRING'] == 'name=value'
    assert variables['CONTENT_LENGTH'] == '5' and variables['HTTP_X_FISH'] == 'trout'
    assert variables['CONTENT_TYPE'] == 'application/octet-stream'
    assert program not in reply.body.decode() and str(web.store) not in reply.body.decode()
    assert 'secret' not in reply.body.decode() and 'c2VjcmV0' not in reply.body.decode()


def test_tls(web, jar, rom):
    trust = ('--cacert', web.certificate)
    put = web.curl('PUT', '', *trust, body=rom('visits').read_bytes(), jar=jar, url=web.tls_url)
    assert put.status == 201
    assert all(c.endswith('Secure') or 'Secure;' in c for c in put.fields['set-cookie'])
    for number in (b'1', b'2'):
        reply = web.curl('POST', '', *trust, body=b'', jar=jar, url=web.tls_url)
        assert reply.status == 200 and b'number ' + number in reply.body
    untrusted = subprocess.run(['curl', '-s', '-o', os.devnull, web.tls_url])
    assert untrusted.returncode == 60  # its certificate is its own


@pytest.mark.parametrize('coding', ['gzip', 'deflate'])
def test_replies_are_compressed(web, rom, coding):
    path, text = f'/{web.put(rom("upper"))}', b'all work and no play ' * 1000
    reply = web.curl('POST', path, '-H', f'Accept-Encoding: {coding}', body=text)
    assert reply['Content-Encoding'] == coding and len(reply.body) < 1000
    unpack = gzip.decompress if coding == 'gzip' else lambda b: zlib.decompress(b, wbits=0)
    try:
        plain = unpack(reply.body)
    except zlib.error:
        plain = zlib.decompress(reply.body, wbits=-15)  # the other reading of `deflate`
    assert plain == text.upper()
    assert web.curl('POST', path, body=text)['Content-Encoding'] is None


def test_posts_to_one_session_take_turns(web, cross):
    counter = web.put(cross.bin(COUNTER))
    session = web.curl('PUT', f'/{counter}/{(one := str(uuid.uuid4()))}', body=b'')
    assert session.status == 201
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(
            lambda _: web.curl('POST', f'/{counter}/{one}', body=b''), range(10)))
    assert sorted(r.body for r in replies) == [bytes([65 + i]) for i in range(10)]
    assert web.curl('GET', f'/{counter}/{one}').body == bytes([10])
    assert web.is_tidy()


def test_a_busy_session_answers_429(start_web, cross):
    web = start_web(queue_s=0)
    counter, one = web.put(cross.bin(COUNTER)), str(uuid.uuid4())
    web.curl('PUT', f'/{counter}/{one}', body=b'\x01')
    folder = os.open(web.store / 'ram' / one, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # as a run under way does
    busy = web.curl('POST', f'/{counter}/{one}', body=b'')
    busy.problem(429, 'queue-timeout')
    assert busy['Retry-After'] == '1'
    assert web.curl('PUT', f'/{counter}/{one}', body=b'').status == 429
    os.close(folder)
    assert web.curl('POST', f'/{counter}/{one}', body=b'').body == b'B' and web.is_tidy()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; needs root, as mounting does."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', folder],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


@pytest.mark.parametrize('room', [0, 4096, 3 * 4096, 5 * 4096, 7 * 4096])
def test_a_full_disk_is_told_and_loses_nothing(start_web, small_disk, cross, room):
    """However far a request comes before the disk is full, its session has all of it or none."""
    web = start_web(store=small_disk)
    counter, one = web.put(cross.bin(COUNTER)), str(uuid.uuid4())
    assert web.curl('PUT', f'/{counter}/{one}', body=b'\x03').status == 201
    assert web.is_tidy()
    filler = small_disk / 'filler'
    with open(filler, 'wb', buffering=0) as file:
        with pytest.raises(OSError):
            while file.write(bytes(4096)):
                pass
        file.truncate(max(0, file.tell() - room))
    full = web.curl('POST', f'/{counter}/{one}', body=b'x' * 5000)
    assert full.status in (200, 507), full.body
    if full.status == 507:
        full.problem(507, 'store-full')
    assert full.status == 507 or room > 0
    assert web.is_tidy()
    filler.unlink()
    count = 4 if full.status == 200 else 3
    assert web.curl('GET', f'/{counter}/{one}').body == bytes([count])


def test_a_script_that_is_ended_leaves_no_trace(start_web, rv32im, cross):
    web = start_web()
    endless, one = web.put(cross.bin(ENDLESS)), str(uuid.uuid4())
    web.curl('PUT', f'/{endless}/{one}', body=b'\x09')
    environment = {'MOTE_STORE': web.store, 'MOTE_RV32IM': rv32im, 'REQUEST_METHOD': 'POST',
                   'PATH_INFO': f'/{endless}/{one}', 'CONTENT_LENGTH': '0',
                   'MOTE_MAX_CYCLES': str(10 ** 15), 'MOTE_MAX_MS': '60000'}
    script = subprocess.Popen([CONTRIB / 'mcu.sh'], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE)
    until = time.monotonic() + 20
    while not list((web.store / 'tmp').glob('*/stats')) and time.monotonic() < until:
        time.sleep(0.02)
    assert list((web.store / 'tmp').glob('*/stats'))  # it runs
    script.terminate()
    output, _ = script.communicate(timeout=20)  # long before its cap
    assert (script.returncode, output) == (143, b'')
    assert web.curl('GET', f'/{endless}/{one}').body == b'\x09' and web.is_tidy()


@pytest.fixture
def hanging(tmp_path):
    """A program in the place of rv32im that does not end, with a child of its own; `pids` are both
    of them, once it runs."""
    pids = tmp_path / 'pids'
    program = tmp_path / 'hanging'
    program.write_text(f'#!/bin/sh\nsleep 1000 &\necho $$ $! >{pids}\nwait\n')
    program.chmod(0o755)

    class Hanging:
        path = program

        def wait(self):
            until = time.monotonic() + 20
            while not (pids.exists() and pids.read_text().endswith('\n')):
                assert time.monotonic() < until
                time.sleep(0.02)

        def is_gone(self):
            until = time.monotonic() + 20
            while any(os.path.exists(f'/proc/{pid}/root/') for pid in pids.read_text().split()):
                assert time.monotonic() < until, 'it runs still'
                time.sleep(0.02)
            return True
    return Hanging()


def test_a_script_that_is_ended_while_it_checks_leaves_no_trace(start_web, hanging, rom):
    web = start_web()
    image = rom('upper').read_bytes()
    environment = {'MOTE_STORE': web.store, 'MOTE_RV32IM': hanging.path, 'REQUEST_METHOD': 'PUT',
                   'PATH_INFO': '', 'CONTENT_LENGTH': str(len(image))}
    script = subprocess.Popen([CONTRIB / 'mcu.sh'], env=environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    script.stdin.write(image)
    script.stdin.flush()
    hanging.wait()
    script.terminate()
    output, _ = script.communicate(timeout=20)
    assert (script.returncode, output) == (143, b'')
    assert hanging.is_gone() and web.is_tidy() and not list((web.store / 'rom').iterdir())


def test_a_program_that_hangs_is_killed(start_web, hanging, rom):
    web = start_web(rv32im=hanging.path, max_ms='1')
    document = web.curl('PUT', body=rom('upper').read_bytes()).problem(503, 'worker-died')
    assert 'nothing is stored' in document['detail']
    assert hanging.is_gone() and web.is_tidy()


def test_an_image_of_overlapping_names_is_checked_at_once(web):
    assert web.curl('PUT', body=overlapping_elf(8 << 20)).status == 201


def test_what_a_power_cut_left_is_swept(web, rom):
    tmp = web.store / 'tmp'
    for age in ('old', 'new'):
        (tmp / age / 'below').mkdir(parents=True)
        (tmp / age / 'image').touch()
        (tmp / f'lighttpd-upload-{age}').touch()  # a body that lighttpd was taking
    for left in (tmp / 'old', tmp / 'lighttpd-upload-old'):
        os.utime(left, (1, 1))
    web.put(rom('upper'))
    assert {path.name for path in tmp.iterdir()} >= {'new', 'lighttpd-upload-new'}
    assert not list(tmp.glob('*old'))


def test_methods(web, rom):
    path = f'/{web.put(rom("upper"))}'
    for method in ('DELETE', 'PATCH', 'PROPFIND'):
        reply = web.curl(method, path)
        reply.problem(405, 'method')
        assert reply['Allow'] == 'GET, HEAD, OPTIONS, POST, PUT'
    reply = web.curl('OPTIONS', path)
    assert (reply.status, reply['Allow']) == (204, 'GET, HEAD, OPTIONS, POST, PUT')


def test_a_body_over_the_window_is_413(web, rom):
    path = f'/{web.put(rom("upper"))}'
    web.curl('POST', path, body=bytes(WINDOW + 1)).problem(413, 'too-large')
    web.curl('PUT', body=bytes(WINDOW + 1)).problem(413, 'too-large')
    assert web.curl('POST', path, body=bytes(40 << 20)).status == 413  # lighttpd's own limit
    assert web.curl('POST', path, body=bytes(WINDOW)).status == 200
    assert web.sessions() != [] and web.is_tidy()


def test_chunked_bodies(web, rom):
    path = f'/{web.put(rom("upper"))}'
    reply = web.curl('POST', path, '-H', 'Transfer-Encoding: chunked', body=b'in pieces')
    assert (reply.status, reply.body) == (200, b'IN PIECES')


def test_what_is_not_taken(web, rom):
    path = f'/{web.put(rom("upper"))}'
    web.curl('POST', path, '-H', 'Content-Encoding: gzip', body=b'x').problem(415, 'encoding')
    web.curl('POST', path, '-H', 'Content-Encoding: identity, gzip',
             body=b'x').problem(415, 'encoding')
    for coding in 'identity', ', Identity ,,identity', ',':
        assert web.curl('POST', path, '-H', f'Content-Encoding: {coding}', body=b'x').body == b'X'
    web.curl('PUT', path, '-H', 'Content-Range: bytes 0-0/1', body=b'x').problem(400, 'range')
    web.curl('PUT', '?format=raw', body=b'x').problem(501, 'not-built')
    for query in ('?x=1', '?x=1&format=raw', '?Format=raw'):
        web.curl('PUT', query, body=b'x').problem(400, 'query')


# What the server answers with 501, since this script has no table of its own to forget one in, and
# what the server has and this road has not.
UNBUILT = re.findall(r'^FIELD\("([\w-]+)", +\w+, WRITES,',
                     (ROOT / 'src/service/field.def').read_text(), re.M)
UNBUILT += ['If-Match', 'If-None-Match', 'Mcu-Ephemeral', 'Mcu-Seed']


def test_what_is_not_built_is_never_ignored(web, rom):
    path = f'/{web.put(rom("upper"))}'
    assert len(UNBUILT) >= 8
    for field in UNBUILT:
        for method in 'POST', 'PUT':
            document = web.curl(method, path, '-H', f'{field}: *', body=b'x').problem(
                501, 'not-built')
            assert field.upper().replace('-', '_') in document['detail']
    assert web.sessions() == []


def test_cache_fields(web, rom):
    path = f'/{web.put(rom("upper"))}'
    for method, status, cache in (('GET', 200, 'private, no-cache'), ('POST', 200, 'no-store')):
        reply = web.curl(method, path, body=b'x' if method == 'POST' else None)
        assert (reply.status, reply['Cache-Control']) == (status, cache)
        assert 'Cookie' in reply['Vary']


def test_a_bad_image_is_422(web, rom):
    elf = bytearray(rom('upper').read_bytes())
    elf[18:20] = (62).to_bytes(2, 'little')  # says it is for another processor
    document = web.curl('PUT', body=bytes(elf)).problem(422, 'bad-image')
    assert str(web.store) not in document['detail']
    web.curl('PUT', body=b':00000001FF\n').problem(422, 'bad-image')
    assert list((web.store / 'rom').iterdir()) == [] and web.is_tidy()


@pytest.mark.parametrize('body, kind, entry', [
    (b':020000042000DA\n:040000006162636472\n:0400000520000002D5\n:00000001FF\n', 'hex',
     0x20000002),
    (b'S30820000000616263B1\nS9030000FC\n', 'srec', 0x20000000),
    (b'abcd', 'raw', 0x20000000),
])
def test_put_tells_format_and_entry(web, body, kind, entry):
    reply = web.curl('PUT', body=body)
    assert reply.status == 201, reply.body
    document = json.loads(reply.body)
    assert (document['format'], document['entry']) == (kind, entry)


def call_script(web, rv32im, **variables):
    """The script's reply without a server that has looked at the request before it."""
    environment = {'MOTE_STORE': web.store, 'MOTE_RV32IM': rv32im, 'REQUEST_METHOD': 'OPTIONS',
                   **variables}
    done = subprocess.run([variables.get('script', CONTRIB / 'mcu.sh')], env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert done.stderr == b''
    return done.stdout


@pytest.mark.parametrize('host, status', [
    ('localhost', 204), ('LocalHost:8080', 204), ('127.0.0.1:', 204), ('[::1]', 204),
    ('[::1]:65535', 204), ('localhost:080', 204), ('Mote.Example', 204), ('mote.example:1', 204),
    ('evil.example', 421), ('localhost.', 421), ('localhost:99999', 400), ('localhost:http', 400),
    ('localhost:1:1', 400), ('[::1]:65536', 400), ('[::1', 400), ('::1', 400), ('*', 421),
    ('localhost:99999999999999999999', 400)])
def test_host_means_what_it_means_to_the_server(web, rv32im, host, status):
    reply = call_script(web, rv32im, HTTP_HOST=host, MOTE_HOSTS='mote.EXAMPLE')
    assert reply.startswith(b'Status: %d\n' % status)


def test_pages_of_other_sites_are_refused(web, rom):
    path = f'/{web.put(rom("upper"))}'
    web.curl('GET', path, '-H', 'Host: evil.example').problem(421, 'host')
    for field, kind in (('Origin: http://evil.example', 'origin'), ('Origin: null', 'origin'),
                        (f'Origin: https://127.0.0.1:{web.port}', 'origin'),
                        ('Sec-Fetch-Site: cross-site', 'site')):
        web.curl('POST', path, '-H', field, body=b'').problem(403, kind)
    own = f'Origin: HTTP://127.0.0.1:{web.port}'
    assert web.curl('POST', path, '-H', own, '-H', 'Sec-Fetch-Site: same-origin',
                    body=b'a').body == b'A'


def test_more_hosts_can_be_named(start_web, rom):
    web = start_web(hosts='mote.example other.example')
    path = f'/{web.put(rom("upper"))}'
    reply = web.curl('POST', path, '-H', 'Host: mote.example:8080', body=b'a')
    assert (reply.status, reply.body) == (200, b'A')


def test_a_store_that_is_missing_is_said(web):
    os.rename(web.store / 'ram', web.store / 'gone')
    web.curl('GET').problem(500, 'internal')
