# test_queue.py - who runs when: sessions in order and side by side, clients that go away
# SPDX-License-Identifier: MIT
import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

LONG = b'400000'  # the spin firmware: about a second and more of work on any engine here
WAIT_SECONDS = 60


def children_of(server):
    """Processes below the server: the zygote and the children of runs."""
    found, todo = [], [server.process.pid]
    while todo:
        pid = todo.pop()
        try:
            with open(f'/proc/{pid}/task/{pid}/children') as file:
                below = [int(n) for n in file.read().split()]
        except FileNotFoundError:
            continue
        found += below
        todo += below
    return found


def wait_until(condition):
    until = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < until, 'it never happened'
        time.sleep(0.01)


def start_post(server, path, body, extra=''):
    """Sends a POST and leaves its reply unread."""
    link = socket.create_connection(('127.0.0.1', server.port))
    link.sendall(f'POST {path} HTTP/1.1\r\nHost: localhost\r\n{extra}'
                 f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
    return link


def is_running(server):
    return len(children_of(server)) > 1


@pytest.fixture
def session(server, client, rom):
    path = rom('spin')
    ram = client('POST', path, b'0')['Mcu-Ram']
    wait_until(lambda: not is_running(server))  # its process outlives the reply by a little
    return f'{path}/{ram}'


def test_one_session_runs_in_order(client, session):
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: client('POST', session, b'10').body, range(8)))
    assert sorted(map(int, bodies)) == list(range(2, 10))


def test_sessions_run_side_by_side(server, client, rom, session):
    slow = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    quick = client('POST', rom('echo'), b'quick')
    assert quick.body == b'quick'
    slow.setblocking(False)
    with pytest.raises(BlockingIOError):
        slow.recv(1)  # the first has not ended, the second has
    slow.close()


@pytest.mark.parametrize('workers', ['1', '2'])
def test_who_leaves_the_middle_of_a_queue_takes_nobody_along(start_server, client_of, firmware,
                                                             workers):
    # With one worker the others wait for it, each in its own session; with two, for the session.
    server = start_server('--workers', workers)
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('spin'))
    sessions = [f'{path}/{client("POST", path, b"0")["Mcu-Ram"]}' for _ in range(4)]
    if workers == '2':
        sessions = sessions[:1] * 4
    wait_until(lambda: not is_running(server))
    links = [start_post(server, sessions[0], LONG)]
    wait_until(lambda: is_running(server))
    for session in sessions[1:]:
        links.append(start_post(server, session, b'0'))
        client('GET', '/healthz')  # in a later turn of the loop than the POST
    links.pop(2).close()
    wait_until(lambda: 'status=499' in server.log)
    for link in links:
        link.settimeout(20)
    replies = [link.recv(65536).split(b' ', 2)[1] for link in links]
    assert replies == [b'504', b'200', b'200']  # the long one by its cycle cap
    for link in links:
        link.close()


def test_a_full_queue_is_429(start_server, client_of, firmware):
    server = start_server('--queue', '1')
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('spin'))
    session = f'{path}/{client("POST", path, b"0")["Mcu-Ram"]}'
    links = [start_post(server, session, LONG)]
    wait_until(lambda: is_running(server))
    links.append(start_post(server, session, b'0'))
    replies = []
    wait_until(lambda: replies.append(client('POST', session, b'0', timeout=60)) or
               replies[-1].status == 429)
    assert replies[-1]['Retry-After']
    full = json.loads(replies[-1].body)
    assert full['type'].endswith(':queue-full')
    assert '1 requests wait' in full['detail'] and 'of the 1 that --queue' in full['detail']
    for link in links:
        link.close()


def test_a_wait_that_is_too_long_is_429(start_server, client_of, firmware):
    server = start_server('--queue-ms', '100')
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('forever'))
    session = f'{path}/{client("POST", path, Mcu_Max_Cycles="100")["Mcu-Ram"]}'
    link = start_post(server, session, b'')
    wait_until(lambda: is_running(server))
    reply = client('POST', session)
    assert reply.status == 429 and reply['Retry-After']
    link.close()


@pytest.mark.parametrize('options, waiting, status, words', [
    (['--workers', '1', '--waiting', '1'], 1, 503, ['1 runs wait', 'the 1 that --waiting']),
    (['--workers', '1', '--queue-ms', '100'], 0, 429, ['100 ms that queue-ms']),
])
def test_a_want_of_workers_is_told(start_server, client_of, firmware, options, waiting, status,
                                   words):
    server = start_server(*options)
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('forever'))
    links = [start_post(server, path, b'')]
    wait_until(lambda: is_running(server))
    replies = []
    if waiting:
        links.append(start_post(server, path, b''))
    wait_until(lambda: replies.append(client('POST', path, timeout=60)) or
               replies[-1].status == status)
    detail = json.loads(replies[-1].body)['detail']
    assert replies[-1]['Retry-After'] and all(word in detail for word in words), detail
    for link in links:
        link.close()


@pytest.mark.parametrize('leave', [lambda s: s.close(), lambda s: s.shutdown(socket.SHUT_WR)])
def test_a_client_that_goes_away_stops_its_run(server, client, session, leave):
    link = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    leave(link)
    wait_until(lambda: not is_running(server))
    assert client('POST', session, b'0').body == b'2'  # the run was rolled back
    link.close()


