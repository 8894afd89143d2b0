# test_mote.py - the commands of mote that need no server: run, cc, dis, new
# SPDX-License-Identifier: MIT
import os
import re
import shutil
import signal
import subprocess

import pytest

from place import CROSS, ROOT

UPPER = '''
#include <ctype.h>
#include <stdio.h>
int main(void) { int c; while ((c = getchar()) != EOF) putchar(toupper(c)); return %d; }
'''
COUNT = '''
#include <stdio.h>
__attribute__((section(".preserve"))) int runs;
int main(void) { printf("%d\\n", ++runs); fprintf(stderr, "to the console\\n"); return 0; }
'''
RAW_EXIT = '.globl _start\n_start: li a0, 0x100000\n li a1, {code} << 16 | 0x3333\n sw a1, 0(a0)\n'


@pytest.fixture
def call(mote, tmp_path):
    """call('run', 'x.c', data=b'...') runs mote in the test's folder."""
    def call(*args, data=b'', **environment):
        temporary = tmp_path / 'temporary'
        temporary.mkdir(exist_ok=True)
        return subprocess.run([mote, *args], input=data, capture_output=True, cwd=tmp_path,
                              timeout=120, env={**os.environ, 'TMPDIR': str(temporary),
                                                **environment})
    return call


@pytest.fixture
def source(tmp_path):
    def source(text, name='program.c'):
        (tmp_path / name).write_text(text)
        return name
    return source


def leftovers(tmp_path):
    return list((tmp_path / 'temporary').iterdir())


def test_help_lists_every_command(call):
    listed = call('--help').stdout.decode()
    rows = (ROOT / 'src/cmd/command.def').read_text()
    names = [line.split('(')[1].split(',')[0] for line in rows.splitlines()
             if line.startswith('COMMAND(')]
    assert len(names) >= 5
    for name in names:
        assert f'mote {name} ' in listed
        done = call(name, '--help')
        assert done.returncode == 0
        assert done.stdout.startswith(f'mote {name} - '.encode())


def test_help_that_is_lost_is_a_host_error(mote, rv32im):
    with open('/dev/full', 'wb') as full:
        for args in ([mote, '--help'], [mote, '-h'], [mote, '--version'], [mote, 'cc', '--help'],
                     [mote, 'run', '--help'], [mote, 'get', '--version'], [mote, 'new', '-h'],
                     [mote, '--man'], [mote, 'cc', '--man'], [mote, 'ls', '--man'],
                     [rv32im, '--help'], [rv32im, '--version'], [rv32im, '--man']):
            done = subprocess.run(args, stdout=full, stderr=subprocess.PIPE, timeout=60)
            assert done.returncode == 125, args
            assert b'standard output: No space left' in done.stderr


def test_help_says_what_is_so(call):
    assert call('-h').stdout == call('--help').stdout
    assert b'-O2 -g -Wall' in call('run', '--help').stdout
    assert b'Options:' not in call('cc', '--help').stdout, "they are GCC's"
    assert b'riscv64-unknown-elf-gcc' in call('cc', '--version').stdout


@pytest.mark.parametrize('name, needs', [('get', 'rom|ram'), ('new', 'NAME'), ('put', 'FILE')])
def test_what_is_needed_is_said_once(call, name, needs):
    done = call(name)
    assert done.returncode == 125
    assert done.stderr.decode() == f'mote {name}: needs {needs}. See `mote {name} --help`\n'


@pytest.mark.parametrize('command, before', [
    ('put', []), ('post', ['--rom']), ('rm', []), ('get', []), ('ls', ['-s']), ('run', []),
    ('dis', []), ('new', []), ('gdb', []), ('serve', ['--config']), ('serve', ['--listen'])])
def test_names_cannot_steer_the_terminal(call, command, before):
    name = 'no/\x1b]0;pwn\x07\u202e\nsuch.elf'
    done = call(command, *before, name)
    assert done.returncode in (124, 125) and done.stderr.count(b'\n') == 1
    assert b'\\x1b]0;pwn\\x07\\xe2\\x80\\xae\\x0asuch' in done.stderr, done


