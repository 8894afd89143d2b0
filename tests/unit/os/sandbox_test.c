/* sandbox_test.c - each wall round a guest's process, by what its absence would let through */
/* SPDX-License-Identifier: MIT */
#include "os/clock.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_CALLS_LIST = 0 };
#else
enum { HAS_CALLS_LIST = 1 };
#endif

static const struct os_walls walls = {
    .file_bytes_max = 1 << 20, .memory_bytes_max = 32 << 20, .mapped_bytes_max = 1 << 30};

enum { REFUSED = 100, ENDED_BY_ACT = 42 };

/* A child that runs `act`, behind the walls or not. */
static pid_t start(void (*act)(void), bool is_confined)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (is_confined && os_confine(&walls)) {
            os_exit(REFUSED);
        }
        act();
        os_exit(0);
    }
    return pid;
}

/* The wait status of a child that ran `act`. */
static int status_of(void (*act)(void), bool is_confined)
{
    pid_t pid = start(act, is_confined);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_ended(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static bool is_killed_by_list(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void compute(void)
{
    void *memory = malloc(1 << 22);
    memset(memory, 1, 1 << 22);
    free(memory);
    UNUSED uint64_t now = os_now_ns();
}

static void open_file(void)
{
    os_exit(open("/etc/hostname", O_RDONLY) < 0 ? 0 : 1);
}

static void open_socket(void)
{
    os_exit(socket(AF_INET, SOCK_STREAM, 0) < 0 ? 0 : 1);
}

static void make_process(void)
{
    os_exit(fork() < 0 ? 0 : 1);
}

static void make_code(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    os_exit(page == MAP_FAILED ? 0 : 1);
}

static void make_data_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        os_exit(1);
    }
    os_exit(mprotect(page, 4096, PROT_READ | PROT_EXEC) ? 0 : 1);
}

/* Ends well where it cannot have 64 MiB. */
static void map_much(int protection, int flags)
{
    void *memory = mmap(NULL, 64 << 20, protection, flags | MAP_ANONYMOUS, -1, 0);
    os_exit(memory == MAP_FAILED ? 0 : 1);
}

static void map_much_private(void)
{
    map_much(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
}

static void map_much_shared(void)
{
    map_much(PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void map_much_as_stack(void)
{
    map_much(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
}

static void make_much_writable(void)
{
    void *memory = mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        os_exit(1);
    }
    os_exit(mprotect(memory, 64 << 20, PROT_READ | PROT_WRITE) ? 0 : 1);
}

static void map_too_much_to_read(void)
{
    void *memory = mmap(NULL, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    os_exit(memory == MAP_FAILED ? 0 : 1);
}

static void advise(void)
{
    os_exit(madvise(NULL, 4096, MADV_DONTNEED) ? 0 : 1);
}

TEST(walls, bound_memory)
{
    static void (*const acts[])(void) = {map_much_private, make_much_writable,
                                         map_too_much_to_read};
    for (size_t i = 0; HAS_CALLS_LIST && i < ARRAY_COUNT(acts); i++) {
        assert_true(is_ended(status_of(acts[i], false), 1));
        assert_true(is_ended(status_of(acts[i], true), 0));
    }
}

TEST(walls, let_a_guest_compute)
{
    assert_true(is_ended(status_of(compute, true), 0));
}

TEST(walls, stop_everything_else)
{
    static void (*const acts[])(void) = {open_file,         open_socket,    make_process,
                                         make_code,         make_data_code, map_much_shared,
                                         map_much_as_stack, advise};
    for (size_t i = 0; HAS_CALLS_LIST && i < ARRAY_COUNT(acts); i++) {
        assert_true(is_killed_by_list(status_of(acts[i], true)));
    }
}

#if defined(__x86_64__)
/* The i386 exit(2): its number, 1, is that of write(2), which the list allows. */
static void exit_as_i386(void)
{
    __asm__ volatile("int $0x80" : : "a"(1), "b"(ENDED_BY_ACT) : "memory");
}

TEST(walls, stop_calls_of_another_architecture)
{
    if (!HAS_CALLS_LIST || !is_ended(status_of(exit_as_i386, false), ENDED_BY_ACT)) {
        print_message("  no list in this build, or no such calls in this kernel\n");
        return;
    }
    assert_true(is_killed_by_list(status_of(exit_as_i386, true)));
}
#endif

/* The child's end of a pipe: one that is full is the only thing that it can wait for in there. */
static int pipe_in;

static void fill_pipe(void)
{
    while (write(pipe_in, "", 1) == 1) {
    }
}

/* A child that waits behind the walls; `ret_out` is the pipe's end that keeps it alive. */
static pid_t start_waiting(int *ret_out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pipe_in = ends[1];
    pid_t pid = start(fill_pipe, true);
    close(ends[1]);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1); /* its first word from behind them */
    *ret_out = ends[0];
    return pid;
}

static void stop_waiting(pid_t pid, int out)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(out);
}

TEST(walls, limit_what_a_child_may_use)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {
        {RLIMIT_CORE, 0},
        {RLIMIT_NOFILE, 0},
        {RLIMIT_NPROC, 0},
        {RLIMIT_FSIZE, 1 << 20},
    };
    int out;
    pid_t pid = start_waiting(&out);
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        struct rlimit found;
        assert_int_equal(prlimit(pid, limits[i].resource, NULL, &found), 0);
        assert_int_equal(found.rlim_cur, limits[i].most);
        assert_int_equal(found.rlim_max, limits[i].most);
    }
    stop_waiting(pid, out);
}

/* A number of /proc/PID/status. */
static int status_field(pid_t pid, const char *name)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    int value = -1;
    size_t len = strlen(name);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            value = (int)strtol(line + len + 1, NULL, 10);
        }
    }
    fclose(file);
    return value;
}

TEST(walls, keep_privileges_from_being_gained)
{
    int out;
    pid_t pid = start_waiting(&out);
    assert_int_equal(status_field(pid, "NoNewPrivs"), 1);
    stop_waiting(pid, out);
}
