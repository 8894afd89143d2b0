/* debug.c - motions of a machine under a debugger, by stepping and by running again */
/* SPDX-License-Identifier: MIT */
#include "machine/debug.h"
#include "isa/isa.h"
#include "machine/internal.h"

#include <stdlib.h>

enum {
    PC = 32,
    DECODED_COUNT = 256,
    NO_PAGE = 1 << 20,
    STEPS_MAX = 50000,     /* of one debug_go */
    SLICE_CYCLES = 500000, /* the same where nothing is looked for: a few milliseconds */
    NEAR_CYCLES = 1024,    /* the last of these before a moment are stepped back over */
};

/* Where a motion is. */
enum phase {
    PHASE_FORWARD,
    PHASE_NEAR,  /* back: runs on to `target`, from where it is looked for the moment */
    PHASE_SCAN,  /* back: looks for the last hit before `end` */
    PHASE_SEEK,  /* back: runs on to `target`, where the motion ends */
    PHASE_BEGIN, /* back: is at the earliest moment, where the motion ends */
};

struct placed {
    struct point point;
    uint8_t bytes[DEBUG_POINT_BYTES_MAX]; /* a watch's, as of the last instruction */
};

/* Zero is the word that is no instruction, and its entry says so. */
struct decoded {
    uint32_t word;
    struct insn insn;
};

struct debug {
    struct machine *machine;
    struct history *history;
    struct placed points[DEBUG_POINTS_MAX];
    size_t points_count;
    bool has_watches;
    uint32_t code_page; /* a page that can be read, where instructions came from */
    struct decoded decoded[DECODED_COUNT];
    enum motion motion;
    enum phase phase;
    uint64_t begin; /* back: the meter of the checkpoint that it runs from */
    uint64_t end;
    uint64_t target;
    bool has_found;
    bool is_at_point; /* what was found is `hit`, not just an instruction */
    struct point hit;
    bool is_ended;
    enum halt halt;
};

/* What a row of rv32.def reads or writes at rs1 + imm, in bytes. */
#define READS_ALU(semantics)     0
#define READS_LOAD(semantics)    sizeof(semantics)
#define READS_STORE(semantics)   0
#define READS_BRANCH(semantics)  0
#define READS_JUMP(semantics)    0
#define READS_AMO(semantics)     4
#define READS_CSR(semantics)     0
#define READS_SYSTEM(semantics)  0
#define WRITES_ALU(semantics)    0
#define WRITES_LOAD(semantics)   0
#define WRITES_STORE(semantics)  sizeof(semantics)
#define WRITES_BRANCH(semantics) 0
#define WRITES_JUMP(semantics)   0
#define WRITES_AMO(semantics)    4
#define WRITES_CSR(semantics)    0
#define WRITES_SYSTEM(semantics) 0

