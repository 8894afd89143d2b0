# test_problems.py - every error that the code answers is a row of problem.def, and the other way
# SPDX-License-Identifier: MIT
import re

import pytest

from place import ROOT

ROW = re.compile(r'^PROBLEM\((\d+), +"([a-z-]+)",', re.M)
# refuse(c, 400, "x"  request_fail(r, 400, "x"  {421, "x"  .status = 502, .type = "x"
USE = re.compile(r'(?:[({]\s*|\w, ?|= )(\d{3}),\s+(?:\.type = )?"([a-z-]+)"')
LIMIT = re.compile(r'struct limit \w+ = {(\d{3}),')


def rows_of(module):
    return set(ROW.findall((ROOT / f'src/{module}/problem.def').read_text()))


def text_of(module):
    return '\n'.join(path.read_text() for path in sorted((ROOT / f'src/{module}').glob('*.c')))


@pytest.mark.parametrize('module', ['http', 'service'])
def test_each_answer_is_a_row(module):
    text = text_of(module)
    used = set(USE.findall(text)) | {(status, 'too-large') for status in LIMIT.findall(text)}
    assert len(used) > 10
    assert used <= rows_of(module)


@pytest.mark.parametrize('module', ['http', 'service'])
def test_each_row_is_an_answer(module):
    rows, text = rows_of(module), text_of(module)
    used = set(USE.findall(text)) | {(status, 'too-large') for status in LIMIT.findall(text)}
    if module == 'service':
        # The first of a status is what errors of lower layers get, by the statuses of err.def.
        errors = (ROOT / 'src/base/err.def').read_text()
        lower = set(re.findall(r'^ERR\(.*, +(\d{3}), +\d+\)$', errors, re.M)) | {'431'}
        first = {}
        for status, kind in ROW.findall((ROOT / 'src/service/problem.def').read_text()):
            first.setdefault(status, kind)
        used |= {(status, first[status]) for status in lower}
    assert rows <= used


@pytest.mark.parametrize('module', ['http', 'service'])
def test_the_document_has_each_row(module):
    page = (ROOT / 'docs/api.md').read_text()
    for status, kind in rows_of(module):
        assert f'| {status} | `{kind}` |' in page
