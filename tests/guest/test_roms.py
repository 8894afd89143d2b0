# test_roms.py - the example ROMs and the SDK, each through the real rv32im
# SPDX-License-Identifier: MIT
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import zlib
from collections import Counter

import pytest

WINDOW = 32 << 20
CYCLES_A_BYTE_MAX = 60  # wordcount through getchar: tens of instructions a byte, no trap


class Run:
    """One finished run: status, reply, reply's headers, console, statistics."""

    def __init__(self, status, out, headers, console, stats):
        self.status, self.out, self.headers, self.console = status, out, headers, console
        self.stats = stats


class Machine:
    """Runs images in one folder; the RAM file stays there between runs of the same `session`."""

    def __init__(self, program, build, folder):
        self.program, self.build, self.folder = program, build, folder

    def image(self, name):
        path = self.build / 'roms' / f'{name}.elf'
        if not path.exists():
            pytest.fail(f'{path} is missing: run `make` first')
        return path

    def run(self, image, body=b'', session=None, variables=None, options=()):
        ram, given, out = (self.folder / name for name in (f'{session}.ram', 'in', 'out'))
        headers, stats = self.folder / 'headers', self.folder / 'stats'
        if session is None:
            ram.unlink(missing_ok=True)
        given.write_bytes(body)
        for path in (headers, stats, out):
            path.unlink(missing_ok=True)
        environment = {'PATH': os.environ['PATH'], 'REQUEST_METHOD': 'POST', **(variables or {})}
        done = subprocess.run(
            [self.program, '--cgi', '--headers', headers, '--stats-file', stats, *options,
             image, ram, given, out], env=environment, capture_output=True, timeout=200)
        numbers = dict(line.split('=', 1) for line in stats.read_text().splitlines())
        reply = out.read_bytes()[:int(numbers['out_len'])]
        lines = headers.read_text().splitlines() if headers.exists() else []
        return Run(done.returncode, reply, dict(line.split(': ', 1) for line in lines),
                   done.stderr, numbers)

    def rom(self, name, body=b'', **more):
        return self.run(self.image(name), body, **more)


@pytest.fixture
def machine(rv32im, build, tmp_path):
    return Machine(rv32im, build, tmp_path)


@pytest.fixture
def sdk_c(build, tmp_path):
    """Compiles a text with the SDK as a user does: the specs file, and `flags` if there are any."""
    def compile_c(text, *flags, kind='c'):
        source, image = tmp_path / f'program.{kind}', tmp_path / 'program.elf'
        source.write_text(text)
        compiler = 'riscv64-unknown-elf-' + ('gcc' if kind == 'c' else 'g++')
        subprocess.run([compiler, f'--specs={build}/share/mote/mote.specs', '-O2', *flags,
                        source, '-o', image], check=True)
        return image
    return compile_c


def noise(count, seed=3):
    return random.Random(seed).randbytes(count)


@pytest.mark.parametrize('body', [b'', b'x', b'zeros at the end\0\0', noise(100001)])
def test_echo_gives_the_body_back(machine, body):
    run = machine.rom('echo', body)
    assert (run.status, run.out) == (0, body)


def test_echo_of_a_full_window(machine):
    body = noise(1 << 20) * 31 + noise((1 << 20) - 1) + b'!'
    run = machine.rom('echo', body, options=['--max-ms', '120000'])
    assert run.status == 0 and run.out == body


@pytest.mark.parametrize('name', ['upper', 'upper-picolibc'])
@pytest.mark.parametrize('body', [b'', b'hello, World 7\n', b'\xff\0z', b'abc\n' * 50000])
def test_upper_case_both_ways(machine, name, body):
    run = machine.rom(name, body)
    assert (run.status, run.out) == (0, body.upper())


def test_wordcount_prints_its_table(machine):
    run = machine.rom('wordcount', b'one two\n\n  three\tfour\nfive')
    assert run.status == 0
    rows = [line.rsplit(None, 1) for line in run.out.decode().splitlines()]
    assert rows == [['lines', '3'], ['words', '5'], ['bytes', '26'], ['longest line', '12']]


def test_wordcount_of_nothing(machine):
    run = machine.rom('wordcount')
    assert run.status == 0
    assert [line.split()[-1] for line in run.out.decode().splitlines()] == ['0'] * 4


