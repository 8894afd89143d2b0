/* process.c - child processes over fork(2), pidfds and message sockets */
/* SPDX-License-Identifier: MIT */
#include "os/process.h"

#include "os/error.h"
#include "os/sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void os_begin(void)
{
    for (int fd = 0; fd < 3; fd++) {
        int mode = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;
        /* The lowest free number is the one that open gives. */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode) != fd) {
            os_exit(err_exit_status(ERR_IO)); /* no place for words */
        }
    }
    signal(SIGXFSZ, SIG_IGN);
}

uint64_t os_allow_files(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) {
        return 0;
    }
    struct rlimit raised = limit;
    raised.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    bool is_raised = limit.rlim_cur < raised.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0;
    return is_raised ? raised.rlim_cur : limit.rlim_cur;
}

/* Safe: until os_reap is called, `pid` stays this child's, even where it has ended. */
static int open_child(pid_t pid, int *ret_pidfd)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int err = os_error(errno);
        kill(pid, SIGKILL);
        return err;
    }
    *ret_pidfd = pidfd;
    return 0;
}

int os_fork(int *ret_pidfd)
{
    pid_t pid = fork();
    if (pid == 0) {
        return 0;
    }
    if (pid < 0) {
        return os_error(errno);
    }
    int err = open_child(pid, ret_pidfd);
    return err ? err : 1;
}

/* After a fork among threads: nothing here may allocate or lock. */
static NORETURN void become_self(const char *name, int fd, int parent)
{
    char *const argv[] = {(char *)name, NULL};
#ifdef HAS_SANITIZER
    char **environment = environ; /* its options */
#else
    char *const environment[] = {NULL};
#endif
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    os_die_with(parent);
    bool is_placed = fd == OS_SELF_FD ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, OS_SELF_FD) >= 0;
    if (is_placed) {
        execve("/proc/self/exe", argv, environment);
    }
    os_exit(1);
}

int os_start_self(const char *name, int fd, int *ret_pidfd)
{
    int parent = os_process_id();
    pid_t pid = fork();
    if (pid == 0) {
        become_self(name, fd, parent);
    }
    return pid < 0 ? os_error(errno) : open_child(pid, ret_pidfd);
}

/* In the child of os_start: becomes the program, or tells why not and ends. */
static NORETURN void become(char *const argv[], int why)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGXFSZ, SIG_DFL); /* os_begin */
    execvp(argv[0], argv);
    int number = errno;
    UNUSED ssize_t told = write(why, &number, sizeof number);
    os_exit(1);
}

/* The pipe closes as the program takes over, or has the reason why it did not. */
static int await_start(int why, const char *name, struct msg *msg)
{
    int number;
    ssize_t len;
    do {
        len = read(why, &number, sizeof number);
    } while (len < 0 && errno == EINTR);
    return len == (ssize_t)sizeof number
               ? fail(msg, os_error(number), "%s: %s", name, strerror(number))
               : 0;
}

int os_start(char *const argv[], int *ret_pidfd, struct msg *msg)
{
    int why[2];
    if (pipe2(why, O_CLOEXEC)) {
        return fail(msg, os_error(errno), "%s: %s", argv[0], strerror(errno));
    }
    int pidfd = -1;
    int child = os_fork(&pidfd);
    if (child == 0) {
        become(argv, why[1]);
    }
    close(why[1]);
    int err = child < 0 ? fail(msg, child, "%s: %s", argv[0], err_text(child))
                        : await_start(why[0], argv[0], msg);
    close(why[0]);
    if (err) {
        os_wait_end(pidfd);
        return err;
    }
    signal(SIGINT, SIG_IGN);
    *ret_pidfd = pidfd;
    return 0;
}

void os_wait_end(int pidfd)
{
    siginfo_t info;
    while (pidfd >= 0 && waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) && errno == EINTR) {
    }
    os_close(pidfd);
}

int os_process_id(void)
{
    return getpid();
}

void os_die_with(int parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent) {
        os_exit(1);
    }
}

