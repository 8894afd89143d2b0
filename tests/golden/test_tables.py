# test_tables.py - what comments say of tables and files is there
# SPDX-License-Identifier: MIT
import re
import subprocess

from place import ROOT

# Written by a generator, or a name that stands for others.
NO_FILES = {'mote-machine.h', 'mote_NAME.c', 'hello.c', 'libfdt.h'}
CITED = re.compile(r'(?<![<\w/.-])(?:[\w-]+/)*([\w-]+\.(?:def|c|h))\b(?!>)')


def test_every_file_that_code_names_is_there():
    names = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    there = {name.split('/')[-1] for name in names if (ROOT / name).is_file()} | NO_FILES
    code = [name for name in names if (ROOT / name).is_file() and
            name.startswith(('src/', 'abi/', 'guest/', 'tests/', 'tools/')) and
            name.endswith(('.c', '.h', '.def', '.S', '.in', '.build'))]
    assert len(code) > 100
    missing = [f'{name} names {cited}' for name in code
               for cited in CITED.findall((ROOT / name).read_text(errors='replace'))
               if cited not in there and not cited.startswith('_')]
    assert missing == []
