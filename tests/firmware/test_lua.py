# test_lua.py - Lua from Debian's source, by picolibc alone and by the SDK, against Debian's lua5.4
# SPDX-License-Identifier: MIT
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from debian_source import fetch
from picolibc import LINK, MACHINE, RUN_SECONDS_MAX, gcc, on_qemu
from place import ROOT

HERE = ROOT / 'tests/firmware'
SCRIPTS = HERE / 'scripts'
# Debian's luaconf.h asks for a header that its rules write. A script may come by standard input.
FLAGS = [*MACHINE, '--specs=picolibc.specs', '-O2', '-Dlua_stdin_is_tty()=0']
LONG = f'--max-ms={RUN_SECONDS_MAX}s'  # a sanitized build on a busy machine
MULTIARCH = '#define DEB_HOST_MULTIARCH "none"\n'


@pytest.fixture(scope='session')
def objects(build, tmp_path_factory):
    """The interpreter's object files, for both libraries."""
    try:
        source = fetch('lua5.4', build / 'test-sources') / 'src'
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as failure:
        pytest.fail(str(failure), pytrace=False)
    folder = tmp_path_factory.mktemp('lua')
    (folder / 'lua5.4-deb-multiarch.h').write_text(MULTIARCH)
    names = [path for path in sorted(source.glob('*.c')) if path.stem != 'luac']
    assert len(names) > 30
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: gcc(*FLAGS, f'-I{folder}', '-c', path,
                                       '-o', folder / f'{path.stem}.o'), names))
    return sorted(folder.glob('*.o'))


@pytest.fixture(scope='session')
def semihosted(objects):
    """Debian's source and picolibc alone: arguments and files come by semihosting."""
    image = objects[0].parent / 'lua.elf'
    gcc(*MACHINE, *LINK, '--crt0=semihost', *objects, HERE / 'lua_port.c', '-lm', '-o', image)
    return image


@pytest.fixture(scope='session')
def with_sdk(build, objects):
    """The same objects with the SDK: the script is IN."""
    image = objects[0].parent / 'lua-sdk.elf'
    gcc(f'--specs={build}/share/mote/mote.specs', *objects, '-lm', '-o', image)
    return image


def run(command, data=b'', cwd=None):
    return subprocess.run(command, input=data, cwd=cwd, capture_output=True,
                          timeout=RUN_SECONDS_MAX)


def without_name(text):
    """Lua's report of an error begins with the program's name, where it knows one."""
    return re.sub(rb'(?m)^(lua5\.4|rom|program-name): ', b'', text)


def test_a_script_computes_as_on_the_host(mote, with_sdk, tmp_path):
    for script in ('language', 'compute'):
        text = (SCRIPTS / f'{script}.lua').read_bytes()
        stats = [tmp_path / f'{script}{number}' for number in range(2)]
        ours = [run([mote, 'run', LONG, '--stats-file', path, with_sdk], text) for path in stats]
        theirs = run(['lua5.4', '-'], text)
        assert theirs.returncode == 0 and len(theirs.stdout) > 100, theirs.stderr
        assert [(done.returncode, done.stdout, done.stderr) for done in ours] == \
            [(0, theirs.stdout, b'')] * 2
        assert stats[0].read_text() == stats[1].read_text()


def test_files_and_arguments_are_those_of_the_host(mote, semihosted, tmp_path):
    """As on the host and on QEMU, to the traceback of the error that ends the script."""
    folders = [tmp_path / name for name in ('ours', 'qemu', 'host')]
    for folder in folders:
        folder.mkdir()
        (folder / 'files.lua').write_bytes((SCRIPTS / 'files.lua').read_bytes())
    given = ['files.lua', 'one', '2']
    ours = run([mote, 'run', '--dir-rw', folders[0], *(f'--arg={word}' for word in given),
                semihosted])
    qemu = on_qemu(semihosted, *given, cwd=folders[1])
    host = run(['lua5.4', *given], cwd=folders[2])
    assert host.returncode == ours.returncode == qemu.returncode == 1
    # Debian's picolibc sends stderr where stdout goes.
    assert without_name(ours.stdout) == without_name(host.stdout + host.stderr)
    assert ours.stdout == qemu.stderr
    assert b'at the end' in host.stderr and b'2\tone\t2\tone\t2' in host.stdout
    for folder in folders[1:]:
        assert (folder / 'moved').read_bytes() == (folders[0] / 'moved').read_bytes()


def test_a_script_that_fails_says_where(mote, with_sdk):
    text = b'print("before")\nlocal t = nil\nprint(t.field)\n'
    ours, theirs = run([mote, 'run', with_sdk], text), run(['lua5.4', '-'], text)
    assert ours.stdout == theirs.stdout == b'before\n'
    assert without_name(ours.stderr) == without_name(theirs.stderr)
    assert b"stdin:3: attempt to index a nil value (local 't')" in ours.stderr
