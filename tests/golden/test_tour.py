# test_tour.py - the README's tour does what README says, word for word but for the port
# SPDX-License-Identifier: MIT
import os
import re
import subprocess

from place import ROOT


def test_tour_of_the_readme(server, build, tmp_path):
    blocks = re.findall(r'```sh tour\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
    assert len(blocks) == 5
    (tmp_path / 'build').symlink_to(build.resolve())
    script = 'set -e\n' + ''.join(blocks).replace('http://127.0.0.1:8080', server.url)
    done = subprocess.run(['sh', '-c', script], cwd=tmp_path, capture_output=True, text=True,
                          timeout=60,
                          env={**os.environ, 'MOTE_SESSION': str(tmp_path / 'session')})
    assert done.returncode == 0, done.stderr
    for words in ['Hello, Ada!', 'total 30', 'total 33', 'total 133', 'Mcu-Halt: power-down',
                  'total 9\n', 'total 15\n', 'QUICK BROWN FOX', '.PHONY: RUN', '<_start>:']:
        assert words in done.stdout
    assert 'halt=power-down' in done.stderr
    assert 'words                   6' in (tmp_path / 'out').read_text()
