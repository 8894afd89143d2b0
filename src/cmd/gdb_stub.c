/* gdb_stub.c - answers a debugger's packets from a machine */
/* SPDX-License-Identifier: MIT */
#include "cmd/gdb_internal.h"
#include "isa/isa.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers in `E` answers are errno's, signals have GDB's own numbers. */
enum { FAULT = 14, INVALID = 22, NO_ROOM = 28 };
enum {
    SIGNAL_INT = 2,
    SIGNAL_ILL = 4,
    SIGNAL_TRAP = 5,
    SIGNAL_BUS = 10,
    SIGNAL_SEGV = 11,
    SIGNAL_SYS = 12,
    SIGNAL_TERM = 15,
    SIGNAL_XCPU = 24
};

enum cause {
#define CAUSE(name, number, text) CAUSE_##name = (number),
#include "isa/cause.def"
#undef CAUSE
};

int gdb_create(struct machine *m, struct gdb **ret_gdb)
{
    struct gdb *g = calloc(1, sizeof *g);
    if (!g) {
        return ERR_NO_MEMORY;
    }
    g->machine = m;
    buf_init(&g->output, GDB_OUTPUT_MAX);
    buf_init(&g->reply, GDB_REPLY_MAX);
    buf_init(&g->target, GDB_REPLY_MAX);
    int err = debug_create(m, &g->debug);
    if (!err) {
        gdb_put_target(g->debug, &g->target);
        err = g->target.failed ? ERR_NO_MEMORY : 0;
    }
    if (err) {
        gdb_destroy(g);
        return err;
    }
    *ret_gdb = g;
    return 0;
}

void gdb_destroy(struct gdb *g)
{
    if (g) {
        debug_destroy(g->debug);
        buf_deinit(&g->output);
        buf_deinit(&g->reply);
        buf_deinit(&g->target);
        free(g);
    }
}

bool gdb_is_running(const struct gdb *g)
{
    return g->is_running;
}

struct buf *gdb_output(struct gdb *g)
{
    return &g->output;
}

enum gdb_end gdb_end(const struct gdb *g)
{
    return g->output.failed ? GDB_KILLED : g->end;
}

struct stop gdb_stop(const struct gdb *g)
{
    return debug_stop(g->debug);
}

static void put_error(struct gdb *g, unsigned number)
{
    buf_print(&g->reply, "E%02x", number);
}

static void put_ok(struct gdb *g)
{
    buf_puts(&g->reply, "OK");
}

static void put_result(struct gdb *g, bool is_good, unsigned error)
{
    if (is_good) {
        put_ok(g);
    } else {
        put_error(g, error);
    }
}

static void send_reply(struct gdb *g)
{
    gdb_put_packet(&g->output, buf_span(&g->reply));
}

/* ---- stops */

static unsigned fault_signal(uint32_t mcause)
{
    switch (mcause) {
    case CAUSE_ILLEGAL:
        return SIGNAL_ILL;
    case CAUSE_BREAKPOINT:
        return SIGNAL_TRAP;
    case CAUSE_FETCH_MISALIGNED:
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        return SIGNAL_BUS;
    case CAUSE_ECALL_U:
    case CAUSE_ECALL_M:
        return SIGNAL_SYS;
    default:
        return SIGNAL_SEGV;
    }
}

/* What a halt other than a power down looks like to a debugger. */
static unsigned halt_signal(const struct stop *stop)
{
    switch (stop->halt) {
    case HALT_FAULT:
        return fault_signal(stop->mcause);
    case HALT_CYCLES:
    case HALT_TIME:
        return SIGNAL_XCPU;
    default:
        return SIGNAL_TERM;
    }
}

static void put_stop(struct gdb *g, unsigned signal, const char *reason)
{
    buf_print(&g->reply, "T%02xthread:1;%s", signal, reason);
}

static void put_point(struct gdb *g)
{
    static const char *const watches[POINT_KINDS] = {
        [POINT_WRITE] = "watch", [POINT_READ] = "rwatch", [POINT_ACCESS] = "awatch"};
    struct point p = debug_hit(g->debug);
    char reason[32] = "";
    if (watches[p.kind]) {
        snprintf(reason, sizeof reason, "%s:%" PRIx32 ";", watches[p.kind], p.address);
    } else if (p.kind == POINT_SOFT_BREAK && g->has_soft_reason) {
        snprintf(reason, sizeof reason, "swbreak:;");
    } else if (p.kind == POINT_HARD_BREAK && g->has_hard_reason) {
        snprintf(reason, sizeof reason, "hwbreak:;");
    }
    put_stop(g, SIGNAL_TRAP, reason);
}

static void put_exit(struct gdb *g)
{
    struct stop stop = debug_stop(g->debug);
    if (stop.halt == HALT_POWER_DOWN) {
        buf_print(&g->reply, "W%02" PRIx32, stop.exit_code);
    } else {
        buf_print(&g->reply, "X%02x", halt_signal(&stop));
    }
    g->end = GDB_EXITED;
}

