# test_documents.py - what the documents name exists: functions, files, make targets, options
# SPDX-License-Identifier: MIT
import re
import subprocess

import pytest

from place import ROOT

PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md',
         'STYLE.md']


def text_of(name):
    return (ROOT / name).read_text()


STEPS = re.findall(r'`(\S+\.[ch]): (\w+)`', text_of('ARCHITECTURE.md'))
LINKS = [(page, link) for page in PAGES
         for link in re.findall(r'\]\(([^):#]+)\)', text_of(page))]
PATHS = [(page, path) for page in PAGES if page != 'STYLE.md'
         for path in re.findall(r'`((?:src|abi|tests|tools|docs)/[\w./-]+)`', text_of(page))]
TARGETS = [(page, target) for page in PAGES
           for target in re.findall(r'\bmake ([a-z][a-z-]+)(?=`|    |\s+#|\n)', text_of(page))]


def test_architecture_walks_a_request():
    assert len(STEPS) > 20
    assert len(text_of('ARCHITECTURE.md').splitlines()) <= 400


# Two processes that talk by a socket: none of the files names a function of the other.
BY_SOCKET = {'src/service/runner.c': {'src/service/zygote.c'},
             'src/service/worker.c': {'src/service/runner.c'}}


def names_in(file, without):
    """Whether `file` names a function other than where it defines it."""
    rest = re.sub(rf'^[a-zA-Z][^;=\n]*\b{without}\([^;{{]*\{{', '', text_of(file), flags=re.M)
    return re.search(rf'\b{without}\b', rest) is not None


def publics_of(file):
    """The functions and tables of a file that others may use."""
    text = text_of(file)
    return (re.findall(r'^(?!static)[a-z][^;=\n#]*?\b(\w+)\([^;{]*\)\n\{', text, re.M) +
            re.findall(r'^const struct \w+ (\w+) = ', text, re.M))


def lost_steps(steps):
    """The steps that nothing before them leads to: no file of an earlier step names the function,
    or one through which its file is entered."""
    lost, seen = [], [steps[0][0]]
    for file, function in steps[1:]:
        is_entered = (file in seen or any(file in BY_SOCKET.get(before, ()) for before in seen) or
                      any(names_in(before, public) for before in seen
                          for public in publics_of(file)))
        if not any(names_in(before, function) for before in seen) and not (
                is_entered and names_in(file, function)):
            lost.append((file, function))
        seen.append(file)
    return lost


def test_each_step_of_the_walk_follows_from_those_before():
    text = text_of('ARCHITECTURE.md')
    walk = text[text.index('## The walk'):text.index('## The commands')]
    steps = re.findall(r'`(\S+\.[ch]): (\w+)`', walk)
    assert lost_steps(steps) == []
    assert len(lost_steps(steps[::-1])) > 5  # the other way round it leads nowhere


@pytest.mark.parametrize('file, function', STEPS)
def test_function_exists(file, function):
    assert re.search(rf'^[a-zA-Z][^;=\n]*\b{function}\(', text_of(file), re.M)


@pytest.mark.parametrize('page, link', LINKS)
def test_link_leads_somewhere(page, link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize('page, path', PATHS)
def test_path_exists(page, path):
    if re.search(r'/[A-Z]{2,}', path):
        return  # a pattern: MODULE, FILE, NAME
    assert (ROOT / path).exists()


@pytest.mark.parametrize('page, target', sorted(set(TARGETS)))
def test_make_target_exists(page, target):
    assert re.search(rf'^{target}:', text_of('Makefile'), re.M)


def test_readme_opens_with_the_two_commands():
    opening = text_of('README.md')[:900]
    assert 'make demo' in opening and 'make test' in opening
    assert 'apt-get install -y git make' in opening


def test_menu_lists_every_target_that_has_words():
    listed = subprocess.run(['make', 'help'], cwd=ROOT, check=True, capture_output=True,
                            text=True).stdout
    for target in ('demo', 'test', 'check-all', 'fuzz', 'bench', 'tidy', 'docs', 'ci', 'install'):
        assert re.search(rf'^{target}\b', listed, re.M), target


def test_decisions_are_short_and_complete():
    records = sorted((ROOT / 'docs/adr').glob('*.md'))
    assert len(records) >= 8
    for record in records:
        lines = record.read_text().splitlines()
        assert len(lines) <= 60, record
        for part in ('## Context', '## Decision', '## Alternatives', '## Consequences'):
            assert part in lines, (record, part)
