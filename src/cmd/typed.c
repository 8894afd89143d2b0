/* typed.c - what is typed into a run: from a terminal, into a record, out of a record */
/* SPDX-License-Identifier: MIT */
#include "cmd/typed.h"
#include "os/clock.h"

#include <inttypes.h>
#include <stdlib.h>

static const uint64_t unknown = ~0ull;
enum { CTRL_A = 1, KEYS_MAX = 64, LINE_BYTES_MAX = 80 };

/* ---- what both kinds share */

static void write_down(struct typed *t, struct moment now, int what)
{
    if (!t->record) {
        return;
    }
    fprintf(t->record, "%" PRIu64 " %" PRIu64 " ", now.cycles, now.mtime);
    if (what == TYPED_QUIT) {
        fprintf(t->record, "quit\n");
    } else {
        fprintf(t->record, "0x%02x\n", (unsigned)what);
    }
    fflush(t->record);
}

/* ---- the terminal */

/* Keeps a key for the guest; true where it ends the run instead. Keys that are typed far ahead of a
 * guest that takes none are lost, as on any terminal. */
static bool keep(struct typed *t, uint8_t byte)
{
    bool is_prefix = t->terminal.saved && byte == CTRL_A && !t->is_after_prefix;
    bool is_for_us = is_prefix || (t->is_after_prefix && byte != CTRL_A);
    bool is_end = t->is_after_prefix && byte == 'x';
    t->is_after_prefix = is_prefix;
    if (!is_for_us && t->bytes_len < sizeof t->bytes) {
        t->bytes[t->bytes_len++] = byte;
    }
    return is_end;
}

/* Hears what is typed; true where it ends the run. A terminal is read even where the guest takes
 * nothing, since the key that ends the run may be behind the others; other input can wait. */
static bool hear(struct typed *t, uint64_t wait_ns, bool is_wanted)
{
    uint8_t keys[KEYS_MAX];
    bool is_read = !t->is_over && (is_wanted || t->terminal.saved);
    int got = os_terminal_read(&t->terminal, wait_ns, keys, is_read ? sizeof keys : 0);
    t->is_over |= got < 0;
    t->bytes_len -= t->bytes_at;
    memmove(t->bytes, t->bytes + t->bytes_at, t->bytes_len);
    t->bytes_at = 0;
    for (int i = 0; i < got; i++) {
        if (keep(t, keys[i])) {
            return true;
        }
    }
    return t->terminal.signal != 0;
}

static uint64_t left_of(uint64_t wait_ns, uint64_t begin_ns)
{
    uint64_t passed = wait_ns && wait_ns != unknown ? os_now_ns() - begin_ns : 0;
    return passed < wait_ns ? wait_ns - passed : 0;
}

/* Keys that are nothing to the guest do not make its wait shorter. */
static int type(struct typed *t, uint64_t wait_ns, bool is_wanted)
{
    uint64_t begin_ns = wait_ns ? os_now_ns() : 0;
    uint64_t left_ns = wait_ns;
    bool is_last = false;
    while (!is_wanted || t->bytes_at == t->bytes_len) {
        if (is_wanted && t->is_over) {
            return INPUT_END;
        }
        if (is_last) {
            return INPUT_NONE;
        }
        if (hear(t, left_ns, is_wanted)) {
            return TYPED_QUIT;
        }
        left_ns = left_of(wait_ns, begin_ns);
        is_last = left_ns == 0;
    }
    return t->bytes[t->bytes_at++];
}

static int read_live(void *context, struct moment now, uint64_t wait_ns, bool is_wanted)
{
    struct typed *t = context;
    fflush(t->console);
    int what = type(t, wait_ns, is_wanted);
    if (what < 0) {
        return what;
    }
    write_down(t, now, what);
    return what == TYPED_QUIT ? INPUT_QUIT : what;
}

static uint64_t next_live(void *context)
{
    (void)context;
    return unknown;
}

int typed_init_live(struct typed *t, struct msg *msg)
{
    t->input = (struct machine_input){read_live, next_live, t};
    int err = os_terminal_open(0, &t->terminal, msg);
    t->is_live = !err;
    return err;
}

