/* client.h - one command's talk with a server: who, which ROM and session, requests, failures */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: client_open -> client_path, client_call ..., change `now` as the replies say ->
 * client_close, which remembers `now` where all went well and gives the exit status. */
#include "base/buf.h"
#include "base/defaults.h"
#include "cmd/option.h"
#include "cmd/remember.h"
#include "os/replace.h"
#include <stdio.h>

struct client_options {
    const char *server;
    const char *rom;
    const char *ram;
    uint64_t timeout_ms;
};

/* Longer than a run at the server's own cap (10 s) and some that it may have to wait for. */
enum { CLIENT_TIMEOUT_MS = 120000 };

/* Rows for a struct that has a `struct client_options client`. */
#define CLIENT_ROWS_ALL(type)                                                                     \
    OPTION_ROW(type, TEXT, client.server, "server", 's', "URL", 0, 0, 0,                          \
               "the server (the last one used; http://" DEFAULT_ADDRESS " at first)")             \
    OPTION_ROW(type, MS, client.timeout_ms, "timeout", 0, "TIME", CLIENT_TIMEOUT_MS, 1, 86400000, \
               "give up where nothing comes or goes for this time: 30s, 2m")
#define CLIENT_ROWS(type)                                                                      \
    CLIENT_ROWS_ALL(type)                                                                      \
    OPTION_ROW(type, TEXT, client.rom, "rom", 0, "ID", 0, 0, 0, "the ROM (the last one used)") \
    OPTION_ROW(type, TEXT, client.ram, "ram", 0, "ID", 0, 0, 0,                                \
               "the session (the last one used, where the ROM is the same)")

enum { CLIENT_EXIT_REFUSED = 240, CLIENT_EXIT_NO_SERVER = 241 };

#define CLIENT_NOTES                                                                          \
    "  124  a local file that cannot be used    125  wrong usage, or trouble of this host\n"  \
    "  240  the server refused; its reason is printed\n"                                      \
    "  241  no server: nobody answers there, or not in HTTP, or the connection broke off\n\n" \
    "Server, ROM and session are remembered in $MOTE_SESSION, else ~/.config/mote/session;\n" \
    "each command that succeeds leaves there what it used.\n"

/* A request's body, as it comes from a file or pipe. */
struct client_body {
    FILE *file;
    uint64_t size; /* where has_size */
    bool has_size; /* else it is sent in chunks */
    uint64_t sent;
    int failed; /* errno of a read */
    bool is_short;
};

/* Opens a file that the user named, or standard input for NULL and `-`. */
MUST_CHECK int client_body_open(const char *path, struct client_body *ret_body, struct msg *msg);
void client_body_close(struct client_body *body);

/* Where the bytes of a good reply go. The file at `path` is opened when the first one comes, and
 * is as before unless the whole reply did. */
struct client_sink {
    const char *path; /* NULL: `file` */
    FILE *file;       /* NULL: kept in the reply's text */
    int failed;       /* errno of a write */
    struct msg why;   /* of an open */
    struct os_replacement place;
};

struct client_request {
    const char *method;
    const char *path;
    const struct option_list *fields; /* `Name: value`, NULL for none */
    struct client_body *body;         /* NULL for none */
    struct client_sink *sink;
    const char *progress; /* what the bar on a terminal is called, NULL for no bar */
};

struct client_reply {
    int status;
    struct buf fields; /* of the final reply: lines with their ends */
    struct buf text;   /* the body of a refusal, or of a reply without a sink */
};

/* A header field's value, without blanks around it; false where there is none. Of several the
 * first. */
bool client_field(const struct client_reply *reply, const char *name, struct span *ret_value);
/* True where the body is a guest's own OUT: a run that was not a fault and lost nothing. */
bool client_has_out(const struct client_reply *reply);
void client_reply_deinit(struct client_reply *reply);

struct client {
    const struct program *program;
    void *curl;
    struct remembered before;
    struct remembered now; /* what this command uses */
    uint64_t timeout_ms;   /* nothing sent and nothing come for so long is the end */
    int good_status;       /* exit status where all goes well */
    int bad_status;        /* of a failure, where it is not err.def's */
};

/* Finds out server, ROM and session: options first, then what is remembered. A remembered ROM
 * counts on its own server only, a remembered session with its own ROM only. */
MUST_CHECK int client_open(struct client *c, const struct client_options *options, struct msg *msg);
/* `rom` or `ram`, which a user says. */
MUST_CHECK int client_parse_what(const char *what, bool *ret_is_ram, struct msg *msg);
enum { CLIENT_PATH_SIZE = 100 };
/* /mcu/{rom}, or /mcu/{rom}/{ram} where `has_ram`. ERR_USAGE, with what to do, where it is not
 * known. */
MUST_CHECK int client_path(const struct client *c, bool has_ram, char ret_path[CLIENT_PATH_SIZE],
                           struct msg *msg);
/* Sends a request and takes its reply (which client_reply_deinit frees, after a failure too).
 * What is neither 2xx nor a guest's OUT is a failure in the server's words; ERR_CLOSED where
 * nobody answers. */
MUST_CHECK int client_call(struct client *c, const struct client_request *request,
                           struct client_reply *ret_reply, struct msg *msg);
/* Fails because what the server said is not what Mote says: it answers "without an id". */
MUST_CHECK int client_doubt(const struct client *c, const char *how, struct msg *msg);
/* Ends the command: the exit status. */
int client_close(struct client *c, int err, struct msg *msg);
