# test_crash.py - kill -9 of the server at random moments loses no acknowledged commit
# SPDX-License-Identifier: MIT
import http.client
import random
import struct
import threading

POSTS = 200
KILLS_MIN = 8
LIFE_SECONDS = 0.05  # at most so long at first: about ten commits
ANSWERS_WANTED = range(1, 21)  # of a life; a slow machine needs longer ones


def stored_count(client, session):
    """The count in each of the 64 pages that one run writes: all of them, or half a commit."""
    ram = client('GET', session).body
    counts = {struct.unpack_from('<I', ram, page * 4096)[0] for page in range(64)}
    assert len(counts) == 1, f'half of a commit was kept: {counts}'
    return counts.pop()


def post_until_killed(client, session, acknowledged):
    """Posts one after another; how many were answered, and the last count that was."""
    posts = 0
    while True:
        try:
            reply = client('POST', session)
        except (http.client.HTTPException, OSError):
            return posts, acknowledged
        assert reply.status == 200 and reply['Mcu-Committed'] == 'yes'
        assert int(reply.body) == acknowledged + 1
        acknowledged += 1
        posts += 1


def test_kill_at_random_moments(start_server, client_of, firmware):
    chance = random.Random(1)
    server = start_server()
    client = client_of(server)
    path = '/mcu/' + client.put(firmware('stripes'))
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    count = 1
    posts = 0
    kills = 0
    life = LIFE_SECONDS
    while posts < POSTS or kills < KILLS_MIN:
        timer = threading.Timer(chance.uniform(0, life), server.process.kill)
        timer.start()
        answered, acknowledged = post_until_killed(client, session, count)
        timer.join()
        server.kill()
        posts += answered
        kills += 1
        if answered not in ANSWERS_WANTED:
            life *= 0.7 if answered else 1.5
        server = start_server(store=server.store)
        client = client_of(server)
        # The run whose answer was lost may have committed, as a whole.
        count = stored_count(client, session)
        assert acknowledged <= count <= acknowledged + 1, 'an acknowledged commit was lost'
