/* socket.h - stream sockets that never block and never raise SIGPIPE */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { OS_ADDRESS_TEXT_MAX = 64 };

struct os_address {
    uint32_t size;
    _Alignas(8) uint8_t bytes[32]; /* a sockaddr_in or sockaddr_in6 */
};

/* Reads "127.0.0.1:80", "[::1]:80", "name:80"; a name is looked up. ERR_ARGUMENT, also for a port
 * over 65535 and for an IPv6 address without brackets. */
MUST_CHECK int os_address_parse(const char *text, struct os_address *ret_address, struct msg *msg);
/* Writes the form that os_address_parse reads; "local" for what is not an Internet address. */
void os_address_format(const struct os_address *address, char ret_text[OS_ADDRESS_TEXT_MAX]);
/* Whether only this machine can be at the other end; also an IPv4 loopback address that is mapped
 * into IPv6, as a socket for both families has them. */
bool os_address_is_loopback(const struct os_address *address);
int os_address_port(const struct os_address *address);

/* Opens a listening socket; the address that it got (port 0: the kernel picks) is `ret_bound`. */
MUST_CHECK int os_socket_listen(const struct os_address *address, int *ret_fd,
                                struct os_address *ret_bound, struct msg *msg);
/* The next connection, with TCP_NODELAY. ERR_NOT_FOUND: none waits; ERR_QUOTA: the process or the
 * system has no descriptor or memory left; ERR_IO: that one went away again. */
MUST_CHECK int os_socket_accept(int fd, int *ret_fd, struct os_address *ret_peer);
/* Makes a descriptor from elsewhere fit for the calls below. */
MUST_CHECK int os_socket_prepare(int fd);
/* Two connected stream sockets. */
MUST_CHECK int os_socket_pair(int ret_fds[2]);

/* What a transfer came to: 0 or more bytes, or ERR_BUSY (would block), ERR_CLOSED (the other side
 * is gone). Receiving 0 bytes is the other side's end of file; sending a file, the file's. */
MUST_CHECK int64_t os_socket_receive(int fd, void *data, size_t size);
/* Sends the two parts as one; `has_more` says that more follows at once. */
MUST_CHECK int64_t os_socket_send(int fd, struct span first, struct span second, bool has_more);
MUST_CHECK int64_t os_socket_send_file(int fd, int file, uint64_t offset, size_t size);
/* Of the bytes that were sent, those that the other side has not taken yet. */
uint64_t os_socket_unsent(int fd);
/* Whether bytes of the other side wait to be received, or its end. */
bool os_socket_has_input(int fd);
/* Ends our direction; the peer sees end of file after what was sent. */
void os_socket_end(int fd);
void os_close(int fd);