/* ---- the record */

static int read_replay(void *context, struct moment now, uint64_t wait_ns, bool is_wanted)
{
    struct typed *t = context;
    if (t->events_at == t->events_count) {
        return wait_ns == unknown ? INPUT_END : INPUT_NONE;
    }
    struct typed_event event = t->events[t->events_at];
    bool is_due = event.when.cycles == now.cycles && event.when.mtime == now.mtime;
    if (!is_due || (!is_wanted && event.what != TYPED_QUIT)) {
        return wait_ns == unknown ? INPUT_END : INPUT_NONE;
    }
    t->events_at++;
    write_down(t, now, event.what);
    return event.what == TYPED_QUIT ? INPUT_QUIT : event.what;
}

static uint64_t next_replay(void *context)
{
    const struct typed *t = context;
    return t->events_at < t->events_count ? t->events[t->events_at].when.cycles : unknown;
}

/* A decimal number and the blank behind it, off `*at`. */
static bool take_number(const char **at, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *c = *at;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number)) {
            return false;
        }
    }
    bool is_one = c > *at && *c == ' ';
    *at = c + 1;
    *ret_number = number;
    return is_one;
}

static bool parse_line(struct span line, struct typed_event *ret_event)
{
    char text[LINE_BYTES_MAX];
    if (line.len >= sizeof text || memchr(line.data, 0, line.len)) {
        return false;
    }
    memcpy(text, line.data, line.len);
    text[line.len] = 0;
    const char *at = text;
    struct typed_event event = {.what = TYPED_QUIT};
    if (!take_number(&at, &event.when.cycles) || !take_number(&at, &event.when.mtime)) {
        return false;
    }
    if (strcmp(at, "quit") != 0) {
        bool is_byte = strlen(at) == 4 && at[0] == '0' && at[1] == 'x';
        int high = is_byte ? hex_digit((uint8_t)at[2]) : -1;
        int low = is_byte ? hex_digit((uint8_t)at[3]) : -1;
        if (high < 0 || low < 0) {
            return false;
        }
        event.what = high << 4 | low;
    }
    *ret_event = event;
    return true;
}

static size_t lines_count(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.data[i] == '\n' || i == text.len - 1;
    }
    return count;
}

int typed_init_replay(struct typed *t, struct span record, struct msg *msg)
{
    size_t count = lines_count(record);
    t->input = (struct machine_input){read_replay, next_replay, t};
    t->events = calloc(count ? count : 1, sizeof *t->events);
    if (!t->events) {
        return fail(msg, ERR_NO_MEMORY, "no memory for %zu lines", count);
    }
    uint64_t before = 0;
    for (struct span rest = record; t->events_count < count && rest.len > 0;) {
        struct typed_event *event = &t->events[t->events_count];
        struct span line = span_take_line(&rest);
        if (!parse_line(line, event)) {
            return fail(msg, ERR_BAD_FILE,
                        "line %zu is not `CYCLES MTIME 0xHH` or `CYCLES MTIME quit`",
                        t->events_count + 1);
        }
        if (event->when.cycles < before) {
            return fail(msg, ERR_BAD_FILE,
                        "line %zu is of cycle %" PRIu64 ", before that of the line above, %" PRIu64,
                        t->events_count + 1, event->when.cycles, before);
        }
        before = event->when.cycles;
        t->events_count++;
    }
    return 0;
}

int typed_check(const struct typed *t, struct msg *msg)
{
    if (t->events_at == t->events_count) {
        return 0;
    }
    return fail(msg, ERR_BAD_FILE,
                "the run did not come by line %zu, of cycle %" PRIu64 ": it is of another run",
                t->events_at + 1, t->events[t->events_at].when.cycles);
}

void typed_restore(struct typed *t)
{
    if (t->is_live) {
        os_terminal_restore(&t->terminal);
    }
}

void typed_deinit(struct typed *t)
{
    free(t->events);
    t->events = NULL;
    if (t->is_live) {
        t->is_live = false;
        os_terminal_close(&t->terminal);
    }
}