/* The end of a run is shown first, so that one can look and go back; a power down only by wish,
 * since that is how a good run ends. */
static void put_ended(struct gdb *g)
{
    struct stop stop = debug_stop(g->debug);
    if (g->was_ended || (stop.halt == HALT_POWER_DOWN && !g->is_end_a_stop)) {
        put_exit(g);
    } else if (stop.halt == HALT_POWER_DOWN) {
        put_stop(g, SIGNAL_TRAP, "replaylog:end;");
    } else {
        put_stop(g, halt_signal(&stop), "");
    }
}

void gdb_work(struct gdb *g)
{
    if (!g->is_running) {
        return;
    }
    enum debug_event event = debug_go(g->debug);
    if (event == DEBUG_BUSY) {
        return;
    }
    g->is_running = false;
    buf_clear(&g->reply);
    switch (event) {
    case DEBUG_POINT:
        put_point(g);
        break;
    case DEBUG_ENDED:
        put_ended(g);
        break;
    case DEBUG_BEGIN:
        put_stop(g, SIGNAL_TRAP, "replaylog:begin;");
        break;
    default:
        put_stop(g, SIGNAL_TRAP, "");
        break;
    }
    send_reply(g);
}

static void interrupt(struct gdb *g)
{
    if (g->is_running) {
        g->is_running = false;
        debug_interrupt(g->debug);
        buf_clear(&g->reply);
        put_stop(g, SIGNAL_INT, "");
        send_reply(g);
    }
}

static void why(struct gdb *g, struct span rest UNUSED)
{
    struct stop stop = debug_stop(g->debug);
    bool is_bad = debug_is_ended(g->debug) && stop.halt != HALT_POWER_DOWN;
    put_stop(g, is_bad ? halt_signal(&stop) : SIGNAL_TRAP, "");
}

/* ---- registers and memory */

static void put_word(struct gdb *g, uint32_t value)
{
    gdb_put_hex(&g->reply, span_of(&value, sizeof value));
}

static bool take_word(struct span *rest, uint32_t *ret_value)
{
    uint8_t bytes[4];
    if (!gdb_take_bytes(rest, bytes, sizeof bytes)) {
        return false;
    }
    memcpy(ret_value, bytes, sizeof *ret_value);
    return true;
}

static uint32_t register_of(const struct stop *stop, uint32_t index)
{
    return index == GDB_PC ? stop->pc : stop->x[index];
}

static void get_all(struct gdb *g, struct span rest UNUSED)
{
    struct stop stop = debug_stop(g->debug);
    for (uint32_t i = 0; i <= GDB_PC; i++) {
        put_word(g, register_of(&stop, i));
    }
}

static void set_all(struct gdb *g, struct span rest)
{
    struct stop stop = debug_stop(g->debug);
    uint32_t values[GDB_PC + 1];
    for (uint32_t i = 0; i <= GDB_PC; i++) {
        if (!take_word(&rest, &values[i])) {
            put_error(g, INVALID);
            return;
        }
    }
    for (uint32_t i = 0; i <= GDB_PC; i++) {
        if (values[i] != register_of(&stop, i)) { /* a change cuts history */
            debug_set_register(g->debug, i, values[i]);
        }
    }
    put_ok(g);
}

static bool get_register(const struct gdb *g, uint32_t index, uint32_t *ret_value)
{
    struct stop stop = debug_stop(g->debug);
    if (index <= GDB_PC) {
        *ret_value = register_of(&stop, index);
        return true;
    }
    return index >= GDB_FIRST_CSR && debug_csr(g->debug, index - GDB_FIRST_CSR, ret_value);
}

static void get_one(struct gdb *g, struct span rest)
{
    uint32_t index;
    uint32_t value;
    if (gdb_take_number(&rest, &index) && get_register(g, index, &value)) {
        put_word(g, value);
    } else {
        put_error(g, INVALID);
    }
}

static bool set_register(struct gdb *g, uint32_t index, uint32_t value)
{
    if (index <= GDB_PC) {
        debug_set_register(g->debug, index, value);
        return true;
    }
    return index >= GDB_FIRST_CSR && debug_set_csr(g->debug, index - GDB_FIRST_CSR, value);
}

static void set_one(struct gdb *g, struct span rest)
{
    uint32_t index;
    uint32_t value;
    bool is_good = gdb_take_number(&rest, &index) && gdb_take_char(&rest, '=') &&
                   take_word(&rest, &value) && set_register(g, index, value);
    put_result(g, is_good, INVALID);
}

