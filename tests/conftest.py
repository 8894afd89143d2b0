# conftest.py - what every Python test stands on: the build, the cross compiler, a real server
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from place import CROSS, ROOT, TEST_SECONDS_MAX

# -misa-spec=2.2 accepts CSR instructions under plain rv32imac and picks the 32-bit libraries.
CROSS_FLAGS = ['-misa-spec=2.2', '-march=rv32imac', '-mabi=ilp32', '-nostdlib',
               '-Wl,--no-warn-rwx-segments', '-Wl,--build-id=none']
START_SECONDS = 30  # a sanitized server on a busy machine; it usually needs a tenth of one
STOP_SECONDS = 40   # the server's own drain bound is 30


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs fails by itself, by name, long before its suite's bound."""
    def overdue(_signal, _frame):
        raise TimeoutError(f'{item.nodeid} took more than {TEST_SECONDS_MAX} s')
    signal.signal(signal.SIGALRM, overdue)
    signal.alarm(TEST_SECONDS_MAX)
    yield
    signal.alarm(0)


def _program(build, name):
    path = build / 'bin' / name
    if not path.exists():
        pytest.fail(f'{path} is missing: run `make` first (MOTE_BUILD names another build)')
    return path


@pytest.fixture(scope='session')
def build():
    """The build under test: $MOTE_BUILD, or ./build; its programs are in bin/."""
    return (ROOT / os.environ.get('MOTE_BUILD', 'build')).resolve()


@pytest.fixture(scope='session')
def rv32im(build):
    return _program(build, 'rv32im')


@pytest.fixture(scope='session')
def mote(build):
    return _program(build, 'mote')


class Cross:
    """Debian's cross compiler with nothing of Mote's: a text in, a file in `folder` out."""

    def __init__(self, folder):
        self.folder = folder

    def elf(self, text, name='program', kind='S', base=0x20000000, flags=()):
        """Compiles and links `text` (assembly `S` or `c`) at `base`, entry `_start`."""
        source = self.folder / f'{name}.{kind}'
        source.write_text(text)
        output = self.folder / f'{name}.elf'
        entry = [] if '_start' in text else ['-Wl,-e,main']
        subprocess.run([CROSS + 'gcc', *CROSS_FLAGS, '-O1', f'-Wl,-Ttext={base:#x}', *entry,
                        *flags, '-o', output, source], check=True)
        return output

    def asm(self, text, name='program', **more):
        return self.elf(text, name, 'S', **more)

    def c(self, text, name='program', **more):
        return self.elf(text, name, 'c', **more)

    def raw(self, elf):
        """The loadable bytes of an ELF as a raw binary beside it."""
        output = elf.with_suffix('.bin')
        subprocess.run([CROSS + 'objcopy', '-O', 'binary', elf, output], check=True)
        return output

    def bin(self, text, name='program', **more):
        """Assembly straight to a raw binary."""
        return self.raw(self.asm(text, name, **more))


@pytest.fixture
def cross(tmp_path):
    if not shutil.which(CROSS + 'gcc'):
        pytest.fail(f'{CROSS}gcc is missing: run `make deps`')
    return Cross(tmp_path)


class Server:
    """A running `mote serve`; `url` has no trailing slash, `log` is all it printed."""

    def __init__(self, program, store, options, log_path, environment=None,
                 listen='127.0.0.1:0'):
        self.store = store
        self.log_path = log_path
        self._log = open(log_path, 'wb')
        self.process = subprocess.Popen(
            [program, 'serve', '--listen', listen, '--store', store, *options],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment)
        self.port = self._wait_for_port()
        self.url = f'http://127.0.0.1:{self.port}'

    @property
    def log(self):
        return self.log_path.read_text(errors='replace')

    def _wait_for_port(self):
        """The server says where it listens in its first lines."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            found = re.search(r'listening on http://\S+:(\d+)\n', self.log)
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        self.kill()
        pytest.fail(f'mote serve did not start (status {self.process.returncode}):\n{self.log}')

    def stop(self):
        """Asks it to stop, as an operator would; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def kill(self):
        """What a power cut or the OOM killer does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()


@pytest.fixture
def start_server(mote, tmp_path):
    """start_server('--option', ...) starts one more server; all are killed at the test's end."""
    servers = []

    def start(*options, store=None, **more):
        number = len(servers)
        folder = store or tmp_path / f'store{number}'
        server = Server(mote, folder, options, tmp_path / f'server{number}.log', **more)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def server(start_server):
    """One server with default options over a fresh, empty store."""
    return start_server()
