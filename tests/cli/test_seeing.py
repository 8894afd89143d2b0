# test_seeing.py - filtered traces, profiles and coverage of real firmware, against known counts
# SPDX-License-Identifier: MIT
import re
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

SVG = '{http://www.w3.org/2000/svg}'

CALLS = '''
#define APART __attribute__((noinline, noclone))
#define POWER_DOWN(code) (*(volatile unsigned *)0x100000 = (code) << 16 | 0x3333)
#define sink (*(volatile unsigned *)0x80000000)
APART unsigned leaf(unsigned x) { return sink += x; }
APART unsigned twice(unsigned x) { leaf(x); leaf(x); return 1; }
APART unsigned tail(unsigned x) { sink = x; return leaf(x + 1); }
APART unsigned down(unsigned n) { unsigned below = n ? down(n - 1) : 0; return sink += below; }
void _start(void)
{
    for (unsigned i = 0; i < 5; i++) twice(i);
    tail(3);
    down(6);
    POWER_DOWN(7);
    for (;;) {}
}
'''


@pytest.fixture
def look(rv32im, tmp_path):
    """Runs an image with options, and reads its statistics."""
    def look(rom, *options, status=None):
        for name in ('in', 'out', 'ram'):
            (tmp_path / name).write_bytes(b'')
        done = subprocess.run([rv32im, *options, '--stats-file', tmp_path / 'stats', rom,
                               *(tmp_path / name for name in ('ram', 'in', 'out'))],
                              capture_output=True, text=True, timeout=120)
        if status is not None:
            assert done.returncode == status, done.stderr
        done.files = [tmp_path / name for name in ('stats', 'ram', 'out')]
        done.stats = dict(line.split('=', 1) for line in
                          (tmp_path / 'stats').read_text().splitlines())
        return done
    return look


def left_by(done):
    """What a run left, to compare: exit status, statistics, RAM, OUT. Large, so only on demand."""
    return done.returncode, *(path.read_bytes() for path in done.files)


class Row:
    def __init__(self, line):
        self_cycles, percent, total, total_percent, calls, self.name = line.split(None, 5)
        self.cycles, self.total, self.calls = int(self_cycles), int(total), int(calls)
        self.percent = percent


def table_of(text):
    """Rows by name, and the cycles of the last line."""
    head, *lines, last = text.splitlines()
    assert head.split() == ['self', 'cycles', 'with', 'callees', 'calls', 'function']
    assert last.split()[1:] == ['100.00%', '(the', 'run)']
    rows = [Row(line) for line in lines]
    assert [row.cycles for row in rows] == sorted((row.cycles for row in rows), reverse=True)
    return {row.name: row for row in rows}, int(last.split()[0])


def test_a_profile_counts_each_cycle_once_and_each_call(look, cross, tmp_path):
    rom = cross.c(CALLS, flags=['-fno-optimize-sibling-calls', '-g'])
    done = look(rom, f'--profile={tmp_path}/profile.txt', status=7)
    rows, cycles = table_of((tmp_path / 'profile.txt').read_text())
    assert cycles == int(done.stats['cycles'])
    assert sum(row.cycles for row in rows.values()) == cycles
    assert {name: row.calls for name, row in rows.items()} == {
        '_start': 1, 'twice': 5, 'leaf': 11, 'tail': 1, 'down': 7}
    assert rows['_start'].total == cycles
    assert rows['down'].total == rows['down'].cycles, 'recursion is counted once'
    assert rows['leaf'].cycles % 11 == 0
    assert rows['twice'].total == rows['twice'].cycles + rows['leaf'].cycles // 11 * 10
    assert rows['tail'].total == rows['tail'].cycles + rows['leaf'].cycles // 11


def test_a_profile_goes_to_standard_error_by_itself(look, cross):
    done = look(cross.c(CALLS), '--profile')
    rows, cycles = table_of(done.stderr)
    assert cycles == int(done.stats['cycles']) and rows['leaf'].calls == 11