def test_getchar_costs_tens_of_instructions(machine):
    body = b'lorem ipsum dolor\n' * ((1 << 20) // 18)
    run = machine.rom('wordcount', body)
    assert run.status == 0
    assert int(run.stats['cycles']) < CYCLES_A_BYTE_MAX * len(body)


def test_total_goes_on_in_its_session(machine):
    assert machine.rom('total', b'1 2 3\n', session='a').out.endswith(b'run 1, total 6\n')
    assert machine.rom('total', b'-10', session='a').out.endswith(b'run 2, total -4\n')
    assert machine.rom('total', b'', session='a').out.endswith(b'run 3, total -4\n')
    assert machine.rom('total', b'5', session='b').out.endswith(b'run 1, total 5\n')


def test_total_refuses_what_is_no_number(machine):
    run = machine.rom('total', b'1 two')
    assert run.status == 1 and b"not a number: 't'" in run.out


def test_visits_are_counted(machine):
    assert machine.rom('visits', session='v').out == b'Welcome! Visit number 1.\n'
    run = machine.rom('visits', session='v')
    assert run.out == b'Welcome back! Visit number 2.\n'
    assert run.headers['Content-Type'].startswith('text/plain')


@pytest.mark.parametrize('size', [0, 1, 55, 56, 63, 64, 65, 119, 120, 100000])
def test_sha256_agrees_with_the_host(machine, size):
    body = noise(size)
    run = machine.rom('sha256', body)
    assert (run.status, run.out.decode().strip()) == (0, hashlib.sha256(body).hexdigest())


def test_sha256_agrees_with_sha256sum(machine, tmp_path):
    body = noise(2 << 20)
    run = machine.rom('sha256', body)
    (tmp_path / 'body').write_bytes(body)
    tool = subprocess.run(['sha256sum', tmp_path / 'body'], check=True, capture_output=True)
    assert run.out.split()[0] == tool.stdout.split()[0]


def decode_png(data):
    """(width, height, rows of palette indices), with every checksum looked at."""
    assert data.startswith(b'\x89PNG\r\n\x1a\n')
    at, chunks = 8, []
    while at < len(data):
        size, = struct.unpack_from('>I', data, at)
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        assert struct.unpack_from('>I', data, at + 8 + size)[0] == zlib.crc32(kind + body)
        chunks.append((kind, body))
        at += 12 + size
    assert [kind for kind, _ in chunks] == [b'IHDR', b'PLTE', b'IDAT', b'IEND']
    width, height, depth, colour = struct.unpack_from('>IIBB', chunks[0][1])
    assert (depth, colour) == (8, 3)
    lines = zlib.decompress(chunks[2][1])
    assert len(lines) == height * (width + 1)
    rows = [lines[i * (width + 1) + 1:(i + 1) * (width + 1)] for i in range(height)]
    assert max(max(row) for row in rows) < len(chunks[1][1]) // 3
    return width, height, rows


def test_mandelbrot_is_a_png_of_the_set(machine):
    run = machine.rom('mandelbrot', variables={'QUERY_STRING': 'width=90&height=60'})
    assert run.status == 0 and run.headers['Content-Type'] == 'image/png'
    width, height, rows = decode_png(run.out)
    assert (width, height) == (90, 60)
    inside = max(max(row) for row in rows)
    assert rows[30][45] == inside and rows[0][0] < inside  # -0.5 belongs to it, a corner does not
    assert rows[20] == rows[40]                            # it is symmetrical


@pytest.mark.parametrize('query, size', [
    ('', (320, 240)), ('width=1&height=99999', (16, 1024)), ('width=x&height=', (320, 240)),
    ('he%69ght=64&width=+64&width=99', (64, 64)),
    ('width=64&height=64&x=2000&y=-2000&zoom=100000', (64, 64))])
def test_mandelbrot_takes_any_query(machine, query, size):
    run = machine.rom('mandelbrot', variables={'QUERY_STRING': query})
    assert run.status == 0 and decode_png(run.out)[:2] == size


def test_json_is_printed_with_indentation(machine):
    run = machine.rom('json', b' {"a":[1,-2.5e+3,{}],"b":"x\\n\\u00e9"} ')
    assert run.status == 0 and run.headers == {'Content-Type': 'application/json'}
    assert run.out == (b'{\n  "a": [\n    1,\n    -2.5e+3,\n    {}\n  ],\n'
                       b'  "b": "x\\n\\u00e9"\n}\n')


@pytest.mark.parametrize('body, words', [
    (b'', 'line 1, column 1: expected a value, found the end of the text'),
    (b'{"a":\n [1,}', "line 2, column 5: expected a value, found '}'"),
    (b'[1] x', "line 1, column 5: expected nothing after the value, found 'x'"),
    (b'"abc', 'line 1, column 5: expected a closing ", found the end of the text'),
    (b'01', "line 1, column 2: expected nothing after the value, found '1'"),
    (b'"\x01"', 'expected a string without raw control characters, found byte 0x01'),
    (b'[' * 5000, 'line 1, column 201: expected no more than 200 levels'),
    (b'{"a" 1}', "line 1, column 6: expected ':' after the name, found '1'")])
def test_json_says_where_it_is_wrong(machine, body, words):
    run = machine.rom('json', body)
    assert run.status == 1 and run.headers['Status'] == '422'
    assert words in run.out.decode() and run.out.count(b'\n') == 1


def life(world):
    """A generation on the torus of 64 by 32, by another way than the guest's."""
    around = Counter(((r + i) % 32, (c + j) % 64) for r, c in world
                     for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
    return {cell for cell, n in around.items() if n == 3 or (n == 2 and cell in world)}


def test_life_goes_on_in_its_session(machine):
    def world_of(run):
        lines = run.out.decode().splitlines()[1:]
        assert [len(line) for line in lines] == [64] * 32
        return {(r, c) for r, line in enumerate(lines) for c, x in enumerate(line) if x == '#'}
    first = machine.rom('life', b'.#\n..#\n###\n', session='life')
    assert first.out.startswith(b'generation 0\n')
    world = world_of(first)
    assert world == {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
    for generation in (1, 2):
        run = machine.rom('life', session='life')
        world = life(world)
        assert run.out.startswith(b'generation %d\n' % generation) and world_of(run) == world


def test_assembly_greets(machine):
    run = machine.rom('hello', b'Ada\nand more')
    assert (run.status, run.out) == (0, b'Hello, Ada!\n')


def test_cxx_counts_words(machine):
    run = machine.rom('words', b'The cat, the dog; a cat. THE!')
    assert run.status == 0
    assert [line.split() for line in run.out.decode().splitlines()] == [
        ['3', 'the'], ['2', 'cat'], ['1', 'a'], ['1', 'dog']]


def test_getenv_knows_the_request(machine, sdk_c):
    image = sdk_c('#include <stdio.h>\n#include <stdlib.h>\nint main(void) {\n'
                  'printf("%s|%s|", getenv("REQUEST_METHOD"), getenv("HTTP_X_COLOUR"));\n'
                  'setenv("NEW", "1", 1); printf("%s|%d", getenv("NEW"), !getenv("NONE")); }')
    run = machine.run(image, variables={'HTTP_X_COLOUR': 'light blue'})
    assert run.out == b'POST|light blue|1|1'


def test_exit_code_and_console_reach_the_caller(machine, sdk_c):
    run = machine.run(sdk_c('#include <stdio.h>\nint main(void) {\n'
                            'fprintf(stderr, "to the console"); puts("to OUT"); return 42; }'))
    assert (run.status, run.out) == (42, b'to OUT\n') and b'to the console' in run.console


@pytest.mark.parametrize('statement', [
    '*(volatile int *)4 = 1', '*(volatile int *)0x20000000 = 1', 'abort()', 'assert(getenv("X"))',
    '__asm__ volatile("unimp")', '((void (*)(void))0x22000000)()'])
def test_a_crash_is_a_crash(machine, sdk_c, statement):
    run = machine.run(sdk_c('#include <assert.h>\n#include <stdlib.h>\n'
                            f'int main(void) {{ {statement}; return 0; }}'))
    assert run.status == 123 and run.stats['halt'] == 'fault'


def test_streams_seek_and_push_back(machine, sdk_c):
    run = machine.run(sdk_c(
        '#include <stdio.h>\n#include <unistd.h>\nint main(void) {\n'
        'int c = getchar(); ungetc(c, stdin); long at = ftell(stdin); c = getchar();\n'
        'int n = 0, count = scanf("%d", &n); fseek(stdin, 0, SEEK_END);\n'
        'printf("%ld %c %d %d %ld %d", at, c, count, n, ftell(stdin), getchar());\n'
        'printf(" %d", !!feof(stdin));\n'
        'char word[4] = ""; rewind(stdin); size_t got = fread(word, 1, 3, stdin);\n'
        'printf(" %d %s %ld", (int)got, word, (long)lseek(0, 0, SEEK_CUR)); }'), b'x17 rest')
    assert run.out == b'0 x 1 17 8 -1 1 3 x17 3'


SEMIHOSTED = r'''
#include <mote.h>
#include <stdio.h>
#include <unistd.h>
void say(const char *text);
__asm__(".text\n.balign 16\nsay: mv a1, a0\nli a0, 4\n" /* SYS_WRITE0 */
        ".option push\n.option norvc\nslli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n"
        ".option pop\nret\n");
int main(void) { %s }
'''


@pytest.mark.parametrize('statements, out', [
    ('printf("one"); fflush(stdout); say("two"); printf("three"); say("four");',
     b'onetwothreefour'),
    ('printf("one"); say("two"); putchar(51); say("4"); puts("5"); say("6"); write(1, "7", 1);',
     b'onetwo345\n67'),
    ('fwrite("one", 1, 3, stdout); say("two"); fputs("three", stdout); say("four");',
     b'onetwothreefour'),
    ('printf("abc"); fseek(stdout, 1, SEEK_SET); say("d"); printf("BCD"); say("e"); putchar(70);',
     b'aBCDeF'),
    ('printf("abc"); fseek(stdout, 5, SEEK_SET); say("d"); putchar(88); say("e");',
     b'abcd\0Xe'),
    ('printf("abc"); rewind(stdout); printf("%ld", ftell(stdout)); fseek(stdout, 0, SEEK_END);'
     'say("d"); printf("%ld", ftell(stdout));', b'0bcd4'),
    ('mote_out()[0] = 97; mote_out_len_set(1); say("b"); printf("c%d", (int)mote_out_len());',
     b'abc2'),
    ('printf("abc"); rewind(stdout); mote_out_len_set(2); putchar(88);', b'abX'),
    ('mote_out()[0] = 97; write(1, "", 0); fwrite("", 1, 0, stdout);', b'a'),
])
def test_stdio_and_semihosting_append_to_the_same_out(machine, sdk_c, statements, out):
    run = machine.run(sdk_c(SEMIHOSTED % statements))
    assert (run.status, run.out) == (0, out)


def test_preserve_starts_as_zero_and_stays(machine, sdk_c):
    image = sdk_c('#include <mote.h>\n#include <stdio.h>\nMOTE_PRESERVE static int kept[3];\n'
                  'MOTE_NOINIT static int raw; static int zero; static int set = 7;\n'
                  'int main(void) { printf("%d %d %d", kept[2]++, zero++, set++); raw = 5; }')
    assert [machine.run(image, session='p').out for _ in range(3)] == [b'0 0 7', b'1 0 7', b'2 0 7']


def test_malloc_ends_where_the_stack_begins(machine, sdk_c):
    image = sdk_c('#include <stdio.h>\n#include <stdlib.h>\nint main(void) {\n'
                  'int blocks = 0; while (malloc(1 << 20) != NULL) blocks++;\n'
                  'printf("%d", blocks); }')
    run = machine.run(image)
    assert run.status == 0 and 28 <= int(run.out) <= 31


def test_a_stack_that_grows_into_the_heap_is_a_fault(machine, sdk_c):
    image = sdk_c('#include <string.h>\nstatic volatile int depth = 1100;\n'
                  '__attribute__((noinline)) int deeper(int n) { volatile char room[1024];\n'
                  'memset((char *)room, n | 1, sizeof room);\n'
                  'return n == 0 ? room[0] : deeper(n - 1) + room[1]; }\n'
                  'int main(void) { return deeper(depth) * 0; }')
    run = machine.run(image)
    assert run.status == 123 and b'the stack has grown into the heap' in run.console


ALL_OF_STDIO = '''
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
int main(void)
{
    char line[80], word[20];
    int n;
    if (!fgets(line, sizeof line, stdin) || sscanf(line, "%19s %d", word, &n) != 2) return 1;
    int c = getc(stdin);
    ungetc(c, stdin);
    if (scanf("%d", &n) != 1) return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    fprintf(stdout, "%s %d %c %.3f\\n", word, n, c, sqrt(2.0));
    perror("note");
    printf("%d %d\\n", feof(stdin), ferror(stdin));
    putc('x', stdout); fputc('y', stdout); puts("z");
    fflush(NULL);
    free(strdup("dup"));
    rewind(stdin);
    printf("%c", getchar());
    fseek(stdin, 0, SEEK_END);
    printf(" %ld %d\\n", ftell(stdin), getchar());
    printf("%d %ld\\n", (int)time(NULL), strtol("42", NULL, 0));
    return 7;
}
'''


def test_all_of_stdio_links_and_works(machine, sdk_c):
    run = machine.run(sdk_c(ALL_OF_STDIO), b'hello 3\n55 tail')
    assert run.out == b'hello 55 5 1.414\n0 0\nxyz\nh 15 -1\n0 42\n'
    assert run.status == 7 and b'note: ' in run.console


@pytest.mark.parametrize('call', ['scanf("%d", &n)', 'getchar()', 'puts("")', 'perror("")',
                                  'ungetc(1, stdin)', 'fseek(stdin, 0, 0)', 'fflush(NULL)',
                                  'n = !getenv("A")', 'time(NULL)', 'abort()', 'rand()'])
def test_each_function_links_alone(sdk_c, call):
    sdk_c('#include <stdio.h>\n#include <stdlib.h>\n#include <time.h>\n'
          'int main(void) { int n = 0; %s; return n; }\n' % call)


def test_out_ends_with_its_window(machine, sdk_c):
    image = sdk_c('#include <stdio.h>\nstatic char block[1 << 20];\nint main(void) {\n'
                  'size_t sum = 0, n; block[0] = 1;\n'
                  'while ((n = fwrite(block, 1, sizeof block, stdout)) != 0) sum += n;\n'
                  'fprintf(stderr, "%lu %d", (unsigned long)sum, putchar(1)); }')
    run = machine.run(image)
    assert run.status == 0 and b'%d -1' % WINDOW in run.console and len(run.out) == WINDOW


def test_headers_are_checked_and_replaced(machine, sdk_c):
    run = machine.run(sdk_c(
        '#include <mote.h>\n#include <stdio.h>\nint main(void) {\n'
        'mote_reply_header("X-A", "1"); mote_reply_header("X-B", "2");\n'
        'mote_reply_header("x-a", "3"); mote_reply_status(404);\n'
        'printf("%d %d %d", mote_reply_header("X:", "1"), mote_reply_header("X", "a\\nB: c"),\n'
        'mote_reply_status(99)); }'))
    assert run.out == b'-1 -1 -1'
    assert run.headers == {'X-B': '2', 'x-a': '3', 'Status': '404'}


@pytest.mark.parametrize('flags', [[], ['-march=rv32imac', '-mabi=ilp32', '-misa-spec=2.2'],
                                   ['-march=rv32im', '-mabi=ilp32'], ['-march=rv32imac_zba_zbb'],
                                   ['-x', 'c++']])
def test_the_specs_file_links_for_the_mcu(build, tmp_path, flags):
    source, image = tmp_path / 'hello.c', tmp_path / 'hello.elf'
    source.write_text('#include <stdio.h>\nint main(void) { printf("%f %lld\\n", 1.5, 2LL); }\n')
    subprocess.run(['riscv64-unknown-elf-gcc', f'--specs={build}/share/mote/mote.specs', *flags,
                    source, '-o', image], check=True)
    header = image.read_bytes()[:52]
    machine, = struct.unpack_from('<H', header, 18)
    entry, = struct.unpack_from('<I', header, 24)
    assert (header[4], machine, entry) == (1, 243, 0x20000000)


def test_the_generated_header_has_the_promised_numbers(build):
    text = (build / 'share/mote/include/mote-machine.h').read_text()
    found = dict(re.findall(r'^#define MOTE_(\w+) +(0x[0-9a-f]+)', text, re.M))
    promised = {'ROM_BASE': 0x20000000, 'IN_BASE': 0x22000000, 'OUT_BASE': 0x24000000,
                'META_BASE': 0x26000000, 'META_SIZE': 0x10000, 'META_REQUEST': 0x26000000,
                'META_REQUEST_SIZE': 0x8000, 'META_REPLY': 0x26008000, 'META_REPLY_SIZE': 0x8000,
                'RAM_BASE': 0x80000000, 'RAM_SIZE': 0x2000000, 'POWER_FINISH': 0x100000,
                'UART_LSR': 0x10000005, 'LAMBDA_OUT_LEN': 0x1001000c, 'LAMBDA_SEED3': 0x1001003c}
    assert {name: int(found[name], 16) for name in promised} == promised


CSR_INSTRUCTIONS = '''
#include <stdio.h>
int main(void)
{
    unsigned kept, first, then;
    __asm__ volatile("rdcycle %0" : "=r"(first));
    __asm__ volatile("csrw mscratch, %0" : : "r"(77));
    __asm__ volatile("csrr %0, mscratch" : "=r"(kept));
    __asm__ volatile("fence.i" : : : "memory");
    __asm__ volatile("csrr %0, mcycle" : "=r"(then));
    printf("%u %u", kept, then - first);
}
'''


@pytest.mark.parametrize('kind', ['c', 'cc'])
@pytest.mark.parametrize('flags', [[], ['-march=rv32i'], ['-march=rv32im', '-mabi=ilp32'],
                                   ['-march=rv32imac'], ['-march=rv32imac_zba'],
                                   ['-march=rv32imac_zicsr_zifencei'], ['-flto'],
                                   ['-march=rv32im', '-flto'], ['-save-temps=obj']],
                         ids=' '.join)
def test_csr_instructions_and_fence_i_compile(machine, sdk_c, kind, flags):
    run = machine.run(sdk_c(CSR_INSTRUCTIONS, *flags, kind=kind))
    assert run.status == 0 and run.out in (b'77 4', b'77 5')  # 77 may be loaded after rdcycle


HANDLER = '''
#include <stdio.h>
static volatile unsigned cause, address;
#ifdef __cplusplus
extern "C"
#endif
__attribute__((interrupt("machine"), aligned(4))) void mote_trap(void)
{
    unsigned value;
    __asm__ volatile("csrr %0, mcause" : "=r"(value));
    cause = value;
    __asm__ volatile("csrr %0, mtval" : "=r"(value));
    address = value;
    __asm__ volatile("csrr %0, mepc" : "=r"(value));
    __asm__ volatile("csrw mepc, %0" : : "r"(value + 4));
}
int main(void)
{
    __asm__ volatile(".option push\\n.option norvc\\nlw a0, 0x44(zero)\\n.option pop" : : : "a0");
    printf("cause %u at 0x%x", cause, address);
}
'''


@pytest.mark.parametrize('kind', ['c', 'cc'])
def test_a_program_has_a_trap_handler_of_its_own(machine, sdk_c, kind):
    run = machine.run(sdk_c(HANDLER, kind=kind))
    assert (run.status, run.out) == (0, b'cause 5 at 0x44')


def test_the_template_compiles_csr_instructions(build, machine, tmp_path):
    folder = tmp_path / 'project'
    shutil.copytree(build / 'share/mote/template', folder)
    (folder / 'main.c').write_text(CSR_INSTRUCTIONS)
    subprocess.run(['make', '-C', folder, f'MOTE={build}/bin/mote'], check=True,
                   capture_output=True)
    assert machine.run(folder / 'firmware.elf').out.startswith(b'77 ')


def test_the_template_builds_for_mote_and_for_qemu(build, machine, tmp_path):
    folder = tmp_path / 'project'
    shutil.copytree(build / 'share/mote/template', folder)
    subprocess.run(['make', '-C', folder, f'MOTE={build}/bin/mote'], check=True,
                   capture_output=True)
    run = machine.run(folder / 'firmware.elf', b'abc\n')
    assert (run.status, run.out) == (0, b'ABC\nHello from an MCU.\n')
    qemu = subprocess.run(['make', '-C', folder, 'qemu'], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert qemu.returncode == 0 and b'Hello from an MCU.' in qemu.stdout + qemu.stderr