static const struct {
    uint8_t reads;
    uint8_t writes;
    bool is_store; /* what it writes is rs2 */
} rows[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {READS_##kind(semantics), WRITES_##kind(semantics), KIND_##kind == KIND_STORE},
#include "isa/rv32.def"
#undef INSN
};

int debug_create(struct machine *m, struct debug **ret_debug)
{
    struct debug *d = calloc(1, sizeof *d);
    if (!d) {
        return ERR_NO_MEMORY;
    }
    d->machine = m;
    d->code_page = NO_PAGE;
    int err = history_create(m, &d->history);
    if (err) {
        free(d);
        return err;
    }
    *ret_debug = d;
    return 0;
}

void debug_destroy(struct debug *d)
{
    if (d) {
        history_destroy(d->history);
        free(d);
    }
}

/* ---- memory and registers */

static bool may(const struct debug *d, uint32_t address, unsigned access)
{
    return (machine_bus.page(d->machine, address / PAGE_SIZE) & access) != 0;
}

/* How many bytes from `address` on lie in pages of such access. */
static size_t reach(const struct debug *d, uint32_t address, size_t len, unsigned access)
{
    uint64_t at = address;
    uint64_t end = at + len < GiB(4) ? at + len : GiB(4);
    while (at < end && may(d, (uint32_t)at, access)) {
        at = (at / PAGE_SIZE + 1) * PAGE_SIZE;
    }
    return (size_t)((at < end ? at : end) - address);
}

size_t debug_read(const struct debug *d, uint32_t address, void *bytes, size_t len)
{
    size_t done = reach(d, address, len, PAGE_READ | PAGE_EXECUTE);
    memcpy(bytes, d->machine->memory + address, done);
    return done;
}

/* After a change by hand the run goes on, whether it had ended or not. */
static void changed(struct debug *d)
{
    d->is_ended = false;
    d->machine->request = REQUEST_NONE;
    history_edit(d->history);
}

bool debug_write(struct debug *d, uint32_t address, struct span bytes)
{
    if (reach(d, address, bytes.len, PAGE_WRITE) < bytes.len) {
        return false;
    }
    if (bytes.len) {
        memcpy(d->machine->memory + address, bytes.data, bytes.len);
        hart_wrote(d->machine->hart, address, (uint32_t)bytes.len);
        changed(d);
    }
    return true;
}

void debug_set_register(struct debug *d, unsigned index, uint32_t value)
{
    struct hart *h = d->machine->hart;
    if (index == PC) {
        h->pc = value & ~1u;
        h->is_entering = false; /* where the trap led is no longer where it goes on */
    } else if (index > 0 && index < PC) {
        h->x[index] = value;
    } else {
        return;
    }
    changed(d);
}

bool debug_csr(const struct debug *d, uint32_t number, uint32_t *ret_value)
{
    return hart_csr_read(d->machine->hart, number, ret_value);
}

/* An instruction's write is seen by the next one, a cycle later; this one is seen at once. */
bool debug_set_csr(struct debug *d, uint32_t number, uint32_t value)
{
    struct hart *h = d->machine->hart;
    h->cycles--;
    bool is_written = hart_csr_write(h, number, value);
    h->cycles++;
    if (is_written) {
        changed(d);
    }
    return is_written;
}

/* ---- points */

static bool is_break(const struct point *p)
{
    return p->kind <= POINT_HARD_BREAK;
}

static bool is_watch_of(const struct point *p, enum point_kind kind)
{
    return p->kind == kind || p->kind == POINT_ACCESS;
}

static struct placed *find_point(struct debug *d, const struct point *p)
{
    for (struct placed *at = d->points; at < d->points + d->points_count; at++) {
        if (at->point.kind == p->kind && at->point.address == p->address &&
            (is_break(p) || at->point.len == p->len)) {
            return at;
        }
    }
    return NULL;
}

/* What watches compare with: memory as it is now. */
static void refresh(struct debug *d)
{
    d->has_watches = false;
    for (struct placed *at = d->points; at < d->points + d->points_count; at++) {
        debug_read(d, at->point.address, at->bytes, at->point.len);
        d->has_watches |= !is_break(&at->point);
    }
}

int debug_add(struct debug *d, const struct point *point)
{
    struct point p = *point;
    p.len = is_break(&p) ? 0 : p.len;
    if (!is_break(&p) && (p.len == 0 || p.len > DEBUG_POINT_BYTES_MAX)) {
        return ERR_TOO_BIG;
    }
    if (reach(d, p.address, p.len, PAGE_READ) < p.len) {
        return ERR_ARGUMENT;
    }
    if (find_point(d, &p)) {
        return 0;
    }
    if (d->points_count == DEBUG_POINTS_MAX) {
        return ERR_QUOTA;
    }
    d->points[d->points_count++].point = p;
    return 0;
}

void debug_remove(struct debug *d, const struct point *point)
{
    struct placed *at = find_point(d, point);
    if (at) {
        *at = d->points[--d->points_count];
    }
}

static const struct point *break_at(const struct debug *d, uint32_t pc)
{
    for (size_t i = 0; i < d->points_count; i++) {
        const struct point *p = &d->points[i].point;
        if (is_break(p) && p->address == pc) {
            return p;
        }
    }
    return NULL;
}

/* What the next instruction does to memory, where that can be told before. */
struct access {
    uint32_t address;
    uint32_t reads; /* bytes */
    uint32_t writes;
    const uint32_t *source; /* of a plain store: the register that it writes */
};

/* The instruction at pc, no instruction where it cannot be read. Loops decode the same words. */
static struct insn insn_ahead(struct debug *d)
{
    uint32_t pc = d->machine->hart->pc;
    uint32_t word = 0;
    if (pc % PAGE_SIZE + sizeof word <= PAGE_SIZE && pc / PAGE_SIZE == d->code_page) {
        memcpy(&word, d->machine->memory + pc, sizeof word);
    } else if (debug_read(d, pc, &word, sizeof word) == sizeof word) {
        d->code_page = pc / PAGE_SIZE;
    }
    struct decoded *known = &d->decoded[(word ^ word >> 16 ^ word >> 7) % DECODED_COUNT];
    if (known->word != word) {
        known->word = word;
        UNUSED bool is_one = isa_decode(word, &known->insn);
    }
    return known->insn;
}

static struct access access_ahead(struct debug *d)
{
    const struct hart *h = d->machine->hart;
    struct insn insn = insn_ahead(d);
    struct access a = {
        .address = h->x[insn.rs1] + (uint32_t)insn.imm,
        .reads = insn.op == OP_lr_w ? 4 : rows[insn.op].reads,
        .writes = insn.op == OP_sc_w ? 4 : rows[insn.op].writes,
    };
    a.source = rows[insn.op].is_store ? &h->x[insn.rs2] : NULL;
    return a;
}

static bool overlaps(const struct point *p, uint32_t address, uint32_t len)
{
    return len && address < (uint64_t)p->address + p->len && p->address < (uint64_t)address + len;
}

/* A watch of writes is about changes: a store of what is there is none. */
static bool is_change(const struct debug *d, struct access a)
{
    return !a.source || reach(d, a.address, a.writes, PAGE_WRITE) < a.writes ||
           memcmp(d->machine->memory + a.address, a.source, a.writes) != 0;
}

/* The watch that is concerned, NULL for none. */
static const struct point *watch_ahead(const struct debug *d, struct access a)
{
    for (size_t i = 0; i < d->points_count; i++) {
        const struct point *p = &d->points[i].point;
        if (is_break(p)) {
            continue;
        }
        if ((is_watch_of(p, POINT_READ) && overlaps(p, a.address, a.reads)) ||
            (is_watch_of(p, POINT_WRITE) && overlaps(p, a.address, a.writes) && is_change(d, a))) {
            return p;
        }
    }
    return NULL;
}

/* The watch whose bytes the last instruction has changed: also one of calls and resets, which
 * nobody could tell before. */
static const struct point *watch_changed(struct debug *d)
{
    const struct point *changed = NULL;
    for (struct placed *at = d->points; at < d->points + d->points_count; at++) {
        const struct point *p = &at->point;
        const uint8_t *now = d->machine->memory + p->address;
        if (!is_break(p) && memcmp(at->bytes, now, p->len) != 0) {
            memcpy(at->bytes, now, p->len);
            changed = is_watch_of(p, POINT_WRITE) ? p : changed;
        }
    }
    return changed;
}

/* One instruction or trap; false where the run ended. */
static bool step(struct debug *d)
{
    return machine_advance(d->machine, d->machine->hart->cycles + 1, &d->halt);
}

/* ---- forward */

static enum debug_event ended(struct debug *d)
{
    d->is_ended = true;
    return DEBUG_ENDED;
}

static enum debug_event hit(struct debug *d, const struct point *p)
{
    d->hit = *p;
    return DEBUG_POINT;
}

/* Nothing is looked for: as fast as without a debugger. */
static enum debug_event run_freely(struct debug *d)
{
    machine_start_clock(d->machine); /* what is looked for costs none of the run's time */
    uint64_t limit = d->machine->hart->cycles + SLICE_CYCLES;
    uint64_t due = history_due(d->history);
    if (!machine_advance(d->machine, limit < due ? limit : due, &d->halt)) {
        return ended(d);
    }
    if (machine_is_out_of_time(d->machine)) {
        d->halt = HALT_TIME;
        return ended(d);
    }
    history_note(d->history);
    return DEBUG_BUSY;
}

/* One instruction, and what of it is looked for. */
static enum debug_event run_one(struct debug *d)
{
    const struct point *p = d->has_watches ? watch_ahead(d, access_ahead(d)) : NULL;
    if (p) {
        return hit(d, p);
    }
    if (!step(d)) {
        return ended(d);
    }
    history_note(d->history);
    p = d->has_watches ? watch_changed(d) : NULL;
    p = p ? p : break_at(d, d->machine->hart->pc);
    return p ? hit(d, p) : DEBUG_STEPPED;
}

static enum debug_event run_watched(struct debug *d)
{
    enum debug_event event = DEBUG_STEPPED;
    if (d->motion == MOTION_STEP) {
        return run_one(d);
    }
    for (unsigned i = 0; i < STEPS_MAX && event == DEBUG_STEPPED; i++) {
        event = run_one(d);
    }
    return event == DEBUG_STEPPED ? DEBUG_BUSY : event;
}

static enum debug_event go_forward(struct debug *d)
{
    if (d->is_ended) {
        return DEBUG_ENDED;
    }
    bool is_free = d->motion == MOTION_CONTINUE && d->points_count == 0;
    return is_free ? run_freely(d) : run_watched(d);
}

/* ---- back: from the last checkpoint forward to the last hit before the present */

/* Begins to look at what lies between the last checkpoint before `end` and `end`. */
static void look_before(struct debug *d, uint64_t end)
{
    bool is_step = d->motion == MOTION_BACK_STEP;
    d->end = end;
    d->has_found = false;
    if (!history_back(d->history, end)) {
        /* There is none: `end` is the earliest. */
        d->phase = PHASE_BEGIN;
        d->target = end;
        UNUSED bool is_there = history_back(d->history, end + 1);
        return;
    }
    d->begin = d->machine->hart->cycles;
    d->target = end - d->begin > NEAR_CYCLES ? end - NEAR_CYCLES : d->begin;
    d->phase = is_step ? PHASE_NEAR : PHASE_SCAN;
    refresh(d);
}

/* Without points the last hit can only be the earliest moment. */
static void begin_back(struct debug *d)
{
    uint64_t now = d->machine->hart->cycles;
    uint64_t first = history_size(d->history).first;
    bool is_aimless = d->motion == MOTION_BACK_CONTINUE && d->points_count == 0;
    d->is_ended = false;
    look_before(d, is_aimless && first < now ? first : now);
}

static void run_towards(struct debug *d, uint64_t target)
{
    uint64_t now = d->machine->hart->cycles;
    uint64_t limit = target - now < SLICE_CYCLES ? target : now + SLICE_CYCLES;
    enum halt unused;
    UNUSED bool is_running = machine_advance(d->machine, limit, &unused);
}

static void find(struct debug *d, const struct point *p, uint64_t moment)
{
    d->has_found = true;
    d->is_at_point = p != NULL;
    d->hit = p ? *p : d->hit;
    d->target = moment;
}

/* One instruction of a scan. A break is found before it and, as it is gone back over, a watch
 * behind it. */
static void scan_one(struct debug *d)
{
    uint64_t now = d->machine->hart->cycles;
    const struct point *before = break_at(d, d->machine->hart->pc);
    const struct point *read = NULL;
    if (d->has_watches) {
        struct access a = access_ahead(d);
        a.writes = 0; /* those that change something are seen to */
        read = watch_ahead(d, a);
    }
    UNUSED bool is_running = step(d);
    const struct point *watch = d->has_watches ? watch_changed(d) : NULL;
    watch = watch ? watch : read;
    if (watch) {
        find(d, watch, d->machine->hart->cycles);
    } else if (d->motion == MOTION_BACK_STEP) {
        find(d, NULL, now);
    } else if (before) {
        find(d, before, now);
    }
}

static void go_to_found(struct debug *d)
{
    check(history_back(d->history, d->target + 1));
    d->phase = PHASE_SEEK;
}

static void scan(struct debug *d)
{
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        /* The last instruction of a run may not retire: it leaves the meter at `end`. */
        if (d->machine->hart->cycles >= d->end) {
            if (d->has_found) {
                go_to_found(d);
            } else {
                look_before(d, d->begin);
            }
            return;
        }
        scan_one(d);
    }
}

