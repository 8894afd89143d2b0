# test_demo.py - what the demonstration shows can be typed as it is shown
# SPDX-License-Identifier: MIT
import re
import subprocess

import pytest

from place import ROOT

RUN = re.search(r'^run\(\) \{\n.*?^\}\n', (ROOT / 'tools/demo').read_text(), re.M | re.S)[0]


@pytest.mark.parametrize('words', [
    ['plain', '-o', 'a.elf', '--specs=b/c.specs'], ['10 20'], [''], ["it's"], ['a\\b'], ['$HOME'],
    ['`id`'], ['a*'], ['#x'], ['~'], ['a;b|c&d'], ['"q"'], ['@fox.txt'], ['http://localhost/mcu?x'],
])
def test_a_shown_command_does_what_was_done(words):
    show = ['bash', '-c', f'folder=/tmp/demo\n{RUN}\nrun printf "<%s>" "$@"', 'bash', *words]
    shown, _, done = subprocess.run(show, check=True, capture_output=True,
                                    text=True).stdout.partition('\n')
    assert shown.startswith('$ ')
    typed = subprocess.run(['bash', '-c', shown[2:]], check=True, capture_output=True, text=True)
    assert typed.stdout == done == ''.join(f'<{word}>' for word in words)
