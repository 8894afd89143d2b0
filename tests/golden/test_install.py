# test_install.py - the installed tree stands by itself, wherever it is put
# SPDX-License-Identifier: MIT
import os
import re
import subprocess

import pytest

from place import ROOT

PREFIX = '/opt/some-mote'


@pytest.fixture(scope='module')
def tree(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp('install')
    subprocess.run([ROOT / 'tools/install', build, PREFIX], check=True, capture_output=True,
                   env=dict(os.environ, DESTDIR=str(folder)))
    return folder / PREFIX.lstrip('/')


def test_each_link_leads_somewhere(tree):
    pages = sorted(tree.rglob('*.md'))
    assert len(pages) > 10
    dead = [f'{page.relative_to(tree)}: {link}' for page in pages
            for link in re.findall(r'\]\(([^):#]+)[^):]*\)', page.read_text())
            if not (page.parent / link).exists()]
    assert dead == []


def test_each_page_names_the_place_where_it_is(tree):
    texts = [path for path in tree.rglob('*') if path.suffix in ('.md', '.conf', '.specs')]
    assert not [path for path in texts if re.search(r'/usr/local/(?:bin|share)', path.read_text())]
    conf = (tree / 'share/mote/cgi/lighttpd.conf').read_text()
    for name, place in (('script', 'share/mote/cgi/mcu.sh'), ('rv32im', 'bin/rv32im')):
        assert re.search(rf'^var\.{name} +\"?= "{PREFIX}/{place}"', conf, re.M)
        assert (tree / place).exists()


def test_the_manual_pages_are_there(tree, build):
    pages = {path.name for path in (build / 'share/man/man1').iterdir()}
    assert {path.name for path in (tree / 'share/man/man1').iterdir()} == pages
    assert {'mote.1', 'rv32im.1', 'mote-put.1'} <= pages


def test_a_space_in_the_prefix_is_a_space(build, tmp_path):
    prefix = tmp_path / 'my mote'
    subprocess.run(['make', '-s', 'install', f'BUILD={build}', f'PREFIX={prefix}'], cwd=ROOT,
                   check=True, capture_output=True)
    (tmp_path / 'main.c').write_text('int main(void) { return 42; }\n')
    run = subprocess.run([prefix / 'bin/mote', 'run', tmp_path / 'main.c'], input='',
                         capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (42, '')


def test_more_than_one_prefix_is_refused(build):
    run = subprocess.run([ROOT / 'tools/install', build, '/tmp/a', 'b'], capture_output=True,
                         text=True)
    assert run.returncode == 2 and 'usage' in run.stderr