/* A call may charge many cycles at once, and lead past the moment that is looked for. */
static void go_near(struct debug *d)
{
    if (d->machine->hart->cycles < d->target) {
        run_towards(d, d->target);
    }
    if (d->machine->hart->cycles >= d->end) {
        check(history_back(d->history, d->end));
        d->target = d->begin;
    }
    if (d->machine->hart->cycles >= d->target) {
        refresh(d);
        d->phase = PHASE_SCAN;
    }
}

static enum debug_event arrive(struct debug *d, enum debug_event event)
{
    history_settle(d->history);
    return event;
}

static enum debug_event go_back(struct debug *d)
{
    switch (d->phase) {
    case PHASE_BEGIN:
        return arrive(d, DEBUG_BEGIN);
    case PHASE_NEAR:
        go_near(d);
        break;
    case PHASE_SCAN:
        scan(d);
        break;
    default:
        if (d->machine->hart->cycles >= d->target) {
            return arrive(d, d->is_at_point ? DEBUG_POINT : DEBUG_STEPPED);
        }
        run_towards(d, d->target);
        break;
    }
    return DEBUG_BUSY;
}

void debug_begin(struct debug *d, enum motion motion)
{
    d->motion = motion;
    d->phase = PHASE_FORWARD;
    refresh(d);
    if (motion == MOTION_BACK_STEP || motion == MOTION_BACK_CONTINUE) {
        begin_back(d);
    }
}

enum debug_event debug_go(struct debug *d)
{
    return d->phase == PHASE_FORWARD ? go_forward(d) : go_back(d);
}

void debug_interrupt(struct debug *d)
{
    history_settle(d->history);
}

struct point debug_hit(const struct debug *d)
{
    return d->hit;
}

bool debug_is_ended(const struct debug *d)
{
    return d->is_ended;
}

struct stop debug_stop(const struct debug *d)
{
    struct stop stop;
    machine_describe(d->machine, d->halt, &stop);
    return stop;
}

struct history_size debug_history(const struct debug *d)
{
    return history_size(d->history);
}
