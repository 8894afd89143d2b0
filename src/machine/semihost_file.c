/* semihost_file.c - semihosting's files: those of the one folder that the user gave, if any */
/* SPDX-License-Identifier: MIT */
#include "machine/semihost.h"

#include "os/file.h"
#include "os/folder.h"

#include <errno.h>
#include <stdio.h>

enum { TEMPORARY_ID_MAX = 255, TEMPORARY_NAME_SIZE = 16 };

static const uint32_t file_bytes_max = INT32_MAX; /* what SYS_FLEN can tell */

/* The reason of a call to the system that has just failed. */
static enum guest_errno reason(void)
{
    switch (errno) {
#define GUEST_ERRNO(name, number) \
    case name:                    \
        return GUEST_##name;
#include "machine/errno.def"
#undef GUEST_ERRNO
    default:
        return GUEST_EIO;
    }
}

struct guest_file *semihost_file(struct machine *m, uint32_t handle)
{
    uint32_t index = handle - GUEST_FILE_FIRST;
    return index < GUEST_FILES_MAX && m->files[index].is_open ? &m->files[index] : NULL;
}

/* The user's files, and what is open of them, are not as they were before this instruction. */
static void note_change(struct machine *m)
{
    m->files_changed = m->hart->cycles + 1;
}

void semihost_close_file(struct machine *m, struct guest_file *f)
{
    note_change(m);
    os_file_close(f->fd);
    *f = (struct guest_file){.is_open = false};
}

void semihost_close_files(struct machine *m)
{
    for (size_t i = 0; i < GUEST_FILES_MAX; i++) {
        if (m->files[i].is_open) {
            semihost_close_file(m, &m->files[i]);
        }
    }
}

uint32_t semihost_open_file(struct machine *m, struct span name, uint32_t mode)
{
    /* "r", "r+", "w", "w+", "a", "a+", each twice: "b" means nothing here. Writing goes where the
     * handle stands in "a+" too, as on QEMU: picolibc 1.8 asks for "a+" where its program said
     * "r+", and goes to the end by itself where it said "a+". */
    static const unsigned accesses[] = {
        OS_FOLDER_READ,
        OS_FOLDER_READ | OS_FOLDER_WRITE,
        OS_FOLDER_WRITE | OS_FOLDER_CREATE | OS_FOLDER_CUT,
        OS_FOLDER_READ | OS_FOLDER_WRITE | OS_FOLDER_CREATE | OS_FOLDER_CUT,
        OS_FOLDER_WRITE | OS_FOLDER_CREATE | OS_FOLDER_APPEND,
        OS_FOLDER_READ | OS_FOLDER_WRITE | OS_FOLDER_CREATE,
    };
    uint32_t index = 0;
    if (!m->config.folder) {
        return semihost_refuse(m, GUEST_EACCES);
    }
    while (index < GUEST_FILES_MAX && m->files[index].is_open) {
        index++;
    }
    if (index == GUEST_FILES_MAX) {
        return semihost_refuse(m, GUEST_EMFILE);
    }
    int fd;
    if (os_folder_file(m->config.folder, name, accesses[mode / 2], &fd)) {
        return semihost_refuse(m, reason());
    }
    note_change(m);
    m->files[index] = (struct guest_file){.fd = fd, .is_open = true};
    return GUEST_FILE_FIRST + index;
}

uint32_t semihost_read_file(struct machine *m, struct guest_file *f, struct span memory,
                            uint32_t *ret_bytes)
{
    size_t done = 0;
    uint32_t address = (uint32_t)(memory.data - m->memory);
    int err = os_file_read(f->fd, m->memory + address, memory.len, f->at, &done);
    /* What a failed read has left behind may be anything. */
    hart_wrote(m->hart, address, (uint32_t)(err ? memory.len : done));
    if (err) {
        return semihost_refuse(m, reason());
    }
    f->at += done;
    *ret_bytes = (uint32_t)done;
    return (uint32_t)(memory.len - done);
}

uint32_t semihost_write_file(struct machine *m, struct guest_file *f, struct span memory,
                             uint32_t *ret_bytes)
{
    size_t done = 0;
    note_change(m);
    int err = os_file_write_some(f->fd, memory.data, memory.len, f->at, &done);
    if (err) {
        (void)semihost_refuse(m, reason());
    }
    f->at += done; /* of no effect where the file is opened to append */
    *ret_bytes = (uint32_t)done;
    return err && done == 0 ? ~0u : (uint32_t)(memory.len - done);
}

uint32_t semihost_file_len(struct machine *m, const struct guest_file *f)
{
    uint64_t size;
    if (os_file_size(f->fd, &size)) {
        return semihost_refuse(m, reason());
    }
    return size <= file_bytes_max ? (uint32_t)size : semihost_refuse(m, GUEST_EOVERFLOW);
}

/* Names are borrowed from the guest's memory, where `words` has address and length. */
static bool name_of(struct machine *m, const uint32_t *words, struct span *ret_name)
{
    *ret_name = span_of(m->memory + words[0], words[1]);
    return hart_may(m->hart, words[0], words[1], PAGE_READ);
}

uint32_t semihost_remove(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[2]; /* name, length */
    struct span name;
    if (!semihost_parameters(m, words, 2) || !name_of(m, words, &name)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    if (!m->config.folder) {
        return semihost_refuse(m, GUEST_EACCES);
    }
    note_change(m);
    return os_folder_remove(m->config.folder, name) ? semihost_refuse(m, reason()) : 0;
}

uint32_t semihost_rename(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[4]; /* old name, its length, new name, its length */
    struct span from;
    struct span to;
    if (!semihost_parameters(m, words, 4) || !name_of(m, words, &from) ||
        !name_of(m, words + 2, &to)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    if (!m->config.folder) {
        return semihost_refuse(m, GUEST_EACCES);
    }
    note_change(m);
    return os_folder_rename(m->config.folder, from, to) ? semihost_refuse(m, reason()) : 0;
}

/* The same name for the same number in every run: whoever wants another one counts up. */
uint32_t semihost_temporary_name(struct machine *m, UNUSED uint32_t *ret_bytes)
{
    uint32_t words[3]; /* buffer, number of the name, the buffer's size */
    char name[TEMPORARY_NAME_SIZE];
    if (!semihost_parameters(m, words, 3) || !hart_may(m->hart, words[0], words[2], PAGE_WRITE)) {
        return semihost_refuse(m, GUEST_EFAULT);
    }
    if (!m->config.folder || !m->config.folder->is_writable) {
        return semihost_refuse(m, m->config.folder ? GUEST_EROFS : GUEST_EACCES);
    }
    if (words[1] > TEMPORARY_ID_MAX) {
        return semihost_refuse(m, GUEST_EINVAL);
    }
    uint32_t size = (uint32_t)snprintf(name, sizeof name, "temporary-%03u", words[1]) + 1;
    if (words[2] < size) {
        return semihost_refuse(m, GUEST_ENAMETOOLONG);
    }
    check(semihost_put(m, words[0], name, size));
    return 0;
}
