# test_crash.py - kill -9 of the server at random moments loses no acknowledged commit
# SPDX-License-Identifier: MIT
import http.client
import random
import threading

POSTS = 200
KILLS = 12


def test_kill_at_random_moments(start_server, client_of, firmware):
    chance = random.Random(1)
    server = start_server()
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('count'))
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    acknowledged = 1
    posts = 0
    kills = 0
    while posts < POSTS:
        timer = None
        if kills < KILLS:
            timer = threading.Timer(chance.uniform(0, 0.15), server.process.kill)
            timer.start()
        while posts < POSTS:
            posts += 1
            try:
                reply = client('POST', session)
            except (http.client.HTTPException, OSError):
                break
            assert reply.status == 200
            # One more than the last: the unacknowledged run before it may have committed too.
            assert int(reply.body) >= acknowledged + 1
            acknowledged = int(reply.body)
        if timer:
            timer.join()
            kills += 1
        server.kill()
        server = start_server(store=server.store)
        client = client_of(server)
        stored = int.from_bytes(client('GET', session).body[:4], 'little')
        assert acknowledged <= stored <= acknowledged + 1, 'a commit was lost, or half of one kept'
        acknowledged = stored
    assert kills == KILLS