void os_kill(int pidfd)
{
    syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

void os_reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

void os_exit(int status)
{
    _exit(status);
}

void os_ignore_stop_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

unsigned os_cores(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

int os_memfd(const char *name, uint64_t size, int *ret_fd)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return os_error(errno);
    }
    if (ftruncate(fd, (off_t)size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)) {
        int err = os_error(errno);
        close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

int os_memfd_write(int fd, struct span data, uint64_t offset)
{
    while (data.len > 0) {
        ssize_t len = pwrite(fd, data.data, data.len, (off_t)offset);
        if (len < 0 && errno != EINTR) {
            return os_error(errno);
        }
        size_t done = len < 0 ? 0 : (size_t)len;
        data = span_of(data.data + done, data.len - done);
        offset += done;
    }
    return 0;
}

int os_memfd_read(int fd, void *data, size_t size, uint64_t offset)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t len = pread(fd, at, size, (off_t)offset);
        if (len == 0 || (len < 0 && errno != EINTR)) {
            return ERR_IO;
        }
        size_t done = len < 0 ? 0 : (size_t)len;
        at += done;
        size -= done;
        offset += done;
    }
    return 0;
}

int os_memfd_used(int fd, uint64_t *ret_bytes)
{
    struct stat st;
    if (fstat(fd, &st)) {
        return os_error(errno);
    }
    *ret_bytes = (uint64_t)st.st_blocks * 512;
    return 0;
}

int os_seal(int fd)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) == 0) {
        return 0;
    }
    return errno == EBUSY ? ERR_BUSY : os_error(errno);
}

int os_message_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) ? os_error(errno) : 0;
}

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * OS_FDS_MAX)];
};

int os_send_fds(int socket, struct span data, const int *fds, size_t count)
{
    check(count <= OS_FDS_MAX);
    struct iovec part = {(void *)data.data, data.len};
    union control control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return errno == EAGAIN ? ERR_BUSY : os_error(errno);
    }
    return 0;
}

static void take_fds(struct msghdr *message, int ret_fds[OS_FDS_MAX])
{
    for (size_t i = 0; i < OS_FDS_MAX; i++) {
        ret_fds[i] = -1;
    }
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        memcpy(ret_fds, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
    }
}

int os_recv_fds(int socket, void *data, size_t size, struct os_message *ret_message)
{
    struct iovec part = {data, size};
    union control control;
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.space,
        .msg_controllen = sizeof control.space,
    };
    ssize_t len;
    do {
        len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len < 0) {
        return errno == EAGAIN ? ERR_BUSY : os_error(errno);
    }
    take_fds(&message, ret_message->fds);
    ret_message->len = (size_t)len;
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (size_t i = 0; i < OS_FDS_MAX; i++) {
            os_close(ret_message->fds[i]);
        }
        return message.msg_flags & MSG_TRUNC ? ERR_ARGUMENT : ERR_FILES;
    }
    return 0;
}

int os_set_nonblocking(int socket)
{
    return fcntl(socket, F_SETFL, O_NONBLOCK) ? os_error(errno) : 0;
}

int os_wait_either(int fd, int child_events)
{
    struct pollfd both[] = {{.fd = fd, .events = POLLIN}, {.fd = child_events, .events = POLLIN}};
    int count;
    do {
        count = poll(both, 2, -1);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return os_error(errno);
    }
    if (both[1].revents) {
        struct signalfd_siginfo info;
        UNUSED ssize_t ignored = read(child_events, &info, sizeof info);
        os_reap();
    }
    return both[0].revents ? 1 : 0;
}

int os_child_events(int *ret_fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return os_error(errno);
    }
    *ret_fd = fd;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

void os_keep_only(const int *fds, size_t count)
{
    check(count <= OS_FDS_MAX);
    int sorted[OS_FDS_MAX];
    memcpy(sorted, fds, count * sizeof *fds);
    qsort(sorted, count, sizeof *sorted, compare);
    unsigned from = 0;
    for (size_t i = 0; i < count; i++) {
        if (sorted[i] < 0) {
            continue;
        }
        if ((unsigned)sorted[i] > from) {
            close_range(from, (unsigned)sorted[i] - 1, 0);
        }
        from = (unsigned)sorted[i] + 1;
    }
    close_range(from, ~0u, 0);
}

int os_duplicate(int fd, int *ret_fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return os_error(errno);
    }
    *ret_fd = copy;
    return 0;
}
