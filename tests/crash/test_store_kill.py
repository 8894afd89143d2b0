# test_store_kill.py - kill -9 a writer again and again: no acknowledged commit is lost or half
# SPDX-License-Identifier: MIT
import os
import random
import subprocess
from pathlib import Path

KILLS = 30
ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get('MOTE_BUILD', 'build')
WRITER = BUILD / 'host/tests/crash/store_writer'


def counts(text):
    """The last count that was told for each session; a torn last line was never acknowledged."""
    told = {}
    for line in text.splitlines(keepends=True):
        if line.endswith('\n'):
            session, count = line.split()
            told[session] = int(count)
    return told


def test_no_acknowledged_commit_is_lost_or_half(tmp_path):
    store = tmp_path / 'store'
    rng = random.Random(3)
    told = {}
    for _ in range(KILLS):
        writer = subprocess.Popen([WRITER, 'write', store], stdout=subprocess.PIPE, text=True)
        # The moment of the kill: some way into a commit after a random number of them.
        head = ''.join(writer.stdout.readline() for _ in range(rng.randrange(8)))
        for _ in range(rng.randrange(20000)):
            pass
        writer.kill()
        rest = writer.communicate()[0]
        assert writer.returncode == -9
        told.update(counts(head + rest))
        check = subprocess.run([WRITER, 'check', store], capture_output=True, text=True)
        assert check.returncode == 0, check.stderr
        found = counts(check.stdout)
        for session, count in told.items():
            # At most the one commit that was under way may be there untold.
            assert count <= found[session] <= count + 1
        told = found
    assert sum(told.values()) > KILLS
