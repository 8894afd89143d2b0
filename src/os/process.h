/* process.h - child processes that die with their parent, and what passes between the two */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: os_memfd, os_message_pair -> os_fork -> in the child os_die_with, os_keep_only,
 * os_confine; in the parent os_send_fds / os_recv_fds -> os_kill or the child's own end ->
 * os_reap. Descriptors made here are closed on exec. */
#include "base/err.h"
#include "base/span.h"
#include "os/socket.h"

enum { OS_FDS_MAX = 8, OS_SELF_FD = 3 };

/* First thing in main: standard input, output and error that were closed become /dev/null, or what
 * is opened next would take their places and get what is printed; output is opened for reading, so
 * that writing to it fails and what is lost is told. A write beyond the limit of file sizes fails
 * (ERR_FULL) instead of killing us; programs that we start do not get that. */
void os_begin(void);
/* Raises the limit of open files to `wanted` where it is lower and may be; what it then is. */
uint64_t os_allow_files(uint64_t wanted);

/* Forks. Returns 0 in the child and 1 in the parent, who also gets a descriptor of the child:
 * readable once it has ended, and good for os_kill without ever meeting a later process that has
 * the same number. Only for a process of one thread. */
MUST_CHECK int os_fork(int *ret_pidfd);
/* Runs our own program's file anew under the name `name`, with `fd` (borrowed) as its descriptor
 * OS_SELF_FD and neither memory nor (but for a sanitizer's build) environment of ours; it dies
 * with us. For a process of any number of threads. */
MUST_CHECK int os_start_self(const char *name, int fd, int *ret_pidfd);
/* Starts the program argv[0], looked up in PATH, which takes over the terminal: SIGINT is its own
 * from here on. The descriptor becomes readable once it has ended; os_wait_end takes leave of it.
 * ERR_NOT_FOUND and others with the system's words where it cannot be run. */
MUST_CHECK int os_start(char *const argv[], int *ret_pidfd, struct msg *msg);
/* Waits until the program has ended, and closes the descriptor. */
void os_wait_end(int pidfd);
/* The number of this process. */
int os_process_id(void);
/* In a child, first thing: the kernel kills it when its parent (whose number is `parent`) ends,
 * however that ends; exits at once where that has happened already. */
void os_die_with(int parent);
/* Kills the process of `pidfd`; nothing happens where it has ended. */
void os_kill(int pidfd);
/* Takes leave of all children that have ended, so that they do not stay as zombies. */
void os_reap(void);
/* Ends the process here and now, without what atexit has. */
NORETURN void os_exit(int status);
/* Leaves the signals of a graceful stop to the parent: a terminal sends them to all. */
void os_ignore_stop_signals(void);
/* Processors that this process may run on, at least 1. */
unsigned os_cores(void);

/* Memory as a file: `size` bytes of zeros that nobody can make shorter or longer. */
MUST_CHECK int os_memfd(const char *name, uint64_t size, int *ret_fd);
/* Writes all of `data` at `offset`; reads exactly `size` bytes (ERR_IO where there are fewer). */
MUST_CHECK int os_memfd_write(int fd, struct span data, uint64_t offset);
MUST_CHECK int os_memfd_read(int fd, void *data, size_t size, uint64_t offset);
/* The bytes of memory that it takes now: holes take none. */
MUST_CHECK int os_memfd_used(int fd, uint64_t *ret_bytes);
/* From here on nobody can change the bytes of a memory file; ERR_BUSY where somebody has it mapped
 * shared and writable. */
MUST_CHECK int os_seal(int fd);
/* A pair of sockets that carry whole messages. */
MUST_CHECK int os_message_pair(int ret_fds[2]);
/* Sends one message with copies of descriptors; ERR_CLOSED where the other side has ended. */
MUST_CHECK int os_send_fds(int socket, struct span data, const int *fds, size_t count);
/* One message as it came. */
struct os_message {
    size_t len;          /* 0: the other side has ended */
    int fds[OS_FDS_MAX]; /* the caller's to close; -1 where none came */
};
/* Takes the next message, of at most `size` bytes, and waits for it where the socket does.
 * ERR_BUSY: none is there (os_set_nonblocking), ERR_ARGUMENT: it was longer than `size`,
 * ERR_FILES: its descriptors found no place here and are lost, as the message is. */
MUST_CHECK int os_recv_fds(int socket, void *data, size_t size, struct os_message *ret_message);
/* Has the calls above give ERR_BUSY where they would wait. */
MUST_CHECK int os_set_nonblocking(int socket);
/* Waits until `fd` is readable or a child has ended; see os_child_events. */
MUST_CHECK int os_wait_either(int fd, int child_events);
/* A descriptor that becomes readable when a child ends; the signal itself stays blocked. */
MUST_CHECK int os_child_events(int *ret_fd);
/* Closes every descriptor but the `count` of `fds`. */
void os_keep_only(const int *fds, size_t count);
/* Another descriptor of the same open file. */
MUST_CHECK int os_duplicate(int fd, int *ret_fd);
