# test_man.py - the manual pages: one for each command, without a warning, with all that --help says
# SPDX-License-Identifier: MIT
import os
import re
import subprocess

import pytest

from place import ROOT

COMMANDS = re.findall(r'^COMMAND\((\w+),', (ROOT / 'src/cmd/command.def').read_text(), re.M)
PAGES = ['rv32im', 'mote', *(f'mote-{name}' for name in COMMANDS)]


def words_of(text):
    return re.sub(r'[`().,:;]', ' ', text).split()


@pytest.fixture(scope='module')
def pages(build):
    return build / 'share/man/man1'


def render(path):
    done = subprocess.run(['man', '--warnings=w', '--no-hyphenation', '--no-justification', '-l',
                           path], check=True, capture_output=True, text=True,
                          env={**os.environ, 'LC_ALL': 'C.UTF-8', 'MANWIDTH': '400'})
    assert done.stderr == ''
    return done.stdout


def test_each_command_has_a_page(pages):
    assert len(COMMANDS) > 8
    assert sorted(path.name for path in pages.iterdir()) == sorted(f'{n}.1' for n in PAGES)


@pytest.mark.parametrize('name', PAGES)
def test_a_page_says_what_help_says(build, pages, name):
    program, *command = name.split('-')
    asked = subprocess.run([build / 'bin' / program, *command, '--help'], check=True,
                           capture_output=True, text=True).stdout
    text = render(pages / f'{name}.1')
    titles = re.findall(r'^[A-Z][A-Z ]+$', text, re.M)
    assert titles[:2] == ['NAME', 'SYNOPSIS'] and titles[-1] == 'SEE ALSO'
    assert re.search(rf'^NAME\n +{name} - \S', text, re.M)
    if name == 'mote':
        assert set(re.findall(r'^ +mote-(\w+)\(1\)$', text, re.M)) == set(COMMANDS)
    titled = {'Usage', 'usage', 'Options', 'Exit', 'status', *(COMMANDS if name == 'mote' else [])}
    assert set(words_of(asked)) - set(words_of(text)) - titled == set()
    options = re.findall(r'^ +(?:-\w, )?--([\w-]+)', asked, re.M)
    assert options or name in ('mote', 'mote-cc')
    assert options == re.findall(r'^ {7}(?:-\w, )?--([\w-]+)', text, re.M)


def test_a_page_is_found_beside_the_programs(build):
    where = subprocess.run(['man', '-w', 'mote-put'], capture_output=True, text=True, check=True,
                           env={'PATH': f'{build}/bin:{os.environ["PATH"]}'})
    assert where.stdout.strip() == str(build / 'share/man/man1/mote-put.1')
