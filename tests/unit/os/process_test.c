/* process_test.c - memory files, messages with descriptors, descriptors that are kept */
/* SPDX-License-Identifier: MIT */
#include "os/process.h"
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_ended(int status, int code)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

TEST(memfd, keeps_its_size_and_once_sealed_its_bytes)
{
    int fd = -1;
    assert_int_equal(os_memfd("test", 8192, &fd), 0);
    assert_int_not_equal(ftruncate(fd, 4096), 0);
    assert_int_not_equal(ftruncate(fd, 16384), 0);
    assert_int_equal(os_memfd_write(fd, span_of("abc", 3), 4094), 0);
    void *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_int_equal(os_seal(fd), ERR_BUSY);
    assert_int_equal(munmap(writable, 4096), 0);
    assert_int_equal(os_seal(fd), 0);
    assert_int_not_equal(os_memfd_write(fd, span_of("xyz", 3), 0), 0);
    char bytes[4];
    assert_int_equal(os_memfd_read(fd, bytes, 4, 4094), 0);
    assert_memory_equal(bytes, "abc", 4);
    assert_int_equal(os_memfd_read(fd, bytes, 4, 8190), ERR_IO);
    os_close(fd);
}

TEST(message, tells_that_its_descriptors_found_no_place)
{
    int ends[2];
    assert_int_equal(os_message_pair(ends), 0);
    assert_int_equal(os_send_fds(ends[0], span_of("hi", 2), ends, 2), 0);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    char data[8];
    struct os_message message;
    assert_int_equal(os_recv_fds(ends[1], data, sizeof data, &message), ERR_FILES);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    os_close(ends[0]);
    os_close(ends[1]);
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
