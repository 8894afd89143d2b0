/* map.c - address space over mmap(2) */
/* SPDX-License-Identifier: MIT */
#include "os/map.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

static int error_of(int number)
{
    return number == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
}

static int protection(int access)
{
    return (access & OS_READ ? PROT_READ : 0) | (access & OS_WRITE ? PROT_WRITE : 0);
}

int os_reserve(size_t size, void **ret_base)
{
    void *base = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return error_of(errno);
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
    return mmap(base, size, protection(access), flags, -1, 0) == MAP_FAILED ? error_of(errno) : 0;
}

int os_map_file(void *base, size_t size, int fd, int access, int is_shared)
{
    int flags = (is_shared ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE) | MAP_FIXED;
    return mmap(base, size, protection(access), flags, fd, 0) == MAP_FAILED ? error_of(errno) : 0;
}

int os_protect(void *base, size_t size, int access)
{
    return mprotect(base, size, protection(access)) ? error_of(errno) : 0;
}

void os_forget(void *base, size_t size)
{
    madvise(base, size, MADV_DONTNEED);
}

size_t os_page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}
