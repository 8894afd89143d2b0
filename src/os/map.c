/* map.c - address space over mmap(2) */
/* SPDX-License-Identifier: MIT */
#include "os/map.h"
#include "base/limits.h"

#include "os/error.h"
#include "os/file.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int protection(int access)
{
    return (access & OS_READ ? PROT_READ : 0) | (access & OS_WRITE ? PROT_WRITE : 0);
}

int os_reserve(size_t size, void **ret_base)
{
    void *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return os_error(errno);
    }
    *ret_base = base;
    return 0;
}

void os_unmap(void *base, size_t size)
{
    if (base) {
        munmap(base, size);
    }
}

int os_map_zero(void *base, size_t size, int access)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    return mmap(base, size, protection(access), flags, -1, 0) == MAP_FAILED ? os_error(errno) : 0;
}

int os_map_file(void *base, size_t size, int fd, uint64_t offset, int access)
{
    int flags = (access & OS_SHARED ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE) | MAP_FIXED;
    void *mapped = mmap(base, size, protection(access), flags, fd, (off_t)offset);
    return mapped == MAP_FAILED ? os_error(errno) : 0;
}

int os_map_data(void *base, size_t size, int fd, int access)
{
    /* Shorter holes are mapped with the data round them, which bounds how many mappings there are.
     */
    const uint64_t hole_min = 64 * 1024;
    bool is_found = true;
    uint64_t start = 0;
    uint64_t end;
    uint64_t next_start;
    uint64_t next_end;
    int err = os_file_data(fd, 0, &is_found, &start, &end);
    while (!err && is_found && start < size) {
        err = os_file_data(fd, end, &is_found, &next_start, &next_end);
        if (err || (is_found && next_start - end < hole_min && next_start < size)) {
            end = next_end;
            continue;
        }
        end = end < size ? end : size;
        err = os_map_file((uint8_t *)base + start, end - start, fd, start, access);
        start = next_start;
        end = next_end;
    }
    return err;
}

int os_check_page_size(struct msg *msg)
{
    long size = sysconf(_SC_PAGESIZE);
    return size == PAGE_SIZE ? 0
                             : fail(msg, ERR_NOT_BUILT,
                                    "this host has pages of %ld bytes; Mote is built for %d only",
                                    size, PAGE_SIZE);
}