def test_a_client_that_goes_away_leaves_the_queue(server, client, session):
    running = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    start_post(server, session, b'0').close()
    last = start_post(server, session, b'0')
    running.close()
    assert b'\r\n\r\n2' in last.recv(65536)
    last.close()


def test_removal_stops_what_runs_and_what_waits(server, client, session):
    running = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    waiting = start_post(server, session, b'0')
    time.sleep(0.2)  # lets the second come in first; the outcome is the same if it does not
    assert client('DELETE', session).status == 204
    assert running.recv(65536).startswith(b'HTTP/1.1 409')
    assert waiting.recv(65536)[9:12] in (b'409', b'404')
    assert client('GET', session).status == 404
    running.close()
    waiting.close()


@pytest.mark.parametrize('leave', [lambda s: s.close(), lambda s: s.shutdown(socket.SHUT_WR)])
def test_a_removal_that_others_were_told_of_stands(server, client, session, leave):
    running = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    removal = socket.create_connection(('127.0.0.1', server.port))
    removal.sendall(f'DELETE {session} HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
    leave(removal)
    assert running.recv(65536).startswith(b'HTTP/1.1 409')
    assert client('POST', session, b'0').status in (404, 409)
    assert client('GET', session).status == 404
    running.close()
    removal.close()


@pytest.mark.parametrize('extra', ['', 'Mcu-Ephemeral: true\r\n'])
def test_removal_reaches_a_run_that_waits_for_a_worker(start_server, client_of, firmware, extra):
    server = start_server('--workers', '1')
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('spin'))
    session = f'{path}/{client("POST", path, b"0")["Mcu-Ram"]}'
    wait_until(lambda: not is_running(server))
    running = start_post(server, path, LONG)
    wait_until(lambda: is_running(server))
    waiting = [start_post(server, session, b'0', extra) for _ in range(3)]
    time.sleep(0.2)  # the first of them waits for the worker, the others for it
    assert client('DELETE', session).status == 204
    for link in waiting:
        reply = link.recv(65536)
        assert reply.startswith(b'HTTP/1.1 409') and b':removed"' in reply
        link.close()
    assert client('GET', session).status == 404
    running.close()


def test_removal_lets_a_put_make_it_anew(server, client, session):
    running = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    assert client('DELETE', session).status == 204
    assert running.recv(65536).startswith(b'HTTP/1.1 409')
    assert client('PUT', session, b'\x07').status == 201
    assert client('POST', session, b'0').body == b'8'
    running.close()


def signal_run(server, number):
    """Sends a signal to the process of the one run under way."""
    zygote = children_of(server)[0]
    with open(f'/proc/{zygote}/task/{zygote}/children') as file:
        os.kill(int(file.read().split()[0]), number)


def test_a_run_that_is_killed_changes_nothing(server, client, session):
    link = start_post(server, session, LONG)
    wait_until(lambda: is_running(server))
    signal_run(server, signal.SIGKILL)
    assert link.recv(65536).startswith(b'HTTP/1.1 503')
    assert client('POST', session, b'0').body == b'2'
    link.close()


@pytest.mark.parametrize('is_new, words', [(True, b'no session was made'),
                                           (False, b'the session is unchanged')])
def test_a_run_that_is_killed_says_what_is_left(server, session, is_new, words):
    link = start_post(server, session[:session.rindex('/')] if is_new else session, LONG)
    wait_until(lambda: is_running(server))
    signal_run(server, signal.SIGKILL)
    assert words in link.recv(65536)
    link.close()


def test_a_run_that_hangs_costs_itself_only(server, client, session, rom):
    link = start_post(server, session, LONG, 'Mcu-Max-Ms: 3000\r\n')
    wait_until(lambda: is_running(server))
    signal_run(server, signal.SIGSTOP)
    assert client('POST', rom('echo'), b'others go on').body == b'others go on'
    reply = link.recv(65536)
    assert reply.startswith(b'HTTP/1.1 503') and b'did not stop at its time cap' in reply
    wait_until(lambda: not is_running(server))
    assert client('POST', session, b'0').body == b'2'
    link.close()


def test_a_worker_that_is_free_is_given_to_who_waits(start_server, client_of, firmware):
    server = start_server('--workers', '1', '--queue-ms', '20000')
    client = client_of(server)
    forever, gone, kept = ('/mcu/' + client.put(firmware(n)) for n in ('forever', 'echo', 'count'))
    running = start_post(server, forever, b'', 'Mcu-Max-Ms: 60000\r\n')
    wait_until(lambda: is_running(server))
    first = start_post(server, gone, b'')
    time.sleep(0.2)  # the order of the two is what is tried
    second = start_post(server, kept, b'')
    time.sleep(0.2)
    assert client('DELETE', gone).status == 204
    running.close()  # frees the worker, which the first cannot use
    assert first.recv(65536).startswith(b'HTTP/1.1 404')
    assert second.recv(65536).startswith(b'HTTP/1.1 200')
    first.close()
    second.close()
