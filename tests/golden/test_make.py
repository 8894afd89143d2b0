# test_make.py - what make asks for before it works, and what it says while it does
# SPDX-License-Identifier: MIT
import contextlib
import os
import pty
import re
import subprocess

import pytest

from place import ROOT

ROWS = [line.split() for line in (ROOT / 'tools/packages.txt').read_text().splitlines()
        if not line.startswith('#')]
PURPOSES = {'build', 'demo', 'test', 'bench'}


@pytest.fixture
def deps(tmp_path):
    """deps(missing, *arguments) with a system that lacks those packages: status, words, and what
    was to be installed."""
    def script(name, text):
        (tmp_path / name).write_text('#!/bin/sh\n' + text)
        (tmp_path / name).chmod(0o755)

    def deps(missing, *arguments):
        cases = ''.join(f'{name}) exit 1 ;;\n' for name in missing)
        script('dpkg-query', f'for name; do :; done\ncase $name in\n{cases}esac\n'
                             'printf installed\n')
        script('apt-get', f'echo "$@" >>{tmp_path}/asked\n')
        script('sudo', 'exec "$@"\n')
        (tmp_path / 'asked').write_text('')
        done = subprocess.run([ROOT / 'tools/deps', *arguments], capture_output=True, text=True,
                              env={**os.environ, 'PATH': f'{tmp_path}:{os.environ["PATH"]}'})
        asked = (tmp_path / 'asked').read_text().splitlines()
        installed = {word for line in asked for word in line.split()
                     if line.startswith('install') and word in dict(names)}
        return done.returncode, done.stdout + done.stderr, installed
    names = [(row[0], row[1:]) for row in ROWS]
    return deps


def of(purpose):
    return {row[0] for row in ROWS if purpose in row[1:]}


def test_each_package_has_its_purposes():
    assert len({row[0] for row in ROWS}) == len(ROWS) > 20
    assert {purpose for row in ROWS for purpose in row[1:]} == PURPOSES
    assert all(len(row) > 1 for row in ROWS)
    assert of('build') & {'wrk', 'clang', 'lighttpd', 'nodejs', 'qemu-system-misc'} == set()


def test_only_what_a_purpose_needs_is_missed(deps):
    everything = {row[0] for row in ROWS}
    code, text, installed = deps(everything - of('build'), '--check', 'build')
    assert (code, text, installed) == (0, '', set())
    code, text, installed = deps({'meson', 'wrk'}, '--check', 'build')
    assert (code, installed) == (1, set())
    assert text.splitlines()[0] == 'Missing Debian packages: meson' and 'make deps' in text
    for purposes in (['build', 'demo'], ['build', 'demo', 'test'], ['bench']):
        code, text, installed = deps(everything, *purposes)
        assert code == 0 and installed == set.union(*map(of, purposes))
    assert deps(everything)[2] == everything
    assert deps(set()) == (0, '', set())
    code, text, installed = deps(everything, 'fishing')
    assert (code, installed) == (2, set()) and 'fishing' in text and 'bench' in text


@pytest.mark.parametrize('goal, purposes', [
    ('demo', 'build demo'), ('test', 'build demo test'), ('check-all', 'build demo test'),
    ('fuzz', 'build test'), ('bench', 'build bench'), ('deps', ''),
    ('all', '--check build')])
def test_each_goal_asks_for_its_own(goal, purposes, tmp_path):
    steps = subprocess.run(['make', '-n', '-C', ROOT, goal, f'BUILD={tmp_path}'], check=True,
                           capture_output=True, text=True).stdout
    asked = re.findall(r'^tools/deps ?(.*)$', steps, re.M)
    assert asked[0] == purposes and set(asked[1:]) <= {'--check build'}


@pytest.fixture
def project(tmp_path):
    (tmp_path / 'build.ninja').write_text('''
rule copy
  command = cp $in $out
build one: copy start
build two: copy one
''')
    (tmp_path / 'start').write_text('bytes')
    return tmp_path


def test_a_build_says_how_much_there_is_to_do(project):
    def build():
        return subprocess.run([ROOT / 'tools/ninja', project, 'the thing'], capture_output=True,
                              text=True)
    first = build()
    assert (first.returncode, first.stderr) == (0, '')
    assert first.stdout == ('Building the thing, steps: 2; the first time this may take a minute '
                            'or two\n')
    assert (project / 'two').read_text() == 'bytes'
    assert (build().stdout, build().returncode) == ('', 0)
    (project / 'two').unlink()
    assert build().stdout == 'Building the thing, steps: 1\n'
    (project / 'start').unlink()
    for name in ('one', 'two'):
        (project / name).unlink()
    broken = build()
    assert broken.returncode != 0 and 'start' in broken.stdout + broken.stderr


def test_a_build_counts_its_steps_on_a_terminal(project):
    leader, follower = pty.openpty()
    done = subprocess.run([ROOT / 'tools/ninja', project, 'the thing'], stdout=follower,
                          env={**os.environ, 'TERM': 'xterm'})
    os.close(follower)
    text = b''
    with open(leader, 'rb', buffering=0) as shown, contextlib.suppress(OSError):  # it ends in EIO
        while piece := shown.read(65536):
            text += piece
    assert done.returncode == 0 and b'[1/2]' in text
