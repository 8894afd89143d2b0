/* sandbox.c - no_new_privs, resource limits and a list of system calls over prctl(2) */
/* SPDX-License-Identifier: MIT */
#include "os/sandbox.h"
#include "base/limits.h"
#include "os/sanitizer.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define HOST_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define HOST_ARCH AUDIT_ARCH_AARCH64
#else
#error "sandbox.c knows the system calls of x86-64 and aarch64 only"
#endif

#define STACK_BYTES_MAX MiB(8)

#define FIELD(name) ((unsigned)offsetof(struct seccomp_data, name))
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(field))
#define END(action) BPF_STMT(BPF_RET | BPF_K, (action))
/* Each of these looks at the call's number, which is loaded, and leaves it loaded. */
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), END(SECCOMP_RET_ALLOW)
/* Allowed where its third argument (mmap's and mprotect's protection) lacks PROT_EXEC. */
#define ALLOW_DATA(call)                                                                      \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOAD(args[2]),                     \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), END(SECCOMP_RET_KILL_PROCESS), \
        END(SECCOMP_RET_ALLOW)

/* mmap's flags: memory that RLIMIT_DATA does not count is out. */
#define KILL_UNCOUNTED                                                         \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 6), LOAD(args[3]),        \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_GROWSDOWN, 2, 0),             \
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_SHARED | MAP_ANONYMOUS),       \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAP_SHARED | MAP_ANONYMOUS, 0, 1), \
        END(SECCOMP_RET_KILL_PROCESS), LOAD(nr)

/* A build with a sanitizer, which needs more calls, leaves it unused (limit_calls). */
UNUSED static const struct sock_filter calls[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, HOST_ARCH, 1, 0),
    END(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    ALLOW(clock_gettime),
    ALLOW(getrandom), /* malloc starts with it */
    ALLOW(write),
    ALLOW(pwrite64),
    ALLOW(lseek), /* where a RAM file has holes */
    ALLOW(sendmsg),
    ALLOW(munmap),
    ALLOW(brk),
    ALLOW(close),
    ALLOW(rt_sigreturn),
    ALLOW(exit),
    ALLOW(exit_group),
    KILL_UNCOUNTED,
    ALLOW_DATA(mmap),
    ALLOW_DATA(mprotect),
    END(SECCOMP_RET_KILL_PROCESS),
};

/* A limit that is lower already stays. */
static int limit(int resource, uint64_t value)
{
    struct rlimit both;
    if (getrlimit(resource, &both)) {
        return ERR_IO;
    }
    both.rlim_max = value < both.rlim_max ? value : both.rlim_max;
    both.rlim_cur = both.rlim_max;
    return setrlimit(resource, &both) ? ERR_IO : 0;
}

/* The bytes of address space that this process has mapped (proc(5), statm). */
UNUSED static int mapped_now(uint64_t *ret_bytes)
{
    unsigned long long pages;
    FILE *file = fopen("/proc/self/statm", "re");
    int count = file ? fscanf(file, "%llu", &pages) : 0;
    if (file) {
        fclose(file);
    }
    if (count != 1) {
        return ERR_IO;
    }
    *ret_bytes = pages * PAGE_SIZE;
    return 0;
}

static int limit_more_memory(uint64_t more)
{
#ifdef HAS_SANITIZER
    (void)more;
    return 0;
#else
    uint64_t now = 0;
    int err = mapped_now(&now);
    return err ? err : limit(RLIMIT_AS, now + more);
#endif
}

static int limit_memory(const struct os_walls *walls)
{
#ifdef HAS_SANITIZER
    (void)walls;
    return 0;
#else
    int err = limit(RLIMIT_DATA, walls->memory_bytes_max);
    err = err ? err : limit(RLIMIT_STACK, STACK_BYTES_MAX);
    return err ? err : limit(RLIMIT_AS, walls->mapped_bytes_max);
#endif
}

static int limit_calls(void)
{
#ifdef HAS_SANITIZER
    return 0;
#else
    struct sock_fprog program = {
        .len = (unsigned short)ARRAY_COUNT(calls),
        .filter = (struct sock_filter *)calls,
    };
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? ERR_NOT_BUILT : 0;
#endif
}

int os_limit(unsigned seconds_max, uint64_t more_memory_max)
{
    int err = limit_more_memory(more_memory_max);
    err = err ? err : limit(RLIMIT_CORE, 0);
    err = err ? err : limit(RLIMIT_NOFILE, 0);
    err = err ? err : limit(RLIMIT_NPROC, 0);
    return err ? err : limit(RLIMIT_CPU, seconds_max);
}

int os_confine(const struct os_walls *walls)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        return ERR_NOT_BUILT;
    }
    int err = limit(RLIMIT_CORE, 0);
    err = err ? err : limit(RLIMIT_NOFILE, 0);
    err = err ? err : limit(RLIMIT_NPROC, 0);
    err = err ? err : limit(RLIMIT_FSIZE, walls->file_bytes_max);
    err = err ? err : limit_memory(walls);
    return err ? err : limit_calls();
}
