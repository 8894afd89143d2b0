# conftest.py - firmware for the service's tests, and a client that shows every header
# SPDX-License-Identifier: MIT
import http.client
import subprocess
from pathlib import Path

import pytest

CROSS = 'riscv64-unknown-elf-'
FLAGS = ['-misa-spec=2.2', '-march=rv32imac', '-mabi=ilp32', '-nostdlib', '-Os', '-ffreestanding',
         '-fno-tree-loop-distribute-patterns', '-Wl,--no-warn-rwx-segments',
         '-Wl,--build-id=none', '-Wl,-Ttext=0x20000000', '-Wl,-e,_start']

HEAD = '''
typedef unsigned u32; typedef unsigned char u8;
#define REG(a) (*(volatile u32 *)(a))
#define IN ((const volatile u8 *)0x22000000)
#define OUT ((volatile u8 *)0x24000000)
#define META ((volatile u8 *)0x26000000)
#define RAM ((volatile u32 *)0x80000000)
#define IN_LEN REG(0x10010008)
#define OUT_LEN REG(0x1001000c)
#define META_LEN REG(0x10010014)
#define BOOT REG(0x10010018)
#define UART (*(volatile u8 *)0x10000000)
static void off(u32 code) { REG(0x100000) = code ? code << 16 | 0x3333 : 0x5555; for (;;) {} }
static u32 number(void) { u32 n = 0;
  for (u32 i = 0; i < IN_LEN; i++) n = n * 10 + IN[i] - '0'; return n; }
static void put(u32 n) { u8 d[10]; u32 k = 0, at = 0; do d[k++] = '0' + n % 10; while (n /= 10);
  while (k) OUT[at++] = d[--k]; OUT_LEN = at; }
void _start(void) __attribute__((section(".text.startup")));
void _start(void) { BODY }
'''

# Each is the body of _start: sp is the end of RAM at reset.
FIRMWARE = {
    'echo': 'for (u32 i = 0; i < IN_LEN; i++) OUT[i] = IN[i]; OUT_LEN = IN_LEN; off(0);',
    'count': 'put(++RAM[0]); off(0);',
    'stripes': 'u32 n = RAM[0] + 1; for (u32 i = 0; i < 64; i++) RAM[i * 1024] = n; put(n);'
               'off(0);',
    'boot': 'put(BOOT); off(0);',
    'seed': 'for (u32 i = 0; i < 4; i++) ((volatile u32 *)OUT)[i] = REG(0x10010030 + 4 * i);'
            'OUT_LEN = 16; off(0);',
    'exit': 'off(number());',
    'spin': 'u32 n = number(); RAM[0]++; for (u32 i = 0; i < n * 1000; i++) asm volatile("");'
            'put(RAM[0]); off(0);',
    'meta': 'for (u32 i = 0; i < IN_LEN; i++) META[32768 + i] = IN[i]; META_LEN = IN_LEN;'
            'OUT[0] = 66; OUT_LEN = 1; RAM[0] = 1; off(0);',
    'environ': 'u32 n = REG(0x10010010); for (u32 i = 0; i < n; i++) OUT[i] = META[i];'
               'OUT_LEN = n; off(0);',
    'console': 'for (const char *p = "hello\\n"; *p; p++) UART = *p; off(0);',
    'undeclared': 'OUT[0] = 65; OUT[9] = 66; off(0);',
    'empty': 'OUT[0] = 65; OUT_LEN = 0; off(0);',
    'write_then_fault': 'RAM[0] = 7; OUT[0] = 88; OUT_LEN = 1; *(volatile u32 *)4 = 1;',
    'forever': 'RAM[0]++; OUT[0] = 70; OUT_LEN = 1; for (;;) asm volatile("nop");',
    'jump_to_itself': 'RAM[0] = 1; asm volatile("1: j 1b");',
    'wait_for_interrupt': 'for (;;) asm volatile("wfi");',
    'write_rom': '*(volatile u32 *)0x20000000 = 1; off(0);',
    'jump_to_in': '((void (*)(void))0x22000000)();',
    'execute_zeros': '((void (*)(void))0x80100000)();',
    'unmapped': '*(volatile u32 *)0x50000000; off(0);',
    'clint': '*(volatile unsigned char *)0x02000000; off(0);',
    'fill_out': 'for (u32 i = 0; i < 0x2000000; i += 4) *(volatile u32 *)(0x24000000 + i) = ~0u;'
                'off(0);',
    'fill_out_then_fault': 'for (u32 i = 0; i < 0x2000000; i += 4) '
                           '*(volatile u32 *)(0x24000000 + i) = ~0u; OUT_LEN = 0x2000000;'
                           '*(volatile u32 *)4 = 1;',
    'dirty': 'for (u32 i = 0; i < 8192; i++) RAM[i * 1024] = 1; OUT_LEN = 0; off(0);',
    'trap_forever': 'asm volatile("la t0, 1f; csrw mtvec, t0; .align 2; 1: ebreak");',
    'recurse': 'asm volatile("1: addi sp, sp, -16; sw ra, 0(sp); call 1b");',
}


@pytest.fixture(scope='session')
def firmware(tmp_path_factory):
    """firmware('echo') is the path of that ELF, compiled at most once."""
    folder = tmp_path_factory.mktemp('firmware')

    def get(name):
        output = folder / f'{name}.elf'
        if not output.exists():
            source = folder / f'{name}.c'
            source.write_text(HEAD.replace('BODY', FIRMWARE[name]))
            subprocess.run([CROSS + 'gcc', *FLAGS, '-o', output, source], check=True)
        return Path(output)
    return get


class Reply:
    def __init__(self, raw):
        self.status = raw.status
        self.fields = raw.getheaders()
        self.body = raw.read()

    def __getitem__(self, name):
        values = [v for n, v in self.fields if n.lower() == name.lower()]
        return values[0] if values else None

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def cookies(self):
        return dict(v.split(';')[0].split('=', 1) for v in self.all('Set-Cookie'))


class Client:
    """Requests of Python's own HTTP client; each on a connection of its own."""

    def __init__(self, port):
        self.port = port

    def __call__(self, method, path, body=None, timeout=60, **fields):
        link = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            link.request(method, path, body, {n.replace('_', '-'): v for n, v in fields.items()})
            return Reply(link.getresponse())
        finally:
            link.close()

    def pairs(self, method, path, pairs, body=b''):
        """A request with these fields, which may have one name, in their order."""
        link = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        try:
            link.putrequest(method, path)
            for name, value in (*pairs, ('Content-Length', len(body))):
                link.putheader(name, value)
            link.endheaders(body)
            return Reply(link.getresponse())
        finally:
            link.close()

    def put(self, path):
        """Stores a file as a new ROM; its id."""
        reply = self('PUT', '/mcu', Path(path).read_bytes())
        assert reply.status == 201, reply.body
        return reply['Location'].removeprefix('/mcu/')


@pytest.fixture
def client(server):
    return Client(server.port)


@pytest.fixture
def rom(client, firmware):
    """rom('echo') uploads that firmware; the path of its ROM."""
    return lambda name: '/mcu/' + client.put(firmware(name))


@pytest.fixture
def client_of():
    return lambda server: Client(server.port)
