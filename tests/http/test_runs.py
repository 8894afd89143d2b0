# test_runs.py - POST: headers, sessions, caps, what a guest may set, every kind of fault
# SPDX-License-Identifier: MIT
import json
import re

import pytest


def test_every_run_tells_how_it_went(client, rom):
    reply = client('POST', rom('echo'), b'hello')
    assert reply.status == 200 and reply.body == b'hello'
    assert reply['Mcu-Halt'] == 'power-down' and reply['Mcu-Exit-Code'] == '0'
    assert int(reply['Mcu-Cycles']) == int(reply['Mcu-Instructions']) > 5
    assert reply['Mcu-Committed'] == 'yes'
    for name in 'Mcu-Rom', 'Mcu-Ram', 'Mcu-Run':
        assert len(reply[name]) == 36
    assert reply['Mcu-Ram-Version']
    assert re.findall(r'(\w+);dur=', reply['Server-Timing']) == ['queue', 'setup', 'run', 'commit']
    assert reply['Content-Type'] == 'application/octet-stream'


def test_the_same_run_costs_the_same(client, rom):
    path = rom('echo')
    costs = {client('POST', path, b'x' * 1000)['Mcu-Cycles'] for _ in range(3)}
    assert len(costs) == 1


def test_a_chunked_body(client, rom):
    reply = client('POST', rom('echo'), iter([b'one', b'', b'two']))
    assert reply.body == b'onetwo'


def test_a_body_of_the_whole_window(client, rom):
    body = bytes(range(256)) * 4
    assert client('POST', rom('echo'), body).body == body
    assert client('POST', rom('undeclared'), bytes(33554432)).body == b'A' + bytes(8) + b'B'
    assert client('POST', rom('echo'), bytes(33554433)).status == 413


def test_out_is_cut_after_its_last_byte_unless_declared(client, rom):
    assert client('POST', rom('undeclared')).body == b'A' + bytes(8) + b'B'
    assert client('POST', rom('empty')).body == b''


def test_sessions_carry_on(client, rom):
    path = rom('count')
    first = client('POST', path)
    session = f'{path}/{first["Mcu-Ram"]}'
    assert [client('POST', session).body for _ in range(3)] == [b'2', b'3', b'4']
    assert client('POST', path).body == b'1'


def test_the_boot_reason(client, rom):
    path = rom('boot')
    first = client('POST', path)
    assert first.body == b'0'
    assert client('POST', f'{path}/{first["Mcu-Ram"]}').body == b'1'


def test_exit_codes(client, rom):
    path = rom('exit')
    reply = client('POST', path, b'7')
    assert reply.status == 502 and reply['Mcu-Exit-Code'] == '7'
    assert reply['Mcu-Committed'] == 'yes'


@pytest.mark.parametrize('fields, halt', [({'Mcu_Max_Cycles': '5000'}, 'cycles'),
                                          ({'Mcu_Max_Ms': '50'}, 'time')])
def test_caps_commit_and_reply_as_far_as_it_got(client, rom, fields, halt):
    path = rom('forever')
    reply = client('POST', path, **fields)
    assert reply.status == 504 and reply['Mcu-Halt'] == halt and reply.body == b'F'
    assert reply['Mcu-Committed'] == 'yes'
    if halt == 'cycles':
        assert reply['Mcu-Cycles'] == '5000'
    assert client('GET', f'{path}/{reply["Mcu-Ram"]}').body[:1] == b'\x01'


def test_caps_are_lowered_never_raised(client_of, start_server, firmware):
    client = client_of(start_server('--max-cycles', '3000'))
    path = '/mcu/' + client.put(firmware('forever'))
    assert client('POST', path, Mcu_Max_Cycles='999999')['Mcu-Cycles'] == '3000'
    for bad in '', '0', '-1', '1e3', '9' * 30, '1 2':
        reply = client('POST', path, Mcu_Max_Cycles=bad)
        assert reply.status == 400
        assert 'Mcu-Max-Cycles is' in (detail := json.loads(reply.body)['detail'])
        assert f'`{bad}`' in detail