ASSEMBLY = '''
.globl _start
.macro function name
.type \\name, @function
\\name:
.endm
function _start
    la t1, handler
    csrw mtvec, t1
    li s0, 3
1:  jal t0, saver
    addi s0, s0, -1
    bnez s0, 1b
    call jumps
    la s1, 2f
    call outer
2:  ecall
    li a0, 0x100000
    li a1, 0x5555
    sw a1, 0(a0)
.size _start, . - _start
function saver
    nop
    jr t0
.size saver, . - saver
function jumps
    j target
.size jumps, . - jumps
function target
    nop
    ret
.size target, . - target
function outer
    call inner
    nop
    ret
.size outer, . - outer
function inner
    mv ra, s1
    ret
.size inner, . - inner
.align 2
function handler
    csrr t2, mepc
    addi t2, t2, 4
    csrw mepc, t2
    mret
.size handler, . - handler
'''


def boxes_of(path):
    """(title, x, width, y) of each box of a flame graph, in their order."""
    svg = xml.parse(path).getroot()
    assert svg.tag == SVG + 'svg'
    for group in svg.iter(SVG + 'g'):
        rect = group.find(SVG + 'rect')
        y = int(re.fullmatch(r'translate\(0,(\d+)\)', group.get('transform'))[1])
        yield group.find(SVG + 'title').text, float(rect.get('x')), float(rect.get('width')), y


def stacks_of(path):
    """Each box as (names from the root to it, cycles, cycles in itself)."""
    places = []
    for title, x, width, y in boxes_of(path):
        found = re.fullmatch(r'(.+): (\d+) cycles, [\d.]+%; (\d+) in itself'
                             r'(?:; called \d+ times)?', title)
        below = [p for p in places
                 if p[3] == y + 18 and p[1] - 0.02 <= x and x + width <= p[1] + p[2] + 0.02]
        assert places == [] or len(below) == 1, title
        names = (*below[0][0], found[1]) if below else (found[1],)
        places.append((names, x, width, y))
        yield names, int(found[2]), int(found[3])


def test_calls_of_every_kind_are_followed(look, cross, tmp_path):
    """Calls by way of t0, tail calls, returns past a caller (as longjmp does), traps."""
    rom = cross.asm(ASSEMBLY)
    look(rom, f'--profile={tmp_path}/profile.txt', status=0)
    rows, cycles = table_of((tmp_path / 'profile.txt').read_text())
    assert {name: (row.cycles, row.total, row.calls) for name, row in rows.items()} == {
        '_start': (rows['_start'].cycles, cycles, 1), 'saver': (6, 6, 3), 'jumps': (1, 1, 1),
        'target': (2, 2, 1), 'outer': (1, 3, 1), 'inner': (2, 2, 1), 'handler': (4, 4, 1)}
    done = look(rom, f'--profile={tmp_path}/profile.svg', status=0)
    stacks = dict((names, (total, own)) for names, total, own in
                  stacks_of(tmp_path / 'profile.svg'))
    cycles = int(done.stats['cycles'])
    begin = ('the run', '_start')
    assert stacks == {('the run',): (cycles, 0), begin: (cycles, rows['_start'].cycles),
                      (*begin, 'saver'): (6, 6), (*begin, 'jumps'): (1, 1),
                      (*begin, 'target'): (2, 2), (*begin, 'outer'): (3, 1),
                      (*begin, 'outer', 'inner'): (2, 2), (*begin, 'handler'): (4, 4)}


LONGJMP = '''
#include <setjmp.h>
#define APART __attribute__((noinline, noclone))
static volatile int sink;
static jmp_buf place;
APART int behind(int x) { return sink += x; }
APART void leave(int x) { sink += x; longjmp(place, 1); }
APART int nest(int n)
{
    if (n == 2 && setjmp(place)) return behind(n) + sink;
    if (n == 0) leave(7);
    return nest(n - 1) + sink;
}
int main(void)
{
    nest(4);
    return behind(1) == 0;
}
'''


