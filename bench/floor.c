/* floor.c - what a POST costs at least: one epoll loop that answers and runs nothing */
/* SPDX-License-Identifier: MIT */
/* usage: floor echo|visits
 *
 * Prints the port of 127.0.0.1 that it listens on, and serves until it is killed. All that it reads
 * of a request is where it ends; the bodies of its replies are those of the ROM of that name, with
 * a visitor for each connection. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES_MAX = 4096, REPLY_BYTES_MAX = 512 + REQUEST_BYTES_MAX, EVENTS_MAX = 64 };

struct conn {
    int fd;
    unsigned visits;
    size_t have;
    char bytes[REQUEST_BYTES_MAX + 1]; /* always ends in a zero */
};

static int die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    return 1;
}

static void conn_destroy(struct conn *conn)
{
    close(conn->fd);
    free(conn);
}

/* The whole request's length and its body's, or false while a part is missing. */
static bool find_end(const struct conn *conn, size_t *ret_size, size_t *ret_body)
{
    const char *end = strstr(conn->bytes, "\r\n\r\n");
    const char *field = strcasestr(conn->bytes, "\r\nContent-Length:");
    if (!end) {
        return false;
    }
    size_t head = (size_t)(end - conn->bytes) + 4;
    size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
    if (body > REQUEST_BYTES_MAX || head + body > conn->have) {
        return false;
    }
    *ret_size = head + body;
    *ret_body = body;
    return true;
}

static bool reply(struct conn *conn, const char *body, size_t len)
{
    char out[REPLY_BYTES_MAX];
    int head = snprintf(out, sizeof out,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        len);
    memcpy(out + head, body, len);
    size_t size = (size_t)head + len;
    return send(conn->fd, out, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Answers what has come; false where the connection is over. */
static bool conn_serve(struct conn *conn, bool is_echo)
{
    ssize_t got = recv(conn->fd, conn->bytes + conn->have, REQUEST_BYTES_MAX - conn->have, 0);
    if (got <= 0) {
        return false; /* also a request that does not fit */
    }
    conn->have += (size_t)got;
    conn->bytes[conn->have] = '\0';
    size_t size, body;
    while (find_end(conn, &size, &body)) {
        char text[64];
        const char *answer = conn->bytes + size - body;
        if (!is_echo) {
            conn->visits++;
            body = (size_t)snprintf(text, sizeof text, "%s Visit number %u.\n",
                                    conn->visits == 1 ? "Welcome!" : "Welcome back!", conn->visits);
            answer = text;
        }
        if (!reply(conn, answer, body)) {
            return false;
        }
        conn->have -= size;
        memmove(conn->bytes, conn->bytes + size, conn->have + 1);
    }
    return true;
}

static bool accept_one(int loop, int listener)
{
    struct conn *conn = calloc(1, sizeof *conn);
    int on = 1;
    if (!conn) {
        return false;
    }
    conn->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};
    if (conn->fd < 0 ||
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, (socklen_t)sizeof on) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, conn->fd, &event) < 0) {
        conn_destroy(conn);
        return false;
    }
    return true;
}

static int listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 ||
        listen(listener, 128) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0) {
        return -1;
    }
    *ret_port = ntohs(address.sin_port);
    return listener;
}

static int serve(int loop, int listener, bool is_echo)
{
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(loop, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR) {
            return die("epoll_wait");
        }
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr; /* NULL: the listener */
            if (!conn && !accept_one(loop, listener)) {
                return die("a new connection");
            }
            if (conn && !conn_serve(conn, is_echo)) {
                conn_destroy(conn);
            }
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "echo") != 0 && strcmp(argv[1], "visits") != 0)) {
        fprintf(stderr, "usage: floor echo|visits\n");
        return 2;
    }
    unsigned port = 0;
    int listener = listen_somewhere(&port);
    int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (listener < 0 || loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event) < 0) {
        return die("cannot listen on 127.0.0.1");
    }
    printf("%u\n", port);
    fflush(stdout);
    return serve(loop, listener, strcmp(argv[1], "echo") == 0);
}