def test_commands_and_options_cannot_steer_the_terminal(call, rv32im):
    for done in (call('\x1b[2J'), call('run', '--\x1b[2J'),
                 subprocess.run([rv32im, '--\x1b[2J'], capture_output=True)):
        assert done.returncode == 125 and b'\\x1b[2J' in done.stderr, done


def test_unknown_command(call):
    done = call('serv')
    assert done.returncode == 125
    assert b'did you mean `mote serve`' in done.stderr
    assert b'`mote --help` lists them' in call('xyzzy').stderr
    assert call().returncode == 125


@pytest.mark.parametrize('code, status', [(0, 0), (7, 7), (200, 119), (65535, 119), (65536, 119),
                                          (65543, 119), (-1, 119)])
def test_run_compiles_source(call, source, tmp_path, code, status):
    done = call('run', '--stats-file=stats', source(UPPER % code), data=b'hello\xe4')
    assert (done.returncode, done.stdout, done.stderr) == (status, b'HELLO\xe4', b'')
    assert f'exit_code={code & 0xffffffff}\n' in (tmp_path / 'stats').read_text(), 'all 32 bits'
    assert leftovers(tmp_path) == []


def test_run_takes_cxx_elf_and_raw(call, source, cross):
    cxx = 'struct A { int n; A() : n(5) {} } a; int main() { return a.n; }'
    assert call('run', source(cxx, 'a.cc')).returncode == 5
    elf = cross.asm(RAW_EXIT.format(code=9))
    assert call('run', elf).returncode == 9
    assert call('run', cross.raw(elf)).returncode == 9


def test_run_refuses_what_does_not_compile(call, source, tmp_path):
    done = call('run', source('int main(void) { return x; }\n'))
    assert done.returncode == 124
    assert b'program.c does not compile' in done.stderr
    assert b'undeclared' in done.stderr
    assert leftovers(tmp_path) == []
    done = call('run', 'missing.c')
    assert done.returncode == 124 and b'missing.c' in done.stderr
    assert call('run').returncode == 125


def test_run_takes_a_name_like_an_option(call, source):
    assert call('run', '--', source(UPPER % 3, '-dash.c')).returncode == 3
    assert call('run', '--', source(UPPER % 4, '@file.c')).returncode == 4


def test_run_keeps_ram_only_where_asked(call, source, tmp_path):
    name = source(COUNT)
    for _ in range(2):
        done = call('run', name)
        assert (done.stdout, done.stderr) == (b'1\n', b'to the console\n')
    for count in (1, 2, 3):
        assert call('run', '--ram', 'kept', name).stdout == b'%d\n' % count
    assert (tmp_path / 'kept').stat().st_blocks * 512 < 1 << 20


def test_run_spares_its_source_and_output(mote, call, source, tmp_path):
    name = source(UPPER % 0)
    (tmp_path / 'link.c').symlink_to(name)
    text = (tmp_path / name).read_bytes()
    for options in (['--ram', name], ['--ram', 'link.c'], ['--stats-file', name],
                    [f'--trace={name}'], ['--headers', name]):
        done = call('run', *options, name)
        assert done.returncode == 124 and b'same file' in done.stderr, options
        assert (tmp_path / name).read_bytes() == text, options
    with open(tmp_path / 'log', 'wb') as log:
        done = subprocess.run([mote, 'run', '--ram', 'log', name], input=b'', stdout=log,
                              stderr=subprocess.PIPE, cwd=tmp_path, timeout=120)
    assert done.returncode == 124 and b'same file' in done.stderr
    assert (tmp_path / 'log').read_bytes() == b''
    with open(tmp_path / name, 'rb') as file:  # two readers
        done = subprocess.run([mote, 'run', name], stdin=file, capture_output=True, cwd=tmp_path,
                              timeout=120)
    assert (done.returncode, done.stdout) == (0, text.upper())


def test_run_has_the_options_of_rv32im(call, source, tmp_path):
    text = '''
#include <stdio.h>
#include <stdlib.h>
int main(void) { printf("%s\\n", getenv("QUERY_STRING")); for (;;) __asm__("nop"); }
'''
    done = call('run', '--cgi', '--max-cycles=1M', '--stats-file', 'stats', source(text),
                QUERY_STRING='a=b')
    assert done.returncode == 121
    assert b'--max-cycles raises it' in done.stderr
    stats = (tmp_path / 'stats').read_text()
    assert 'halt=cycles' in stats and 'cycles=1000000\n' in stats


