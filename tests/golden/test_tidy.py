# test_tidy.py - each rule of tools/tidy finds what it is there for, and nothing in good code
# SPDX-License-Identifier: MIT
import shutil
import subprocess

import pytest

from place import ROOT

GOOD = '''/* good.c - a file that breaks no rule */
/* SPDX-License-Identifier: MIT */
#include "isa/good.h"
#include <stddef.h>

int good(void);

int good(void)
{
    return 0; /* strcpy(a, b) in a comment is no call */
}
'''
INCLUDE = '#include <stddef.h>\n'
BODY = '    return 0;'


@pytest.fixture
def tidy(tmp_path):
    """tidy(path, text) says what tools/tidy finds in a repository with that one file, which is new
    where `is_new` says so."""
    (tmp_path / 'tools').mkdir()
    shutil.copy(ROOT / 'tools/tidy', tmp_path / 'tools/tidy')
    shutil.copy(ROOT / '.clang-format', tmp_path)
    subprocess.run(['git', 'init', '-q', tmp_path], check=True)

    def run(path, text, is_new=False):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        subprocess.run(['git', '-C', tmp_path, 'add', tmp_path / 'tools' if is_new else '.'],
                       check=True)
        result = subprocess.run([tmp_path / 'tools/tidy', '--staged'],
                                capture_output=True, text=True)
        assert result.stderr == ''
        assert (result.returncode != 0) == bool(result.stdout)
        return result.stdout
    return run


def test_good_file_passes(tidy):
    assert tidy('src/engine/good.c', GOOD) == ''


def test_new_files_are_looked_at_in_the_projects_folders_only(tidy):
    assert tidy('hello.c', 'int x;\n', is_new=True) == ''
    assert tidy('hello/main.c', 'int x;\n', is_new=True) == ''
    assert 'begin with' in tidy('tools/new.c', 'int x;\n', is_new=True)


LONG = '\n'.join(['    good();'] * 80)
NEST = '''    for (;;) {
        for (;;) {
            for (;;) {
                for (;;) {
                }
            }
        }
    }
    return 0;'''


@pytest.mark.parametrize('path, old, new, words', [
    ('src/isa/good.c', '"isa/good.h"', '"engine/hart.h"', 'isa may not include "engine/hart.h"'),
    ('src/http/good.c', '"isa/good.h"', '"machine/machine.h"', 'http may not include'),
    ('src/engine/good.c', '"isa/good.h"', '"isa/internal.h"', 'private to isa'),
    ('src/engine/good.c', '"isa/good.h"', '"good.h"', 'module/file.h'),
    ('guest/roms/good.c', '"isa/good.h"', '"base/span.h"', 'guest code includes'),
    ('src/engine/good.c', INCLUDE, '#include <sys/mman.h>\n', '<sys/mman.h> belongs in src/os/'),
    ('src/service/good.c', INCLUDE, '#include <unistd.h>\n', '<unistd.h> belongs in src/os/'),
    ('src/engine/good.c', INCLUDE, INCLUDE + '#ifdef X\n#endif\n', '#if belongs in'),
    ('src/engine/good.c', BODY, '    return sprintf(a, b);', 'sprintf is banned'),
    ('src/engine/good.c', BODY, LONG + '\n' + BODY, 'good has 83 lines'),
    ('src/engine/good.c', BODY, NEST, 'nested deeper'),
    ('src/engine/good.c', 'int good(void)\n{',
     'int good(int a, int b, int c, int d, int e, int f)\n{',
     'good has 6 parameters'),
    ('src/engine/good.c', BODY, '    return  0;', 'not formatted'),
    ('src/engine/good.c', BODY, BODY + ' /* TO' 'DO: more */', 'unfinished'),
    ('src/engine/good.c', 'good.c - ', '', 'begin with'),
    ('src/engine/good.c', 'SPDX-License-Identifier: MIT', 'free', 'licence line'),
    ('src/engine/good.h', '', '', '#pragma once'),
    ('src/engine/good.c', BODY, BODY + '\n' * 1000, 'at most 1000'),
])
def test_rule_finds(tidy, path, old, new, words):
    text = GOOD.replace(old, new, 1) if old else GOOD.replace('good.c', 'good.h')
    assert words in tidy(path, text)


@pytest.mark.parametrize('subject, words', [
    ('engine: run', None),
    ('Run faster', 'area'),
    ('engine: run.', 'full stop'),
    ('engine: ' + 'x' * 70, '72'),
])
def test_commit_subject(subject, words):
    result = subprocess.run([ROOT / 'tools/tidy', '--subject', subject],
                            capture_output=True, text=True)
    assert (result.returncode == 0) == (words is None)
    assert words is None or words in result.stdout