def test_the_request_in_meta(client, rom):
    reply = client('POST', rom('environ') + '?a=b&c', b'abc', Content_Type='text/x', X_Fish='1',
                   Cookie='secret=1', Authorization='Basic x', Proxy='x',
                   Referer='http://localhost/secret', X_Original_URI='/secret')
    strings = reply.body.split(b'\0')
    assert strings[-2:] == [b'', b'']
    variables = dict(s.split(b'=', 1) for s in strings[:-2])
    assert variables[b'REQUEST_METHOD'] == b'POST'
    assert variables[b'QUERY_STRING'] == b'a=b&c'
    assert variables[b'CONTENT_TYPE'] == b'text/x' and variables[b'CONTENT_LENGTH'] == b'3'
    assert variables[b'HTTP_X_FISH'] == b'1'
    assert not {b'HTTP_COOKIE', b'HTTP_AUTHORIZATION', b'HTTP_PROXY'} & set(variables)
    assert b'secret' not in reply.body


def test_what_a_guest_may_set(client, rom):
    path = rom('meta')
    reply = client('POST', path,
                   b'Status: 404 Gone Fishing\nX-Fish: cod\r\nContent-Type: text/html\n')
    assert reply.status == 404 and reply['X-Fish'] == 'cod' and reply.body == b'B'
    assert reply.all('Content-Type') == ['text/html']
    assert reply['Mcu-Committed'] == 'yes'
    for status in 204, 205, 304:
        empty = client('POST', path, b'Status: %d\n' % status)
        assert empty.status == status and empty.body == b''


def test_of_a_reply_header_that_comes_again(client, rom):
    reply = client('POST', rom('meta'), b'Status: 201\nContent-Type: a/b\nX-Fish: cod\n'
                   b'status: 404\ncontent-type: text/html\nx-fish: eel\nVary: X-Fish\n')
    assert reply.status == 404 and reply.all('Content-Type') == ['text/html']
    assert reply.all('X-Fish') == ['cod', 'eel']
    assert reply.all('Vary') == ['Cookie', 'X-Fish']  # the server's and the guest's


@pytest.mark.parametrize('name', [
    'Set-Cookie', 'Content-Length', 'Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade',
    'Trailer', 'Date', 'Cache-Control', 'X-Content-Type-Options', 'Content-Security-Policy',
    'Strict-Transport-Security', 'Clear-Site-Data', 'Alt-Svc', 'Report-To', 'Reporting-Endpoints',
    'NEL', 'Access-Control-Allow-Origin', 'Mcu-Halt', 'mcu-anything'])
def test_what_a_guest_may_not_set(client, rom, name):
    reply = client('POST', rom('meta'), f'{name}: evil\n'.encode())
    assert reply.status == 200 and reply.body == b'B'
    assert 'evil' not in reply.all(name)


@pytest.mark.parametrize('lines', [b'X: a\rb\n', b'X: a\0b\n', b'no colon\n', b'X y: a\n',
                                   b'Status: 199\n', b'Status: 600\n', b'Status: fish\n',
                                   b'Status: 2000\n', b': a\n', b'Status: 600\nStatus: 200\n',
                                   b'Status: 200\nStatus: 600\n',
                                   b'Content-Type: a\x01b\nContent-Type: a/b\n'])
def test_bad_reply_headers_are_a_fault(client, rom, lines):
    path = rom('meta')
    reply = client('POST', path, lines)
    assert reply.status == 502 and reply['Mcu-Halt'] == 'fault'
    assert reply['Mcu-Committed'] == 'no' and reply['Mcu-Ram'] is None
    assert reply['Content-Type'] == 'application/problem+json'