def test_run_reads_a_file_on_standard_input_in_place(mote, call, source, tmp_path):
    (tmp_path / 'input').write_bytes(b'abc')
    name = source(UPPER % 0)
    with open(tmp_path / 'input', 'rb') as file:
        done = subprocess.run([mote, 'run', name], stdin=file, capture_output=True, cwd=tmp_path,
                              timeout=120)
    assert done.stdout == b'ABC'
    assert (tmp_path / 'input').read_bytes() == b'abc'


def test_run_ends_at_once_on_a_signal(mote, source, tmp_path):
    """The compiler's turn holds signals back, the run's must not."""
    name = source('#include <stdio.h>\nint main(void) '
                  '{ fprintf(stderr, "here\\n"); for (;;) __asm__("nop"); }')
    process = subprocess.Popen([mote, 'run', '--max-ms=1h', '--max-cycles=1e15', name],
                               cwd=tmp_path, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env={**os.environ, 'TMPDIR': str(tmp_path)})
    assert process.stderr.readline() == b'here\n'
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT
    process.stderr.close()
    assert not list(tmp_path.glob('mote-*'))


def test_full_standard_output_is_a_host_error(mote, source, tmp_path):
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([mote, 'run', source(UPPER % 0)], input=b'x', stdout=full,
                              stderr=subprocess.PIPE, cwd=tmp_path, timeout=120)
        assert done.returncode == 125 and b'No space left' in done.stderr
        done = subprocess.run([mote, 'dis', '--raw', 'program.c'], stdout=full,
                              stderr=subprocess.PIPE, cwd=tmp_path, timeout=120)
        assert done.returncode == 125 and b'No space left' in done.stderr


@pytest.mark.parametrize('command', [
    ['mote', '--help'], ['mote', '--version'], ['mote', '--man'], ['mote', 'serve', '--help'],
    ['mote', 'cc', '--man'], ['rv32im', '--help'], ['rv32im', '--version'], ['rv32im', '--man'],
    ['mote', 'run', 'program.c'], ['mote', 'dis', '--raw', 'program.c'], ['mote', 'new', 'hello'],
    ['mote', 'cc', '-E', 'program.c']])
def test_closed_standard_output_is_a_host_error(mote, rv32im, source, tmp_path, command):
    source(UPPER % 0)
    program = mote if command[0] == 'mote' else rv32im
    done = subprocess.run(['sh', '-c', 'exec "$@" >&-', 'sh', program, *command[1:]], input=b'x',
                          stderr=subprocess.PIPE, cwd=tmp_path, timeout=120)
    is_compilers = command[1] == 'cc' and command[2] == '-E'
    assert done.returncode == (1 if is_compilers else 125)
    assert b'Bad file descriptor' in done.stderr


def test_nothing_to_print_needs_no_standard_output(mote, rv32im, cross, tmp_path):
    firmware = cross.asm(RAW_EXIT.format(code=3))
    for command in ([mote, 'run', firmware], [rv32im, firmware, 'ram', '/dev/null', 'out']):
        done = subprocess.run(['sh', '-c', 'exec "$@" >&- </dev/null', 'sh', *command],
                              stderr=subprocess.PIPE, cwd=tmp_path, timeout=120)
        assert (done.returncode, done.stderr) == (3, b'')


def test_cc_is_the_compiler_with_the_specs(call, source):
    done = call('cc', '-O2', source(UPPER % 3), '-o', 'program.elf')
    assert (done.returncode, done.stderr) == (0, b'')
    assert call('run', 'program.elf', data=b'x').returncode == 3
    cxx = source('int main() { return __cplusplus > 0; }', 'b.cpp')
    assert call('cc', cxx, '-o', 'b.elf').returncode == 0
    assert call('run', 'b.elf').returncode == 1
    assert b'share/mote/mote.specs' in call('cc', '-###', 'program.c').stderr
    assert call('cc', 'missing.c').returncode == 1
    done = call('cc')
    assert done.returncode == 125 and b'mote cc --help' in done.stderr


