# test_post.py - the servers that bench/post compares answer its POSTs alike, and it says if not
# SPDX-License-Identifier: MIT
import shutil
import subprocess

import pytest

from place import ROOT

POST = ROOT / 'bench' / 'post'


@pytest.fixture
def twin(build, tmp_path):
    """A build with the parts that bench/post starts, each of which may be replaced."""
    (tmp_path / 'host/bench').mkdir(parents=True)
    for name in ('bin', 'roms'):
        (tmp_path / name).symlink_to(build / name)
    (tmp_path / 'host/bench/floor').symlink_to(build / 'host/bench/floor')
    return tmp_path


def run(build):
    return subprocess.run([POST, build, '--check'], capture_output=True, text=True, timeout=200)


def test_all_servers_answer_rightly(twin, mote, rv32im):
    result = run(twin)
    assert (result.returncode, result.stdout) == (0, '3 servers answer 2 kinds of POST\n'), \
        result.stderr
    assert not list(twin.glob('post-*'))


@pytest.mark.parametrize('other, words', [('upper', 'status 200, body "ALL WORK'),
                                          ('json', 'status 4')])
def test_wrong_replies_are_told(twin, build, mote, rv32im, other, words):
    roms = twin / 'roms'
    roms.unlink()
    roms.mkdir()
    shutil.copy(build / 'roms' / 'visits.elf', roms)
    shutil.copy(build / 'roms' / f'{other}.elf', roms / 'echo.elf')
    result = run(twin)
    assert result.returncode != 0 and result.stdout == ''
    assert 'mote serve, fresh, 4 connections' in result.stderr and words in result.stderr


def test_a_visit_that_is_lost_is_told(twin, build, mote, rv32im):
    """The floor's loop for `visits` answers with the body that came instead: none."""
    floor = twin / 'host/bench/floor'
    floor.unlink()
    floor.write_text(f'#!/bin/sh\nexec {build}/host/bench/floor echo\n')
    floor.chmod(0o755)
    result = run(twin)
    assert result.returncode != 0 and result.stdout == ''
    assert 'floor, session, 4 connections' in result.stderr
    assert 'status 200, body ""' in result.stderr


def test_a_program_that_does_not_start_is_told(twin):
    floor = twin / 'host/bench/floor'
    floor.unlink()
    floor.write_text('#!/bin/sh\necho no luck today; exit 1\n')
    floor.chmod(0o755)
    result = run(twin)
    assert result.returncode != 0 and result.stdout == ''
    assert 'did not start' in result.stderr and 'no luck today' in result.stderr
