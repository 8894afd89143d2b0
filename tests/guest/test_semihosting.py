# test_semihosting.py - a program of picolibc with files and arguments, on Mote and on QEMU
# SPDX-License-Identifier: MIT
import subprocess

import pytest

from place import CROSS

# Linked to run from RAM, so that one ELF suits both machines.
FLAGS = ['-march=rv32imac', '-mabi=ilp32', '--specs=picolibc.specs', '--oslib=semihost',
         '--crt0=hosted', '-O1', '-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=0x100000',
         '-Wl,--defsym=__ram=0x80100000,--defsym=__ram_size=0x100000']
QEMU = ['qemu-system-riscv32', '-M', 'virt', '-m', '32M', '-bios', 'none', '-display', 'none',
        '-monitor', 'none', '-serial', 'none']

PROGRAM = r'''
#include <errno.h>
#include <fcntl.h>
#include <semihost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(const char *name)
{
    char line[64];
    FILE *file = fopen(name, "r");
    if (!file) {
        printf("%s: errno %d\n", name, errno);
        return;
    }
    fseek(file, 0, SEEK_END);
    printf("%s: %ld bytes:", name, ftell(file));
    rewind(file);
    while (fgets(line, sizeof line, file)) {
        printf(" [%.*s]", (int)strcspn(line, "\n"), line);
    }
    printf(" eof %d\n", feof(file) != 0);
    fclose(file);
}

static void write_text(const char *name, const char *mode, const char *text)
{
    FILE *file = fopen(name, mode);
    if (!file) {
        printf("%s in mode %s: errno %d\n", name, mode, errno);
        return;
    }
    printf("%s in mode %s: wrote %u\n", name, mode, (unsigned)fwrite(text, 1, strlen(text), file));
    if (fclose(file)) {
        printf("%s: close failed\n", name);
    }
}

static void change_middle(const char *name)
{
    char bytes[4] = "";
    FILE *file = fopen(name, "r+");
    fseek(file, 4, SEEK_SET);
    printf("read %u:", (unsigned)fread(bytes, 1, 3, file));
    printf(" %s\n", bytes);
    fseek(file, 4, SEEK_SET);
    fwrite("XYZ", 1, 3, file);
    fclose(file);
}

/* The hosted start-up code of Debian's picolibc gives main none. */
static int show_arguments(void)
{
    char line[256] = "";
    int count = 0;
    printf("arguments %d [%s]\n", sys_semihost_get_cmdline(line, sizeof line), line);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        printf("argument %d is %s\n", ++count, word);
    }
    return count;
}

int main(void)
{
    int arguments = show_arguments();
    show("given");
    show("sub/deep");
    show("missing");
    write_text("new", "w", "one\ntwo\nthree\n");
    show("new");
    change_middle("new");
    write_text("new", "a", "four\n");
    show("new");
    write_text("sub/other", "w", "below\n");
    printf("rename %d\n", (int)sys_semihost_rename("new", "sub/renamed"));
    show("new");
    show("sub/renamed");
    printf("rename again %d errno %d\n", (int)sys_semihost_rename("new", "x"),
           sys_semihost_errno());
    printf("remove %d\n", unlink("sub/other"));
    printf("remove again %d\n", unlink("sub/other") != 0);
    int fd = open("sub/renamed", O_RDONLY);
    printf("open %d length %d seek %d tty %d\n", fd > 2, (int)sys_semihost_flen(fd),
           (int)lseek(fd, 5, SEEK_SET), isatty(fd));
    printf("close %d again %d\n", close(fd), sys_semihost_close(fd) != 0);
    printf("error %d %d\n", sys_semihost_iserror(-1) != 0, sys_semihost_iserror(5) != 0);
    free(malloc(1000));
    return 41 + arguments;
}
'''


@pytest.fixture
def program(tmp_path):
    source, elf = tmp_path / 'program.c', tmp_path / 'program.elf'
    source.write_text(PROGRAM)
    subprocess.run([CROSS + 'gcc', *FLAGS, source, '-o', elf], check=True)
    return elf


@pytest.fixture
def folder(tmp_path):
    """Makes a folder with a file in it and one below; what lies beside it must stay."""
    def make(name):
        inside = tmp_path / name / 'inside'
        (inside / 'sub').mkdir(parents=True)
        (inside / 'given').write_text('a line\nand another\n')
        (inside / 'sub/deep').write_text('x' * 40 + '\n')
        (inside.parent / 'outside').write_text('precious')
        (inside / 'link').symlink_to('../outside')
        return inside
    return make


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob('*') if path.is_file()}