# Each changes what a browser, a cache or a proxy does beyond this one reply, or did before a page.
STEERING = '''
    Set-Cookie Set-Cookie2 Set-Login WWW-Authenticate Authentication-Info Clear-Site-Data
    Cache-Control CDN-Cache-Control Surrogate-Control Surrogate-Key X-Accel-Redirect X-Sendfile
    Akamai-Cache-Control Netlify-CDN-Cache-Control Vercel-CDN-Cache-Control Edge-Control
    X-Reproxy-URL
    Permissions-Policy Permissions-Policy-Report-Only Feature-Policy Referrer-Policy
    Cross-Origin-Opener-Policy Cross-Origin-Embedder-Policy Cross-Origin-Resource-Policy
    Cross-Origin-Embedder-Policy-Report-Only Document-Policy Integrity-Policy
    Integrity-Policy-Report-Only Content-Security-Policy Content-Security-Policy-Report-Only
    X-Content-Security-Policy X-WebKit-CSP X-Frame-Options X-XSS-Protection
    X-Permitted-Cross-Domain-Policies Origin-Agent-Cluster Service-Worker-Allowed Speculation-Rules
    Timing-Allow-Origin Access-Control-Allow-Origin Refresh Strict-Transport-Security
    Public-Key-Pins Public-Key-Pins-Report-Only Expect-CT Accept-CH Critical-CH Alt-Svc Report-To
    Reporting-Endpoints NEL Server-Timing Mcu-Halt
'''.split()


def test_a_guest_cannot_steer_browsers_and_proxies(client, rom):
    lines = ''.join(f'{name}: evil\n{name.upper()}: evil\n' for name in STEERING)
    reply = client('POST', rom('meta'), lines.encode() + b'X-Fish: evil\nX-Cache-Controls: evil\n')
    assert reply.status == 200
    kept = [name for name, value in reply.fields if value == 'evil']
    assert kept == ['X-Fish', 'X-Cache-Controls']


def test_a_fault_rolls_back(client, rom):
    path, broken = rom('count'), rom('write_then_fault')
    ram = client('POST', path)['Mcu-Ram']
    before = client('GET', f'{path}/{ram}')
    reply = client('POST', f'{broken}/{ram}')
    assert reply.status == 502 and reply['Mcu-Halt'] == 'fault'
    assert reply['Mcu-Committed'] == 'no' and reply['Mcu-Ram'] == ram
    assert json.loads(reply.body)['detail'].endswith('; the session is unchanged')
    after = client('GET', f'{path}/{ram}')
    assert before.body[:1] == b'\x01'
    assert after.body == before.body and after['ETag'] == before['ETag']


def test_a_first_run_that_faults_makes_no_session(client, rom):
    reply = client('POST', rom('write_then_fault'))
    assert reply['Mcu-Ram'] is None and not reply.cookies()
    assert json.loads(reply.body)['detail'].endswith('; no session was made')
    assert json.loads(client('GET', '/sessions').body) == []


def test_the_report_of_a_fault(client, rom):
    path = rom('write_then_fault')
    report = json.loads(client('POST', path).body)
    assert report['mcause'] == 7 and report['address'] == '0x00000004'
    assert report['cause'] == 'store/AMO access fault'
    assert report['place'] == 'unmapped'
    assert len(report['registers']) == 31 and report['cycles'] > 0
    assert report['backtrace'][0]['symbol'] == '_start'
    assert report['backtrace'][0]['address'] == report['pc']
    raw = client('POST', path, Accept='application/octet-stream')
    assert raw.status == 502 and raw.body == b'X'


# Names of functions; a call of `leave` returns before the fault, so x1 is stale then.
CALLS = '''
#define APART __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls")))
APART void leave(void) { asm volatile(""); }
APART int fault(void) { return *(volatile int *)4; }
APART int stale(void) { leave(); return *(volatile int *)4; }
APART int call_fault(void) { int r = fault(); asm volatile(""); return r; }
APART int call_stale(void) { int r = stale(); asm volatile(""); return r; }
APART int lose(void) { asm volatile("mv ra, %0; lw t0, 4(zero)" :: "r"(leave) : "t0", "ra");
                       return 0; }
APART int astray(void) { ((void (*)(void))0x22000000)(); asm volatile(""); return 1; }
void _start(void) { START(); for (;;) {} }
'''


@pytest.mark.parametrize('start, frames', [
    ('call_fault', ['fault', 'call_fault']),
    ('call_stale', ['stale']),             # x1 points behind the call of leave, in stale itself
    ('lose', ['lose']),                    # x1 points at code that no call stands before
    ('astray', [None, 'astray']),          # a jump to where no function is
])
def test_a_back_trace_holds_what_is_known(client, cross, start, frames):
    path = '/mcu/' + client.put(cross.c(CALLS.replace('START', start)))
    trace = json.loads(client('POST', path).body)['backtrace']
    assert [frame.get('symbol') for frame in trace] == frames


