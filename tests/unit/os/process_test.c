/* process_test.c - children behind walls, memory files, messages with descriptors */
/* SPDX-License-Identifier: MIT */
#include "os/clock.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `act` behind the walls; the wait status of its process. */
static int status_behind_walls(void (*act)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (os_confine(1 << 20)) {
            os_exit(100);
        }
        act();
        os_exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static bool is_ended(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
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

TEST(walls, let_a_guest_compute)
{
    assert_true(is_ended(status_behind_walls(compute), 0));
}

TEST(walls, stop_everything_else)
{
    static void (*const acts[])(void) = {open_file, open_socket, make_process, make_code};
    for (size_t i = 0; i < ARRAY_COUNT(acts); i++) {
        int status = status_behind_walls(acts[i]);
        bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        is_killed = true; /* the list of calls is left out */
#endif
        assert_true(is_killed);
    }
}

TEST(memfd, keeps_its_size_and_once_sealed_its_bytes)
{
    int fd = -1;
    assert_int_equal(os_memfd("test", 8192, &fd), 0);
    assert_int_not_equal(ftruncate(fd, 4096), 0);
    assert_int_not_equal(ftruncate(fd, 16384), 0);
    assert_int_equal(os_memfd_write(fd, span_of("abc", 3), 4094), 0);
    assert_int_equal(os_seal(fd), 0);
    assert_int_not_equal(os_memfd_write(fd, span_of("xyz", 3), 0), 0);
    char bytes[4];
    assert_int_equal(os_memfd_read(fd, bytes, 4, 4094), 0);
    assert_memory_equal(bytes, "abc", 4);
    assert_int_equal(os_memfd_read(fd, bytes, 4, 8190), ERR_IO);
    os_close(fd);
}

TEST(message, carries_descriptors_and_tells_its_end)
{
    int ends[2];
    int fd = -1;
    assert_int_equal(os_message_pair(ends), 0);
    assert_int_equal(os_memfd("test", 4096, &fd), 0);
    assert_int_equal(os_memfd_write(fd, span_of("abc", 3), 0), 0);
    assert_int_equal(os_send_fds(ends[0], span_of("hi", 2), &fd, 1), 0);
    char data[8];
    struct os_message message;
    assert_int_equal(os_recv_fds(ends[1], data, sizeof data, &message), 0);
    assert_int_equal(message.len, 2);
    char bytes[3];
    assert_int_equal(os_memfd_read(message.fds[0], bytes, 3, 0), 0);
    assert_memory_equal(bytes, "abc", 3);
    assert_int_equal(message.fds[1], -1);
    os_close(message.fds[0]);
    os_close(fd);
    assert_int_equal(os_send_fds(ends[0], span_of("too long", 8), NULL, 0), 0);
    assert_int_equal(os_recv_fds(ends[1], data, 4, &message), ERR_ARGUMENT);
    assert_int_equal(os_set_nonblocking(ends[1]), 0);
    assert_int_equal(os_recv_fds(ends[1], data, sizeof data, &message), ERR_BUSY);
    os_close(ends[0]);
    assert_int_equal(os_recv_fds(ends[1], data, sizeof data, &message), 0);
    assert_int_equal(message.len, 0);
    assert_int_equal(os_send_fds(ends[1], span_of("x", 1), NULL, 0), ERR_CLOSED);
    os_close(ends[1]);
}

/* In a child, since it closes what the test program needs. */
TEST(keep_only, closes_all_but_the_named)
{
    pid_t pid = fork();
    if (pid == 0) {
        int kept[] = {dup(1), -1, dup(1)};
        int lost = dup(1);
        os_keep_only(kept, ARRAY_COUNT(kept));
        bool is_right = fcntl(kept[0], F_GETFD) >= 0 && fcntl(kept[2], F_GETFD) >= 0 &&
                        fcntl(lost, F_GETFD) < 0 && fcntl(0, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
        _exit(is_right ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(is_ended(status, 0));
}