def test_longjmp_goes_back_to_the_call_that_waits(mote, tmp_path):
    """picolibc's own: it ends in the middle of one of several calls of a function."""
    (tmp_path / 'jump.c').write_text(LONGJMP)
    done = subprocess.run([mote, 'run', f'--profile={tmp_path}/profile.svg', tmp_path / 'jump.c'],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    stacks = {names[names.index('main') + 1:] for names, _, _ in
              stacks_of(tmp_path / 'profile.svg') if 'main' in names}
    assert {names for names in stacks if names[-1:] == ('behind',)} == {
        ('behind',), (*['nest'] * 3, 'behind')}
    assert {names for names in stacks if names[-1:] == ('longjmp',)} == {
        (*['nest'] * 5, 'leave', 'longjmp')}


def test_a_flame_graph_adds_up(look, cross, tmp_path):
    done = look(cross.c(CALLS), f'--profile={tmp_path}/profile.svg')
    stacks = list(stacks_of(tmp_path / 'profile.svg'))
    cycles = int(done.stats['cycles'])
    assert stacks[0][:2] == (('the run',), cycles)
    assert sum(own for _, _, own in stacks) == cycles
    assert max(len(names) for names, _, _ in stacks) == 9  # the run, _start and seven downs


def test_each_of_many_callers_has_its_own_box_of_a_function(look, cross, tmp_path):
    count = 500
    rom = cross.asm('.globl _start\n_start:\n' +
                    ''.join(f'call c{i}\n' for i in range(count)) +
                    'j .\nf: li t1, 40\n1: addi t1, t1, -1\nbnez t1, 1b\nret\n' +
                    ''.join(f'c{i}: mv s0, ra\ncall f\nmv ra, s0\nret\n'
                            for i in range(count)))
    look(rom, f'--profile={tmp_path}/profile.svg', status=0)
    titles = [title for title, *_ in boxes_of(tmp_path / 'profile.svg')]
    boxes = [title for title in titles if title.startswith('f: ')]
    assert len(boxes) == count
    assert len(set(boxes)) == 1 and boxes[0].endswith('; called 1 times')


def test_names_cannot_break_a_flame_graph(look, cross, tmp_path):
    name = '''<script>alert('1')&\\"'''
    rom = cross.asm(f'.globl _start\n_start: call "{name}"\n j .\n"{name}": nop\n ret\n')
    look(rom, f'--profile={tmp_path}/profile.svg', status=0)
    names = [names[-1] for names, _, _ in stacks_of(tmp_path / 'profile.svg')]
    assert names == ['the run', '_start', name.replace('\\', '')]
    assert b'<script' not in (tmp_path / 'profile.svg').read_bytes()


@pytest.mark.parametrize('length, shown', [(255, 255), (256, 255), (5000, 255)])
def test_endless_names_are_cut(look, cross, tmp_path, length, shown):
    rom = cross.asm(f'.globl _start\n_start: call {"x" * length}\n j .\n{"x" * length}: ret\n')
    look(rom, f'--profile={tmp_path}/profile.txt', status=0)
    rows, _ = table_of((tmp_path / 'profile.txt').read_text())
    assert 'x' * shown in rows


def test_deep_recursion_folds_and_still_adds_up(look, cross, tmp_path):
    rom = cross.c('''
        __attribute__((noinline)) int deep(int n) { return n ? deep(n - 1) + 1 : 0; }
        void _start(void) { deep(100000); for (;;) {} }''',
                  flags=['-fno-optimize-sibling-calls', '-O0'])
    done = look(rom, f'--profile={tmp_path}/profile.txt', status=0)
    rows, cycles = table_of((tmp_path / 'profile.txt').read_text())
    assert rows['deep'].calls == 100001 and rows['deep'].total == rows['deep'].cycles
    assert sum(row.cycles for row in rows.values()) == cycles == int(done.stats['cycles'])
    look(rom, f'--profile={tmp_path}/profile.svg', status=0)
    stacks = list(stacks_of(tmp_path / 'profile.svg'))
    assert max(len(names) for names, _, _ in stacks) == 201
    assert sum(own for _, _, own in stacks) == cycles
    assert 'too deep' in (tmp_path / 'profile.svg').read_text()


def test_a_reset_starts_a_new_stack(look, cross, tmp_path):
    """The finisher's reset keeps RAM: the second time round the function powers down."""
    rom = cross.asm('''
        .globl _start
        _start: call again
        again:
            li a0, 0x80000000
            lw a1, 0(a0)
            li a2, 1
            sw a2, 0(a0)
            li a0, 0x100000
            li a2, 0x7777
            beqz a1, 1f
            li a2, 0x5555
        1:  sw a2, 0(a0)
            j .''')
    look(rom, f'--profile={tmp_path}/profile.svg', status=0)
    assert [names for names, _, _ in stacks_of(tmp_path / 'profile.svg')] == [
        ('the run',), ('the run', '_start'), ('the run', '_start', 'again')]


def test_a_raw_image_has_no_names(look, cross, tmp_path):
    done = look(cross.bin(ASSEMBLY), f'--profile={tmp_path}/profile.txt', status=0)
    rows, cycles = table_of((tmp_path / 'profile.txt').read_text())
    assert list(rows) == ['(no symbol)'] and cycles == int(done.stats['cycles'])


@pytest.mark.parametrize('options', [
    ['--trace=/dev/null'], ['--trace=/dev/null', '--trace-only=traps'], ['--profile=/dev/null'],
    ['--profile=/dev/null', '--trace=/dev/null'],
])
@pytest.mark.parametrize('cap', [[], ['--max-cycles=61']])
def test_a_run_that_is_looked_at_is_the_same(look, cross, options, cap):
    for rom in (cross.c(CALLS, 'calls'), cross.asm(ASSEMBLY, 'assembly')):
        assert left_by(look(rom, *options, *cap)) == left_by(look(rom, *cap))


def trace_of(look, rom, tmp_path, *only):
    """(pc, whole line) of each line but the last."""
    look(rom, f'--trace={tmp_path}/trace', *(f'--trace-only={text}' for text in only))
    *lines, last = (tmp_path / 'trace').read_text().splitlines()
    assert last.endswith('power-down')
    return [(int(line.split()[1], 16), line) for line in lines]


def places_of(rom):
    text = subprocess.run(['riscv64-unknown-elf-nm', rom], check=True, capture_output=True,
                          text=True).stdout
    return {line.split()[2]: int(line.split()[0], 16) for line in text.splitlines()}


def test_a_trace_holds_what_is_chosen(look, cross, tmp_path):
    rom = cross.asm(ASSEMBLY)
    all_lines = trace_of(look, rom, tmp_path)
    places = places_of(rom)
    saver, target, handler = (places[name] for name in ('saver', 'target', 'handler'))
    is_saver = [line for line in all_lines if saver <= line[0] < places['jumps']]
    traps = [line for line in all_lines if 'trap to' in line[1]]
    assert len(is_saver) == 6 and len(traps) == 1
    assert trace_of(look, rom, tmp_path, 'saver') == is_saver
    assert trace_of(look, rom, tmp_path, 'traps') == traps
    both = [line for line in all_lines if line in is_saver or line in traps]
    assert trace_of(look, rom, tmp_path, 'saver,traps') == both
    assert trace_of(look, rom, tmp_path, 'traps', 'saver') == both
    bounds = f'{target:#x}-{handler:#x}'
    assert trace_of(look, rom, tmp_path, bounds) == [
        line for line in all_lines if target <= line[0] <= handler]
    assert trace_of(look, rom, tmp_path, f'{handler:#x}') == [
        line for line in all_lines if line[0] == handler]


@pytest.mark.parametrize('only, words', [
    ('nowhere', 'the image has no function `nowhere`'),
    ('0x10-0x4', '0x00000010-0x00000004 ends before it begins'),
    ('0x10-', '`` is not a 32-bit address'),
    ('0x123456789', '`0x123456789` is not a 32-bit address'),
    ('saver,', 'an empty name'),
    ('', 'an empty name'),
    ('x' * 256, 'a name of 256 or more characters'),
    (','.join(['saver'] * 257), 'over 256 functions and ranges'),
])
def test_bad_filters_are_refused_before_anything_changes(rv32im, cross, tmp_path, only, words):
    done = subprocess.run([rv32im, '--trace', f'--trace-only={only}', cross.asm(ASSEMBLY),
                           tmp_path / 'ram', '/dev/null', tmp_path / 'out'],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 125
    assert '--trace-only' in done.stderr and words in done.stderr
    assert not (tmp_path / 'ram').exists() and not (tmp_path / 'out').exists()


def test_a_filter_without_a_trace_is_refused(rv32im, cross):
    done = subprocess.run([rv32im, '--trace-only=traps', cross.asm(ASSEMBLY), '/dev/null',
                           '/dev/null', '/dev/null'], capture_output=True, text=True, timeout=60)
    assert done.returncode == 125 and '--trace-only is about --trace' in done.stderr


@pytest.mark.parametrize('option', ['--trace', '--profile', '--coverage=/dev/null'])
def test_only_one_steps_through_a_run(rv32im, cross, option):
    done = subprocess.run([rv32im, '--gdb=0', option, cross.asm(ASSEMBLY), '/dev/null', '/dev/null',
                           '/dev/null'], capture_output=True, text=True, timeout=60)
    name = option.split('=')[0]
    assert done.returncode == 125
    assert f'{name} and --gdb both step through the run' in done.stderr


def test_mote_run_has_the_same_options(mote, cross, tmp_path):
    rom = cross.c(CALLS)
    done = subprocess.run([mote, 'run', '--stats', f'--profile={tmp_path}/p.txt',
                           f'--trace={tmp_path}/trace', '--trace-only=down', rom],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 7
    rows, cycles = table_of((tmp_path / 'p.txt').read_text())
    assert f'cycles={cycles}\n' in done.stderr
    assert len((tmp_path / 'trace').read_text().splitlines()) - 1 == rows['down'].cycles


# Counted by hand. The `for` runs 9 times: 8 rounds and the look that ends them.
COVERED = '''\
#define OUT ((volatile unsigned *)0x24000000)
__attribute__((noinline)) int pick(int x)
{
    if (x > 2)
        return OUT[x];
    OUT[0] = x;
    return 0;
}
__attribute__((noinline)) void never(void)
{
    OUT[9] = 1;
}
void _start(void)
{
    for (int i = 0; i < 8; i++)
        pick(i);
    if (OUT[7] == 77)
        never();
    *(volatile unsigned *)0x100000 = 0x5555;
    for (;;) {}
}
'''
LINES = {3: 8, 4: 8, 5: 5, 6: 3, 7: 3, 8: 8, 10: 0, 11: 0, 12: 0, 14: 1, 15: 9, 16: 8, 17: 1,
         18: 0, 19: 1, 20: 0}


def records_of(text):
    """Files of a tracefile: name to ({line: count}, {function: (line, count)}); checks its sums."""
    files = {}
    for record in text.split('end_of_record\n')[:-1]:
        fields = [line.split(':', 1) for line in record.splitlines()]
        kinds = [kind for kind, _ in fields]
        assert kinds[:2] == ['TN', 'SF'] and kinds.count('SF') == 1
        sums = {kind: int(value) for kind, value in fields if kind in ('FNF', 'FNH', 'LF', 'LH')}
        lines = dict(map(int, value.split(',')) for kind, value in fields if kind == 'DA')
        begins = {value.split(',', 1)[1]: int(value.split(',')[0])
                  for kind, value in fields if kind == 'FN'}
        counts = {value.split(',', 1)[1]: int(value.split(',')[0])
                  for kind, value in fields if kind == 'FNDA'}
        assert list(lines) == sorted(lines) and begins.keys() == counts.keys()
        assert sums == {'FNF': len(begins), 'FNH': sum(count > 0 for count in counts.values()),
                        'LF': len(lines), 'LH': sum(count > 0 for count in lines.values())}
        files[dict(fields)['SF']] = lines, {name: (begins[name], counts[name]) for name in begins}
    assert text.endswith('end_of_record\n')
    return files


@pytest.mark.parametrize('version', [2, 3, 4, 5])
def test_coverage_counts_lines_and_functions(look, cross, tmp_path, version):
    rom = cross.c(COVERED, flags=['-O0', f'-gdwarf-{version}'])
    left = left_by(look(rom, f'--coverage={tmp_path}/c.info', status=0))
    files = records_of((tmp_path / 'c.info').read_text())
    lines, functions = files.pop(str(tmp_path / 'program.c'))
    assert not files
    assert lines == LINES
    assert functions == {'pick': (3, 8), 'never': (10, 0), '_start': (14, 1)}
    assert left == left_by(look(rom))


def test_coverage_of_two_files(look, cross, tmp_path):
    other = tmp_path / 'other.S'
    other.write_text('.globl twice\n.type twice, @function\ntwice: add a0, a0, a0\n ret\n'
                     '.size twice, . - twice\n')
    rom = cross.c('int twice(int);\nvoid _start(void)\n{\n  twice(twice(1));\n'
                  '  *(volatile unsigned *)0x100000 = 0x5555;\n  for (;;) {}\n}\n',
                  flags=['-g', other])
    look(rom, f'--coverage={tmp_path}/c.info', status=0)
    files = records_of((tmp_path / 'c.info').read_text())
    assert files.keys() == {str(tmp_path / 'program.c'), str(other)}
    assert files[str(other)] == ({3: 2, 4: 2}, {'twice': (3, 2)})


def test_coverage_tells_only_of_code_that_is_there(look, cross, tmp_path):
    """Not of what the linker dropped, nor of lines that the optimiser left no instruction of."""
    rom = cross.c('''\
unsigned dropped(unsigned x)
{
    return x * 77;
}
void _start(void)
{
    unsigned a = *(volatile unsigned *)0x22000000;
    unsigned b = a;
    unsigned c = b;
    a = c + 1;
    *(volatile unsigned *)0x24000000 = a;
    *(volatile unsigned *)0x100000 = 0x5555;
    for (;;) {}
}
''', flags=['-O2', '-g', '-ffunction-sections', '-Wl,--gc-sections'])
    look(rom, f'--coverage={tmp_path}/c.info', status=0)
    lines, functions = records_of((tmp_path / 'c.info').read_text())[str(tmp_path / 'program.c')]
    assert functions.keys() == {'_start'} and {7, 11, 12} <= lines.keys()
    assert min(lines) >= 6 and not {8, 9} & lines.keys()


def test_interrupts_count_nothing_twice(look, cross, tmp_path):
    """A timer comes between the instructions of a loop again and again."""
    rom = cross.c('''\
#define MTIMECMP ((volatile unsigned *)0x02004000)
#define MTIME ((volatile unsigned *)0x0200bff8)
#define HITS (*(volatile unsigned *)0x80000000)
__attribute__((interrupt)) void tick(void) { HITS++; MTIMECMP[0] = MTIME[0] + 13; }
__attribute__((noinline)) void work(volatile unsigned *out, unsigned i) {
    out[i] = i;
}
void _start(void)
{
    asm volatile("csrw mtvec, %0" :: "r"(tick));
    MTIMECMP[0] = MTIME[0] + 10, MTIMECMP[1] = 0;
    asm volatile("csrw mie, %0; csrsi mstatus, 8" :: "r"(0x80));
    for (unsigned i = 0; i < 1000; i++)
        work((volatile unsigned *)0x24000000, i);
    *(volatile unsigned *)0x100000 = HITS << 16 | 0x3333;
    for (;;) {}
}
''', flags=['-O0', '-g', '-falign-functions=4'])
    done = look(rom, f'--coverage={tmp_path}/c.info', f'--profile={tmp_path}/p.txt')
    lines, functions = records_of((tmp_path / 'c.info').read_text())[str(tmp_path / 'program.c')]
    ticks = int(done.stats['exit_code'])
    assert ticks > 50
    assert lines[6] == lines[14] == 1000 and functions['work'] == (5, 1000)
    assert functions['tick'] == (4, ticks) and lines[4] == ticks
    rows, cycles = table_of((tmp_path / 'p.txt').read_text())
    assert (rows['work'].calls, rows['tick'].calls) == (1000, ticks)
    assert sum(row.cycles for row in rows.values()) == cycles == int(done.stats['cycles'])


def test_coverage_names_files_from_where_they_were_compiled(mote, tmp_path):
    (tmp_path / 'main.c').write_text('int main(void) { return 0; }\n')
    subprocess.run([mote, 'run', '--coverage=c.info', 'main.c'], cwd=tmp_path, check=True,
                   stdin=subprocess.DEVNULL, timeout=60)
    files = records_of((tmp_path / 'c.info').read_text())
    assert str(tmp_path / 'main.c') in files
    start = [Path(name) for name in files if name.endswith('sdk/crt0.S')]
    assert len(start) == 1 and start[0].is_absolute()


def test_coverage_wants_line_tables(rv32im, cross, tmp_path):
    for rom in (cross.c(CALLS), cross.bin(ASSEMBLY), cross.c(CALLS, 'z', flags=['-g', '-gz'])):
        done = subprocess.run([rv32im, f'--coverage={tmp_path}/c.info', rom, tmp_path / 'ram',
                               '/dev/null', tmp_path / 'out'],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 124 and 'compile it with -g' in done.stderr
        assert not (tmp_path / 'ram').exists() and not (tmp_path / 'c.info').exists()


def test_broken_line_tables_are_told_and_leave_no_half_a_file(look, cross, tmp_path):
    """Every byte of the DWARF in turn, at a stride: a good tracefile, or words and none."""
    rom = cross.c(COVERED, flags=['-g'])
    good = rom.read_bytes()
    text = subprocess.run(['riscv64-unknown-elf-objdump', '-h', rom], check=True,
                          capture_output=True, text=True).stdout
    sections = re.findall(r' (\.debug_(?:info|abbrev|line)) +(\w+) +\w+ +\w+ +(\w+)', text)
    assert len(sections) == 3
    bad = tmp_path / 'bad.elf'
    told = 0
    for _, size, offset in sections:
        for at in range(int(offset, 16), int(offset, 16) + int(size, 16), 17):
            bad.write_bytes(good[:at] + b'\xff' + good[at + 1:])
            done = look(bad, f'--coverage={tmp_path}/c.info')
            written = (tmp_path / 'c.info').read_text(errors='replace')
            if done.returncode == 0:
                records_of(written)
            else:
                told += 1
                assert done.returncode == 124 and '--coverage: the image: ' in done.stderr
                assert written == ''
    assert told > 0


DEEP = '''
#define APART __attribute__((noinline, noclone))
APART int bottom(int *p, int k) { volatile int pad[40]; pad[k] = 1; return *p + pad[k]; }
APART int rounds(int n, int *p)
{
    volatile int room[4] = {n};
    return (n ? rounds(n - 1, p) : bottom(p, 3)) + room[0];
}
APART int smash(int *p) { ((volatile int *)__builtin_frame_address(0))[-1] = 0x20000002;
                          return bottom(p, 1) + 1; }
APART int start(void) { return START + 1; }
void _start(void) { start(); for (;;) {} }
'''


def callers_of(done):
    head, *lines = done.stderr.splitlines()
    found = [re.fullmatch(r'  called from 0x[0-9a-f]{8} \((\w+)\+0x[0-9a-f]+\)', line)
             for line in lines]
    return [re.search(r'\((\w+)\+', head)[1]] + [match[1] for match in found]


@pytest.mark.parametrize('flags', [['-g'], ['-g', '-O0'], ['-g', '-O2', '-gdwarf-2'], ['-g', '-Os'],
                                   ['-fasynchronous-unwind-tables', '-O2']])
def test_a_fault_names_all_that_waited(look, cross, flags):
    flags = ['-fno-optimize-sibling-calls', *flags]
    rom = cross.c(DEEP.replace('START', 'rounds(5, (int *)4)'), flags=flags)
    assert callers_of(look(rom, status=123)) == ['bottom', *['rounds'] * 6, 'start', '_start']
    rom = cross.c(DEEP.replace('START', 'rounds(100, (int *)4)'), flags=flags)
    assert callers_of(look(rom, status=123)) == ['bottom', *['rounds'] * 31]


def test_a_back_trace_ends_where_the_stack_is_smashed(look, cross):
    rom = cross.c(DEEP.replace('START', 'smash((int *)4)'),
                  flags=['-g', '-O1', '-fno-omit-frame-pointer'])
    assert callers_of(look(rom, status=123)) == ['bottom', 'smash']


def test_a_call_may_be_the_last_instruction(look, cross):
    """What it goes on at is the next function then, whose frame is another."""
    rom = cross.c('''
        #define APART __attribute__((noinline, noclone))
        APART __attribute__((noreturn)) void fatal(void)
        {
            *(volatile int *)4;
            __builtin_unreachable();
        }
        APART void last(int n) { volatile int room[8]; room[1] = n; fatal(); }
        APART int other(int n) { volatile int room[99]; room[1] = n; return room[n]; }
        void _start(void) { last(3); other(4); for (;;) {} }''', flags=['-g', '-O1'])
    assert callers_of(look(rom, status=123)) == ['fatal', 'last', '_start']


def test_a_back_trace_without_tables_names_the_caller_in_x1(look, cross):
    rom = cross.c(DEEP.replace('START', 'rounds(5, (int *)4)'),
                  flags=['-fno-optimize-sibling-calls'])
    assert callers_of(look(rom, status=123)) == ['bottom', 'rounds']


def test_a_back_trace_of_broken_tables_is_a_fault_all_the_same(look, cross, tmp_path):
    rom = cross.c(DEEP.replace('START', 'rounds(3, (int *)4)'), flags=['-g'])
    good = rom.read_bytes()
    text = subprocess.run(['riscv64-unknown-elf-objdump', '-h', rom], check=True,
                          capture_output=True, text=True).stdout
    size, offset = re.search(r' \.debug_frame +(\w+) +\w+ +\w+ +(\w+)', text).groups()
    bad = tmp_path / 'bad.elf'
    short = 0
    for at in range(int(offset, 16), int(offset, 16) + int(size, 16)):
        bad.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1:])
        callers = callers_of(look(bad, status=123))
        assert callers[0] == 'bottom' and len(callers) <= 32
        short += callers != ['bottom', *['rounds'] * 4, 'start', '_start']
    assert short > 10


def entry(body, pad=0):
    """One entry of .debug_frame."""
    body += bytes([pad]) * (-len(body) % 4)
    return len(body).to_bytes(4, 'little') + body


def words(*values):
    return b''.join(value.to_bytes(4, 'little') for value in values)


def frames_of(letters=b'', nops=0, others=0):
    """Tables of the program below: a CIE, FDEs of other places, and the one of `_start`."""
    augmentation = letters + b'\0' + (b'' if not letters else b'\1\x7c\1\0')
    plain = b'\1\x7c\1' if not letters else b''
    # CFA is sp + 0; once in the function it is sp + 16 with ra at CFA - 4 and sp at CFA.
    cie = entry(words(0xffffffff) + b'\3' + augmentation + plain + b'\x0c\2\0')
    other = entry(words(0, 0x21000000, 4)) * others
    size = b'\0' if letters else b''
    fde = entry(words(0, 0x20000000, 0x1000) + size + bytes(nops) + b'\x0e\x10\x81\1')
    return cie + other + fde


@pytest.mark.parametrize('tables, is_known', [
    (dict(), True), (dict(nops=1000), True), (dict(others=1000), True),
    (dict(letters=b'zSSSSSS'), True),
    (dict(letters=b'zSSSSSSS'), False), (dict(nops=1 << 20), False), (dict(others=1 << 20), False),
    (dict(letters=b'zS' * 100000), False),
])
def test_the_work_of_a_back_trace_is_bounded(look, cross, tmp_path, tables, is_known):
    """Tables that are right, but longer than any compiler's, are given up."""
    (tmp_path / 'frames').write_bytes(frames_of(**tables))
    rom = cross.asm(f'''
        .globl _start
        _start: call function
            nop
        function:
            addi sp, sp, -16
            sw ra, 12(sp)
            li ra, 0
            lw t0, 4(zero)
        .section .debug_frame, "", @progbits
        .incbin "{tmp_path}/frames"
        ''')
    callers = callers_of(look(rom, status=123))
    assert callers[0] == 'function' and (callers[1:2] == ['_start']) == is_known