@pytest.mark.parametrize('start, frames', [
    ('call_fault', ['fault', 'call_fault', '_start']),
    ('call_stale', ['stale', 'call_stale', '_start']),  # its x1 is on the stack
    ('lose', ['lose', '_start']),                      # and so is what it had of its caller
    ('astray', [None, 'astray', '_start']),
])
@pytest.mark.parametrize('flags', [['-g'], ['-fasynchronous-unwind-tables']])
def test_a_back_trace_goes_to_the_start_by_call_frames(client, cross, start, frames, flags):
    """From .debug_frame and from .eh_frame, behind the walls of a run."""
    path = '/mcu/' + client.put(cross.c(CALLS.replace('START', start), flags=flags))
    report = json.loads(client('POST', path).body)
    assert [frame.get('symbol') for frame in report['backtrace']] == frames
    assert report['backtrace'][0]['address'] == report['pc']


@pytest.mark.parametrize('accept, is_raw', [
    ('application/octet-stream', True),
    ('application/octet-stream, */*;q=0.1', True),
    ('application/problem+json;q=0.5, application/octet-stream', True),
    ('application/*;q=0.2, application/octet-stream;q=0.3', True),
    ('application/problem+json;q=0, */*', True),
    ('*/*', False),
    ('application/octet-stream, application/problem+json', False),
    ('application/octet-stream;q=0.1, */*', False),
    ('text/html', False),
])
def test_a_fault_is_told_as_the_client_prefers(client, rom, accept, is_raw):
    reply = client('POST', rom('write_then_fault'), Accept=accept)
    assert reply.status == 502 and reply['Mcu-Halt'] == 'fault'
    assert (reply.body == b'X') == is_raw


FAULTS = {
    'write_rom': (7, 'ROM'),
    'jump_to_in': (1, 'IN'),
    'execute_zeros': (2, None),
    'unmapped': (5, 'unmapped'),
    'clint': (5, 'CLINT'),
    'recurse': (7, None),
}


@pytest.mark.parametrize('name', FAULTS)
def test_bad_accesses(client, rom, name):
    cause, place = FAULTS[name]
    reply = client('POST', rom(name))
    report = json.loads(reply.body)
    assert reply.status == 502 and report['mcause'] == cause
    if place:
        assert report['place'].startswith(place)
    assert client('GET', '/healthz').status == 200


@pytest.mark.parametrize('name, halt', [('forever', 'cycles'), ('trap_forever', 'cycles')])
def test_guests_that_never_end(client, rom, name, halt):
    reply = client('POST', rom(name), Mcu_Max_Cycles='1000000')
    assert reply.status == 504 and reply['Mcu-Halt'] == halt
    assert client('GET', '/healthz').status == 200


@pytest.mark.parametrize('name', ['jump_to_itself', 'wait_for_interrupt'])
def test_guests_that_can_never_change_again_power_down(client, rom, name):
    reply = client('POST', rom(name))
    assert reply.status == 200 and reply['Mcu-Halt'] == 'power-down'


def test_a_full_out(client, rom):
    reply = client('POST', rom('fill_out'))
    assert reply.status == 200 and len(reply.body) == 33554432
    assert reply.body.count(b'\xff') == 33554432


def test_console_logs(client, rom):
    run = client('POST', rom('console'))
    assert run.body == b''
    log = client('GET', f'/runs/{run["Mcu-Run"]}/console')
    assert log.status == 200 and log.body == b'hello\n'
    assert log['Content-Security-Policy'] == 'sandbox'