def test_missing_sdk_and_compiler_say_what_to_do(call, source):
    name = source(UPPER % 0)
    for args in (('cc', name), ('run', name), ('new', 'project')):
        done = call(*args, MOTE_SDK='/nowhere')
        assert done.returncode == 124
        assert b'/nowhere' in done.stderr and b'MOTE_SDK' in done.stderr
    for args in (('cc', name), ('run', name)):
        done = call(*args, PATH='/nowhere')
        assert done.returncode == 124
        assert b'apt-get install gcc-riscv64-unknown-elf' in done.stderr


def test_dis_finds_what_objdump_finds(call, source, tmp_path):
    """The same places, bytes and labels; tests/isa compares the words."""
    call('cc', '-O2', source(UPPER % 0), '-o', 'program.elf')
    listing = subprocess.run([CROSS + 'objdump', '-d', '-z', 'program.elf'], cwd=tmp_path,
                             check=True, capture_output=True, text=True).stdout
    ours = call('dis', 'program.elf').stdout.decode()
    codes = dict(re.findall(r'^([0-9a-f]{8}):  ([0-9a-f]{4,8}) ', ours, re.M))
    # A data symbol's bytes stand there in groups with blanks, and are not code.
    theirs = dict(re.findall(r'^ *([0-9a-f]{8}):\t([0-9a-f]{4,8}) *\t', listing, re.M))
    assert len(theirs) > 100
    assert {address: codes.get(address) for address in theirs} == theirs
    label = re.compile(r'^([0-9a-f]{8}) <.*>:$', re.M)  # of two names, each has its own choice
    assert label.findall(ours) == label.findall(listing)


def test_dis_labels_and_targets(call, cross):
    elf = cross.asm('.globl _start\n_start: nop\n j there\n.word 0xffffffff\n'
                    'there: beq a0, a1, there\n')
    listing = call('dis', elf).stdout.decode()
    assert '.text: ' in listing
    assert '\n20000000 <_start>:\n20000000:  0001' in listing
    assert ' <there>:\n' in listing
    assert 'c.j        0x20000008  <there>\n' in listing
    assert 'beq        a0,a1,0x20000008  <there>\n' in listing
    assert '.4byte     0xffffffff\n' in listing


def test_dis_lists_data_among_code_as_data(call, cross):
    elf = cross.asm('''
        .globl _start
        _start: nop
        .type table, @object
        .size table, 7
        table: .byte 0x13, 5, 0, 0, 1, 0, 0x85
        .byte 0
        .word 0x00000513
        half: .byte 1, 2
        part: .byte 3, 4
        .globl after
        after: li a0, 1
        ''')
    lines = call('dis', elf).stdout.decode()
    assert '20000002 <table>:\n20000002:  0513      .2byte     0x513\n' in lines
    assert '20000004:  00010000  .4byte     0x10000\n' in lines
    assert '20000008:  85        .byte      0x85\n' in lines
    assert '2000000a:  0513      .2byte     0x513\n' in lines and 'addi' not in lines
    assert '2000000e <half>:\n2000000e:  0201      .2byte     0x201\n' in lines
    assert '20000010 <part>:\n20000010:  0403      .2byte     0x403\n' in lines
    assert '20000012 <after>:\n20000012:  4505      c.li       a0,1\n' in lines


def test_dis_takes_raw_and_refuses_the_rest(call, cross, tmp_path):
    raw = cross.raw(cross.asm(RAW_EXIT.format(code=1)))
    assert '20000000:  00100537  lui        a0,0x100\n' in call('dis', raw).stdout.decode()
    (tmp_path / 'odd').write_bytes(b'\x01\x00\x13')
    listing = call('dis', 'odd').stdout.decode()
    assert listing.endswith('\n20000000:  0001      c.nop\n20000002:  13        .byte      0x13\n')
    (tmp_path / 'half').write_bytes(b'\x01\x00\x13\x05')
    assert '\n20000002:  0513      .2byte     0x513\n' in call('dis', 'half').stdout.decode()
    (tmp_path / 'huge').touch()
    os.truncate(tmp_path / 'huge', 1 << 40)
    done = call('dis', 'huge')
    assert done.returncode == 124
    assert f'huge: {1 << 40} bytes; an image of any format' in done.stderr.decode()
    for name in ('missing', '.'):
        done = call('dis', name)
        assert done.returncode == 124 and name.encode() in done.stderr
    (tmp_path / 'bad').write_bytes(b'\x7fELF\x02')
    assert call('dis', 'bad').returncode == 124
    assert call('dis', '--raw', 'bad').returncode == 0