def run(mote, image, *options):
    return subprocess.run([mote, 'run', *options, image], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=100)


def test_files_and_arguments_are_as_on_qemu(mote, program, folder):
    ours, theirs = folder('ours'), folder('theirs')
    done = run(mote, program, '--dir-rw', ours, '--arg', 'one', '--arg=two', '--arg', '3')
    qemu = subprocess.run(
        [*QEMU, '-kernel', program, '-semihosting-config',
         'enable=on,target=native,arg=one,arg=two,arg=3'], cwd=theirs,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    assert done.stdout == qemu.stderr  # where its semihosting console is
    assert (done.returncode, done.stderr) == (44, '') and qemu.returncode == 44
    assert 'argument 3 is 3' in done.stdout
    assert 'sub/renamed: 19 bytes: [one] [XYZ] [three] [four] eof 1' in done.stdout
    assert contents(ours) == contents(theirs)
    assert set(contents(ours)) == {'given', 'sub/deep', 'sub/renamed', 'link'}


def test_a_run_with_files_can_be_repeated(mote, program, folder, tmp_path):
    counts = set()
    for number in range(2):
        stats = tmp_path / f'stats{number}'
        run(mote, program, '--dir-rw', folder(f'run{number}'), '--stats-file', stats)
        counts.add(stats.read_text())
    assert len(counts) == 1


def test_a_folder_to_read_stays_as_it_was(mote, program, folder):
    inside = folder('ours')
    before = contents(inside)
    done = run(mote, program, '--dir', inside)
    assert 'given: 19 bytes: [a line] [and another] eof 1' in done.stdout
    assert 'new in mode w: errno 30' in done.stdout
    assert contents(inside) == before


def test_without_a_folder_nothing_opens(mote, program, tmp_path):
    done = run(mote, program)
    assert 'given: errno 13' in done.stdout and 'new in mode w: errno 13' in done.stdout
    assert not (tmp_path / 'new').exists()


OPEN = r'''
#include <errno.h>
#include <fcntl.h>
#include <semihost.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uintptr_t sys_semihost(uintptr_t operation, uintptr_t parameter);

int main(void)
{
    char line[256] = "";
    sys_semihost_get_cmdline(line, sizeof line);
    for (char *name = strtok(line, " "); name; name = strtok(NULL, " ")) {
        errno = 0;
        int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        printf("%s %d %d\n", name, fd >= 0, fd < 0 ? errno : 0);
        printf("%d %d\n", (int)sys_semihost_remove(name),
               (int)sys_semihost_rename("given", name));
    }
    /* Debian's picolibc hands over the block in place of a pointer to its address. */
    void *block[4] = {0}, *address = block;
    sys_semihost(0x16, (uintptr_t)&address);
    printf("heap %p to %p, stack %p to %p\n", block[0], block[1], block[2], block[3]);
    printf("time %u, command %d\n", (unsigned)sys_semihost_time(),
           (int)sys_semihost_system("true"));
    return 0;
}
'''


def test_no_name_leads_out(mote, folder, tmp_path):
    inside, elf = folder('ours'), tmp_path / 'open.elf'
    (tmp_path / 'open.c').write_text(OPEN)
    subprocess.run([CROSS + 'gcc', *FLAGS, tmp_path / 'open.c', '-o', elf], check=True)
    outside = inside.parent / 'outside'
    names = ['../outside', str(outside), 'sub/../../outside', 'sub/../../new', '..']
    arguments = [word for name in names for word in ('--arg', name)]
    done = run(mote, elf, '--dir-rw', inside, *arguments, '--epoch', '1700000000')
    lines = done.stdout.splitlines()
    for number, name in enumerate(names):
        assert lines[2 * number] == f'{name} 0 13'
        assert lines[2 * number + 1] == '-1 -1'
    assert outside.read_text() == 'precious'
    assert sorted(path.name for path in inside.parent.iterdir()) == ['inside', 'outside']
    assert lines[-1] == 'time 1700000000, command -1'
    assert lines[-2].endswith('to 0x82000000, stack 0x82000000 to ' + lines[-2].split()[1])
    assert 0x80100000 < int(lines[-2].split()[1], 16) < 0x82000000