def test_an_ephemeral_run_keeps_nothing(client, rom):
    path = rom('count')
    first = client('POST', path, Mcu_Ephemeral='true')
    assert first.status == 200 and first.body == b'1' and first['Mcu-Committed'] == 'no'
    assert first['Mcu-Ram'] is None and first['Mcu-Ram-Version'] is None and not first.cookies()
    assert json.loads(client('GET', '/sessions').body) == []
    kept = client('POST', path, Mcu_Ephemeral='False')
    session = f'{path}/{kept["Mcu-Ram"]}'
    before = client('GET', session)
    for fields in {}, {'Mcu-Seed': '1'}:
        run = client('POST', session, Mcu_Ephemeral='TRUE', **fields)
        assert run.body == b'2' and run['Mcu-Committed'] == 'no'
        assert run['Mcu-Ram'] == kept['Mcu-Ram']
        assert run['Mcu-Ram-Version'] == kept['Mcu-Ram-Version']
    after = client('GET', session)
    assert after.body == before.body and after['ETag'] == before['ETag']
    assert client('POST', session).body == b'2'
    for name, status in ('exit', 502), ('write_then_fault', 502):
        assert client('POST', rom(name), b'3', Mcu_Ephemeral='true').status == status


@pytest.mark.parametrize('value', ['', '1', 'yes', '?1', 'true, true'])
def test_a_bad_ephemeral_is_400(client, rom, value):
    reply = client('POST', rom('count'), Mcu_Ephemeral=value)
    assert reply.status == 400 and f'`{value}`' in json.loads(reply.body)['detail']


def test_the_seed(client, rom):
    path = rom('seed')
    assert client('POST', path).body == bytes(16) and client('POST', path)['Mcu-Seed'] is None
    for value in '0', '7f', 'abc', '0123456789abcdef0123456789ABCDEF':
        run = client('POST', path, Mcu_Seed=value)
        assert run.body == int(value, 16).to_bytes(16, 'little')
        assert int(run['Mcu-Seed'], 16) == int(value, 16) and len(run['Mcu-Seed']) == 32
    seeds = set()
    for _ in range(2):
        run = client('POST', path, Mcu_Seed='random')
        assert run.body == int(run['Mcu-Seed'], 16).to_bytes(16, 'little')
        again = client('POST', path, Mcu_Seed=run['Mcu-Seed'])
        assert again.body == run.body
        seeds.add(run.body)
    assert len(seeds) == 2


@pytest.mark.parametrize('value', ['', '0x1', '-1', 'fish', '1 2', '0' * 33])
def test_a_bad_seed_is_400(client, rom, value):
    reply = client('POST', rom('seed'), Mcu_Seed=value)
    assert reply.status == 400 and 'Mcu-Seed is' in (detail := json.loads(reply.body)['detail'])
    assert f'`{value}`' in detail


def past(client, reply):
    run = client('GET', f'/runs/{reply["Mcu-Run"]}')
    assert run.status == 200 and run['Content-Type'] == 'application/json'
    document = json.loads(run.body)
    assert document['run'] == reply['Mcu-Run'] and document['halt'] == reply['Mcu-Halt']
    assert document['cycles'] == int(reply['Mcu-Cycles'])
    assert document['committed'] == (reply['Mcu-Committed'] == 'yes')
    # Whoever is told of a run gets no right to its ROM and session.
    assert document['rom'] == reply['Mcu-Rom'][:8] and reply['Mcu-Rom'].encode() not in run.body
    assert document.get('ram') == (reply['Mcu-Ram'] and reply['Mcu-Ram'][:8])
    return document


def test_how_a_past_run_ended(client, rom):
    echo = past(client, client('POST', rom('echo'), b'hello', Mcu_Seed='a'))
    assert echo['exit_code'] == 0 and echo['out_bytes'] == 5 and echo['console_bytes'] == 0
    assert int(echo['seed'], 16) == 10 and not echo['ephemeral'] and 'fault' not in echo
    assert echo['run_ms'] >= 0 and echo['ended_ms'] > 1.7e12
    assert past(client, client('POST', rom('console')))['console_bytes'] == 6
    assert past(client, client('POST', rom('exit'), b'7'))['exit_code'] == 7
    assert 'exit_code' not in past(client, client('POST', rom('forever'), Mcu_Max_Cycles='5000'))
    assert past(client, client('POST', rom('count'), Mcu_Ephemeral='true'))['ephemeral']
    fault = past(client, client('POST', rom('write_then_fault')))['fault']
    assert fault['address'] == '0x00000004' and fault['backtrace'][0]['symbol'] == '_start'
    assert 'after' in fault['detail']
    headers = past(client, client('POST', rom('meta'), b'Status: 600\n'))['fault']
    assert headers['cause'] == 'reply headers' and '600' in headers['detail']
