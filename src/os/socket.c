/* socket.c - stream sockets over socket(7) and sendfile(2) */
/* SPDX-License-Identifier: MIT */
#include "os/socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, PORT_MAX = 65535 };

static_assert(sizeof(struct sockaddr_in6) <= sizeof((struct os_address *)0)->bytes,
              "an os_address holds either family");

static int family_of(const struct os_address *address)
{
    const struct sockaddr *any = (const void *)address->bytes;
    return address->size >= sizeof(struct sockaddr_in) ? any->sa_family : AF_UNSPEC;
}

/* getaddrinfo would take 99999 for 34463, and a sign or a space in front. */
static int check_port(const char *text, const char *port, struct msg *msg)
{
    unsigned value = 0;
    size_t len = strspn(port, "0123456789");
    for (size_t i = 0; i < len && value <= PORT_MAX; i++) {
        value = value * 10 + (unsigned)(port[i] - '0');
    }
    if (len == 0 || port[len] || value > PORT_MAX) {
        return fail(msg, ERR_ARGUMENT,
                    "address %.100s: the port `%.40s` is no whole number from 0 to %d", text, port,
                    PORT_MAX);
    }
    return 0;
}

int os_address_parse(const char *text, struct os_address *ret_address, struct msg *msg)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    char host[256];
    if (!colon || len == 0 || len >= sizeof host || !colon[1]) {
        return fail(msg, ERR_ARGUMENT, "address %s: write HOST:PORT, as 127.0.0.1:8080", text);
    }
    bool has_brackets = text[0] == '[' && text[len - 1] == ']';
    if (!has_brackets && memchr(text, ':', len)) {
        return fail(msg, ERR_ARGUMENT,
                    "address %.100s: write an IPv6 address in brackets, [%.*s]%s", text, (int)len,
                    text, colon);
    }
    int err = check_port(text, colon + 1, msg);
    if (err) {
        return err;
    }
    memcpy(host, text + has_brackets, len);
    host[has_brackets ? len - 2 : len] = 0;
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | (has_brackets ? AI_NUMERICHOST : 0),
    };
    struct addrinfo *found;
    int error = getaddrinfo(host, colon + 1, &hints, &found);
    if (error) {
        return fail(msg, ERR_ARGUMENT, "address %s: %s", text, gai_strerror(error));
    }
    memset(ret_address, 0, sizeof *ret_address);
    ret_address->size = found->ai_addrlen;
    memcpy(ret_address->bytes, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

void os_address_format(const struct os_address *address, char ret_text[OS_ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN];
    const struct sockaddr_in *v4 = (const void *)address->bytes;
    const struct sockaddr_in6 *v6 = (const void *)address->bytes;
    const char *form = "%s:%d";
    switch (family_of(address)) {
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
        form = "[%s]:%d";
        break;
    default:
        snprintf(ret_text, OS_ADDRESS_TEXT_MAX, "local");
        return;
    }
    snprintf(ret_text, OS_ADDRESS_TEXT_MAX, form, host, os_address_port(address));
}

bool os_address_is_loopback(const struct os_address *address)
{
    const struct sockaddr_in *v4 = (const void *)address->bytes;
    const struct sockaddr_in6 *v6 = (const void *)address->bytes;
    switch (family_of(address)) {
    case AF_INET:
        return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
               (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
    default:
        return false;
    }
}

int os_address_port(const struct os_address *address)
{
    const struct sockaddr_in *v4 = (const void *)address->bytes;
    const struct sockaddr_in6 *v6 = (const void *)address->bytes;
    switch (family_of(address)) {
    case AF_INET:
        return ntohs(v4->sin_port);
    case AF_INET6:
        return ntohs(v6->sin6_port);
    default:
        return 0;
    }
}

int os_socket_listen(const struct os_address *address, int *ret_fd, struct os_address *ret_bound,
                     struct msg *msg)
{
    char text[OS_ADDRESS_TEXT_MAX];
    os_address_format(address, text);
    int fd = socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return fail(msg, ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
    }
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof ret_bound->bytes;
    struct os_address bound = {0};
    if (bind(fd, (const void *)address->bytes, address->size) || listen(fd, BACKLOG) ||
        getsockname(fd, (void *)bound.bytes, &size)) {
        int number = errno;
        os_close(fd);
        return fail(msg, number == EADDRINUSE ? ERR_BUSY : ERR_IO, "cannot listen on %s: %s", text,
                    strerror(number));
    }
    bound.size = size;
    *ret_bound = bound;
    *ret_fd = fd;
    return 0;
}

static int accept_error(int number)
{
    switch (number) {
    case EAGAIN:
        return ERR_NOT_FOUND;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_QUOTA;
    default:
        return ERR_IO;
    }
}

int os_socket_accept(int fd, int *ret_fd, struct os_address *ret_peer)
{
    struct os_address peer = {0};
    socklen_t size = sizeof peer.bytes;
    int made = accept4(fd, (void *)peer.bytes, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (made < 0) {
        return accept_error(errno);
    }
    peer.size = size;
    int on = 1;
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *ret_peer = peer;
    *ret_fd = made;
    return 0;
}

int os_socket_prepare(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
        return ERR_IO;
    }
    return 0;
}

int os_socket_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) ? ERR_IO : 0;
}

static int64_t result_of(ssize_t count)
{
    if (count >= 0) {
        return count;
    }
    return errno == EAGAIN || errno == EINTR ? ERR_BUSY : ERR_CLOSED;
}

int64_t os_socket_receive(int fd, void *data, size_t size)
{
    return result_of(recv(fd, data, size, 0));
}

int64_t os_socket_send(int fd, struct span first, struct span second, bool has_more)
{
    struct iovec parts[2] = {{(void *)first.data, first.len}, {(void *)second.data, second.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = second.len > 0 ? 2 : 1};
    return result_of(sendmsg(fd, &message, MSG_NOSIGNAL | (has_more ? MSG_MORE : 0)));
}

int64_t os_socket_send_file(int fd, int file, uint64_t offset, size_t size)
{
    off_t at = (off_t)offset;
    return result_of(sendfile(fd, file, &at, size));
}

uint64_t os_socket_unsent(int fd)
{
    int count = 0;
    return ioctl(fd, SIOCOUTQ, &count) || count < 0 ? 0 : (uint64_t)count;
}

bool os_socket_has_input(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

void os_socket_end(int fd)
{
    shutdown(fd, SHUT_WR);
}

void os_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}
