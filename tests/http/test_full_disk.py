# test_full_disk.py - a store whose disk is full: told, and nothing lost
# SPDX-License-Identifier: MIT
import os
import subprocess

import pytest


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MiB; needs root, as mounting does."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', folder],
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def fill(folder):
    """Takes what room there is; the file to remove to get it back."""
    path = folder / 'filler'
    with open(path, 'wb', buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    return path


def test_a_full_disk_is_told_and_loses_nothing(client_of, start_server, firmware, small_disk):
    client = client_of(start_server(store=small_disk / 'store'))
    path = '/mcu/' + client.put(firmware('stripes'))
    session = f'{path}/{client("POST", path)["Mcu-Ram"]}'
    filler = fill(small_disk)
    full = client('POST', session)
    assert full.status == 507 and full['Mcu-Committed'] == 'no'
    assert full['Content-Type'] == 'application/problem+json'
    assert client('PUT', '/mcu', os.urandom(65536)).status == 507
    os.remove(filler)
    again = client('POST', session)
    assert (again.status, again.body, again['Mcu-Committed']) == (200, b'2', 'yes')