/* "address,length", the length of which an answer or a packet can hold. */
static bool take_place(struct span *rest, uint32_t *ret_address, uint32_t *ret_len)
{
    return gdb_take_number(rest, ret_address) && gdb_take_char(rest, ',') &&
           gdb_take_number(rest, ret_len) && *ret_len <= GDB_PACKET_MAX;
}

static void get_memory(struct gdb *g, struct span rest)
{
    uint8_t bytes[GDB_PACKET_MAX];
    uint32_t address;
    uint32_t len;
    if (!take_place(&rest, &address, &len)) {
        put_error(g, INVALID);
        return;
    }
    size_t done = debug_read(g->debug, address, bytes, len);
    if (done == 0 && len > 0) {
        put_error(g, FAULT);
        return;
    }
    gdb_put_hex(&g->reply, span_of(bytes, done));
}

static void set_memory(struct gdb *g, struct span rest)
{
    uint8_t bytes[GDB_PACKET_MAX];
    uint32_t address;
    uint32_t len;
    if (!take_place(&rest, &address, &len) || !gdb_take_char(&rest, ':') ||
        !gdb_take_bytes(&rest, bytes, len)) {
        put_error(g, INVALID);
        return;
    }
    put_result(g, debug_write(g->debug, address, span_of(bytes, len)), FAULT);
}

static void set_binary(struct gdb *g, struct span rest)
{
    uint32_t address;
    uint32_t len;
    if (!take_place(&rest, &address, &len) || !gdb_take_char(&rest, ':') || rest.len != len) {
        put_error(g, INVALID);
        return;
    }
    put_result(g, debug_write(g->debug, address, rest), FAULT);
}

/* ---- motions */

static void go(struct gdb *g, enum motion motion)
{
    g->was_ended = debug_is_ended(g->debug);
    g->is_running = true;
    debug_begin(g->debug, motion);
}

/* An address to go on from may follow. */
static void go_from(struct gdb *g, struct span rest, enum motion motion)
{
    uint32_t address;
    if (rest.len > 0) {
        if (!gdb_take_number(&rest, &address)) {
            put_error(g, INVALID);
            return;
        }
        debug_set_register(g->debug, GDB_PC, address);
    }
    go(g, motion);
}

static void go_signal(struct gdb *g, struct span rest, enum motion motion)
{
    uint32_t signal;
    if (!gdb_take_number(&rest, &signal) || (rest.len > 0 && !gdb_take_char(&rest, ';'))) {
        put_error(g, INVALID);
        return;
    }
    go_from(g, rest, motion);
}

static void go_on(struct gdb *g, struct span rest)
{
    go_from(g, rest, MOTION_CONTINUE);
}

static void go_on_signal(struct gdb *g, struct span rest)
{
    go_signal(g, rest, MOTION_CONTINUE);
}

static void go_step(struct gdb *g, struct span rest)
{
    go_from(g, rest, MOTION_STEP);
}

static void go_step_signal(struct gdb *g, struct span rest)
{
    go_signal(g, rest, MOTION_STEP);
}

static void back_on(struct gdb *g, struct span rest UNUSED)
{
    go(g, MOTION_BACK_CONTINUE);
}

static void back_step(struct gdb *g, struct span rest UNUSED)
{
    go(g, MOTION_BACK_STEP);
}

static void can_go(struct gdb *g, struct span rest UNUSED)
{
    buf_puts(&g->reply, "vCont;c;C;s;S");
}

/* Of several actions the first is for the thread that there is. */
static void go_list(struct gdb *g, struct span rest)
{
    if (gdb_take_char(&rest, 'c') || gdb_take_char(&rest, 'C')) {
        go(g, MOTION_CONTINUE);
    } else if (gdb_take_char(&rest, 's') || gdb_take_char(&rest, 'S')) {
        go(g, MOTION_STEP);
    } else {
        put_error(g, INVALID);
    }
}

/* ---- points */

/* "type,address,kind"; the kind of a watch is its length. */
static bool take_point(struct span *rest, struct point *ret_point)
{
    uint32_t kind;
    if (!gdb_take_number(rest, &kind) || kind >= POINT_KINDS || !gdb_take_char(rest, ',') ||
        !gdb_take_number(rest, &ret_point->address) || !gdb_take_char(rest, ',') ||
        !gdb_take_number(rest, &ret_point->len)) {
        return false;
    }
    ret_point->kind = (enum point_kind)kind;
    return true;
}

static void add_point(struct gdb *g, struct span rest)
{
    struct point p;
    if (!take_point(&rest, &p)) {
        put_error(g, INVALID);
        return;
    }
    int err = debug_add(g->debug, &p);
    put_result(g, err == 0, err == ERR_ARGUMENT ? FAULT : NO_ROOM);
}

static void remove_point(struct gdb *g, struct span rest)
{
    struct point p;
    bool is_good = take_point(&rest, &p);
    if (is_good) {
        debug_remove(g->debug, &p);
    }
    put_result(g, is_good, INVALID);
}