def test_new_project_builds_and_runs(call, mote, tmp_path):
    environment = {**os.environ, 'PATH': f'{mote.parent}:{os.environ["PATH"]}'}
    done = call('new', 'project', PATH=environment['PATH'])
    assert (done.returncode, done.stdout) == (0, b'project is ready: cd project && make run\n')
    environment.pop('MAKEFLAGS', None)

    def make(*args, data=b''):
        return subprocess.run(['make', '-s', '-C', tmp_path / 'project', *args], input=data,
                              capture_output=True, env=environment, timeout=120)
    done = make()
    assert (done.returncode, done.stderr) == (0, b'')
    done = make('run', data=b'quick fox\n')
    assert (done.returncode, done.stdout) == (0, b'QUICK FOX\nHello from an MCU.\n')
    if not shutil.which('qemu-system-riscv32'):
        pytest.fail('qemu-system-riscv32 is missing: run `make deps`')
    done = make('qemu')
    assert done.returncode == 0
    assert b'Hello from an MCU.' in done.stdout + done.stderr


def test_new_project_has_the_sdk(call, mote, tmp_path):
    """The plainest program: getchar() to the end of the input, and a variable that lasts."""
    call('new', 'project')
    (tmp_path / 'project/main.c').write_text('''
        #include <mote.h>
        #include <stdio.h>
        MOTE_PRESERVE static unsigned runs;
        int main(void)
        {
            int count = 0;
            while (getchar() != EOF) count++;
            printf("%d %u\\n", count, ++runs);
        }''')
    done = subprocess.run(['make', '-s', '-C', tmp_path / 'project', 'run', f'MOTE={mote}'],
                          input=b'hello', capture_output=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, b'5 1\n'), done.stderr
    done = subprocess.run(['make', '-s', '-B', '-C', tmp_path / 'project', 'MOTE=/nowhere'],
                          capture_output=True, timeout=120)
    assert done.returncode == 2 and b'make MOTE=/path/to/mote' in done.stderr


@pytest.mark.parametrize('name', ['plain', "it's a folder", '-dash', '$HOME'])
def test_new_prints_a_command_that_works(call, tmp_path, name):
    """Also when mote was called by its path and PATH leads to none."""
    done = call('new', '--', name)
    words = done.stdout.decode()
    assert done.returncode == 0 and words.startswith(f'{name} is ready: ')
    environment = {key: value for key, value in os.environ.items()
                   if key not in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')}
    done = subprocess.run(['sh', '-c', words.removeprefix(f'{name} is ready: ')], cwd=tmp_path,
                          input=b'fox\n', capture_output=True, env=environment, timeout=120)
    assert done.returncode == 0 and done.stdout.endswith(b'FOX\nHello from an MCU.\n'), done
    done = subprocess.run(['make', '-s', '-C', f'./{name}', 'run'], cwd=tmp_path,
                          capture_output=True, env=environment, timeout=120)
    assert done.returncode and b'make MOTE=/path/to/mote' in done.stderr


@pytest.mark.parametrize('name', ['\x1b]0;pwn\x07', 'two\nlines', 'a\u202eb'])
def test_new_takes_no_name_that_steers_a_terminal(call, tmp_path, name):
    done = call('new', name)
    assert (done.returncode, done.stdout) == (125, b'') and b'NAME' in done.stderr
    assert not (tmp_path / name).exists()


def test_new_leaves_nothing_of_a_project_that_does_not_fit(mote, tmp_path):
    done = subprocess.run(['sh', '-c', 'ulimit -f 0; trap "" XFSZ; exec "$1" new project', 'sh',
                           mote], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 125 and b'File too large' in done.stderr
    assert not (tmp_path / 'project').exists()


def test_new_refuses_what_exists(call, tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'file').write_text('precious')
    for name in ('folder', 'file'):
        done = call('new', name)
        assert done.returncode == 124 and b'exists already' in done.stderr
    assert list((tmp_path / 'folder').iterdir()) == []
    assert (tmp_path / 'file').read_text() == 'precious'
    assert call('new').returncode == 125
    assert call('new', 'no/such/parent').returncode == 124