/* ---- the session */

/* A run that has ended does not go on behind its end. */
static void detach(struct gdb *g, struct span rest UNUSED)
{
    g->end = debug_is_ended(g->debug) ? GDB_EXITED : GDB_DETACHED;
    put_ok(g);
}

static void kill_run(struct gdb *g, struct span rest UNUSED)
{
    g->end = GDB_KILLED;
}

static void kill_told(struct gdb *g, struct span rest UNUSED)
{
    g->end = GDB_KILLED;
    put_ok(g);
}

static void agree(struct gdb *g, struct span rest UNUSED)
{
    put_ok(g);
}

/* `qCRC:` and others begin like it. */
static void thread(struct gdb *g, struct span rest)
{
    if (rest.len == 0) {
        buf_puts(&g->reply, "QC1");
    }
}

static void threads(struct gdb *g, struct span rest UNUSED)
{
    buf_puts(&g->reply, "m1");
}

static void threads_end(struct gdb *g, struct span rest UNUSED)
{
    buf_puts(&g->reply, "l");
}

/* No: it was begun for the debugger, which ends it when it quits. */
static void attached(struct gdb *g, struct span rest UNUSED)
{
    buf_puts(&g->reply, "0");
}

static void supported(struct gdb *g, struct span rest)
{
    UNUSED bool has_list = gdb_take_char(&rest, ':');
    while (rest.data) {
        struct span feature = span_cut(&rest, ';');
        g->has_soft_reason |= span_equals_string(feature, "swbreak+");
        g->has_hard_reason |= span_equals_string(feature, "hwbreak+");
    }
    buf_print(&g->reply,
              "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;"
              "swbreak+;hwbreak+;ReverseStep+;ReverseContinue+",
              GDB_PACKET_MAX);
}

static void read_target(struct gdb *g, struct span rest)
{
    struct span text = buf_span(&g->target);
    uint32_t at;
    uint32_t len;
    if (!take_place(&rest, &at, &len)) {
        put_error(g, INVALID);
        return;
    }
    size_t left = at < text.len ? text.len - at : 0;
    buf_puts(&g->reply, len < left ? "m" : "l");
    buf_put(&g->reply, text.data + (text.len - left), len < left ? len : left);
}

static void monitor(struct gdb *g, struct span rest)
{
    uint8_t command[128];
    size_t len = rest.len / 2;
    if (len > sizeof command || !gdb_take_bytes(&rest, command, len) || rest.len > 0) {
        put_error(g, INVALID);
        return;
    }
    struct buf words;
    buf_init(&words, GDB_REPLY_MAX / 2);
    gdb_monitor(g, span_of(command, len), &words);
    gdb_put_hex(&g->reply, buf_span(&words));
    buf_deinit(&words);
}

static void no_acks(struct gdb *g, struct span rest UNUSED)
{
    g->has_no_acks = true;
    put_ok(g);
}

static const struct {
    const char *begin;
    void (*answer)(struct gdb *g, struct span rest);
} packets[] = {
#define PACKET(begin, function, text) {begin, function},
#include "cmd/gdb_packet.def"
#undef PACKET
};

static void answer(struct gdb *g, struct span packet)
{
    buf_clear(&g->reply);
    for (size_t i = 0; i < ARRAY_COUNT(packets); i++) {
        struct span rest = packet;
        if (gdb_take_word(&rest, packets[i].begin)) {
            packets[i].answer(g, rest);
            break;
        }
    }
    bool is_silent = g->is_running || (g->end == GDB_KILLED && g->reply.len == 0);
    if (!is_silent) {
        send_reply(g);
    }
}

static void put_ack(struct gdb *g, const char *ack)
{
    if (!g->has_no_acks) {
        buf_puts(&g->output, ack);
    }
}

static void take_event(struct gdb *g, enum gdb_event event)
{
    switch (event) {
    case GDB_NOTHING:
        break;
    case GDB_PACKET:
        put_ack(g, "+");
        if (!g->is_running) { /* a debugger that waits for a stop asks for nothing */
            answer(g, gdb_reader_packet(&g->reader));
        }
        break;
    case GDB_DAMAGED:
        put_ack(g, "-");
        break;
    case GDB_TOO_LONG:
        put_ack(g, "+");
        buf_clear(&g->reply);
        put_error(g, INVALID);
        send_reply(g);
        break;
    case GDB_REPEAT:
        if (!g->has_no_acks) {
            send_reply(g);
        }
        break;
    case GDB_INTERRUPT:
        interrupt(g);
        break;
    }
}

void gdb_feed(struct gdb *g, struct span bytes)
{
    for (size_t i = 0; i < bytes.len && gdb_end(g) == GDB_OPEN; i++) {
        take_event(g, gdb_reader_feed(&g->reader, bytes.data[i]));
    }
}
