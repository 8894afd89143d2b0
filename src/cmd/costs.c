/* costs.c - follows calls and returns, and counts cycles for functions and stacks */
/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "cmd/costs_tree.h"
#include "os/map.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { X_RA = 1, X_SP = 2, X_T0 = 5 };

/* A number for each halfword of the address space, of which a run touches little. */
static const size_t ids_bytes = GiB(2) * sizeof(uint32_t);

static const char unnamed[] = "(no symbol)";

/* Room for one more of `count` things in the array *at; false without memory. */
static bool make_room(void *at, size_t thing, uint32_t count, uint32_t *size)
{
    if (count < *size) {
        return true;
    }
    uint32_t more = *size ? 2 * *size : 64;
    void *array;
    memcpy(&array, at, sizeof array);
    array = realloc(array, (size_t)more * thing);
    if (array) {
        memcpy(at, &array, sizeof array);
        *size = more;
    }
    return array != NULL;
}

enum { CHILDREN_BITS = 18, CHILDREN_COUNT = 1 << CHILDREN_BITS };
static_assert(CHILDREN_COUNT >= 2 * COSTS_NODES_MAX, "a search ends at a free place");

/* ---- functions */

/* The number of the function that begins at `begin`, made where it is not known yet; 0, the one
 * without a name, where there is no memory. */
static uint32_t intern(struct costs *p, struct span name, uint32_t begin)
{
    uint32_t *known = &p->numbers[symbols_next(&p->symbols, begin)];
    if (*known) {
        return *known;
    }
    if (!make_room(&p->functions, sizeof *p->functions, p->functions_count, &p->functions_size)) {
        p->err = ERR_NO_MEMORY;
        return 0;
    }
    p->functions[p->functions_count] = (struct function){.name = name, .begin = begin};
    *known = p->functions_count++;
    return *known;
}

static uint32_t function_at(struct costs *p, uint32_t pc)
{
    uint32_t *id = &p->ids[pc / 2];
    if (*id == 0) {
        struct span name;
        uint32_t offset;
        bool is_named = symbols_find(&p->symbols, pc, &name, &offset);
        *id = 1 + (is_named ? intern(p, name, pc - offset) : 0);
    }
    return *id - 1;
}

static bool is_begin(const struct costs *p, uint32_t function, uint32_t pc)
{
    return function != 0 && p->functions[function].begin == pc;
}

static void enter(struct costs *p, uint32_t function)
{
    struct function *f = &p->functions[function];
    if (f->active++ == 0) {
        f->entered = p->cycles;
    }
}

static void leave(struct costs *p, uint32_t function)
{
    struct function *f = &p->functions[function];
    if (--f->active == 0) {
        f->total += p->cycles - f->entered;
    }
}

/* ---- stacks */

/* Where the node of `function` called by `parent` stands in `children`, or would: a caller may have
 * very many. */
static uint32_t *find_child(const struct costs *p, uint32_t parent, uint32_t function)
{
    uint32_t at = (parent * UINT32_C(0x9e3779b1) ^ function) * UINT32_C(0x85ebca6b);
    for (at >>= 32 - CHILDREN_BITS;; at = (at + 1) % CHILDREN_COUNT) {
        uint32_t node = p->children[at];
        if (!node || (p->nodes[node].parent == parent && p->nodes[node].function == function)) {
            return &p->children[at];
        }
    }
}

/* The node of `function` called by `parent`; `parent` itself beyond the limits. */
static uint32_t child_of(struct costs *p, uint32_t parent, uint32_t function)
{
    uint32_t *child = find_child(p, parent, function);
    if (*child) {
        return *child;
    }
    if (p->nodes[parent].depth >= COSTS_DEPTH_MAX || p->nodes_count >= COSTS_NODES_MAX) {
        p->has_folded = true;
        return parent;
    }
    if (!make_room(&p->nodes, sizeof *p->nodes, p->nodes_count, &p->nodes_size)) {
        p->err = ERR_NO_MEMORY;
        return parent;
    }
    uint32_t number = p->nodes_count++;
    *child = number;
    struct node *above = &p->nodes[parent];
    p->nodes[number] =
        (struct node){.function = function, .parent = parent, .depth = above->depth + 1};
    if (above->last) {
        p->nodes[above->last].next = number;
    } else {
        above->first = number;
    }
    above->last = number;
    return number;
}

static struct frame *top(struct costs *p)
{
    return p->frames_count ? &p->frames[p->frames_count - 1] : NULL;
}

static void count_call(struct costs *p, const struct frame *frame)
{
    p->functions[frame->function].calls++;
    p->nodes[frame->node].calls++;
}

/* Another function takes the place of the one on top. */
static void replace(struct costs *p, uint32_t function)
{
    struct frame *frame = top(p);
    uint32_t below = p->frames_count > 1 ? frame[-1].node : 0;
    leave(p, frame->function);
    frame->function = function;
    frame->node = child_of(p, below, function);
    enter(p, function);
}

/* Calls the frame's function; its node is found here. */
static void push(struct costs *p, struct frame frame)
{
    const struct frame *above = top(p);
    if (above && p->frames_count >= COSTS_FRAMES_MAX) {
        p->has_folded = true;
        replace(p, frame.function);
    } else if (make_room(&p->frames, sizeof *p->frames, p->frames_count, &p->frames_size)) {
        above = top(p); /* it may have moved */
        frame.node = child_of(p, above ? above->node : 0, frame.function);
        p->frames[p->frames_count++] = frame;
        enter(p, frame.function);
    } else {
        p->err = ERR_NO_MEMORY;
        return;
    }
    count_call(p, top(p));
}

/* Down to `count` frames. */
static void pop_to(struct costs *p, uint32_t count)
{
    while (p->frames_count > count) {
        leave(p, p->frames[--p->frames_count].function);
    }
}

/* A return to `target`, where it is one. */
static bool pop_call(struct costs *p, uint32_t target)
{
    for (uint32_t i = p->frames_count; i-- > 1;) {
        if (p->frames[i].goes_on == target && !p->frames[i].is_trap) {
            pop_to(p, i);
            return true;
        }
    }
    return false;
}

/* Out of the innermost trap; a handler may go on elsewhere. */
static void pop_trap(struct costs *p)
{
    for (uint32_t i = p->frames_count; i-- > 1;) {
        if (p->frames[i].is_trap) {
            pop_to(p, i);
            return;
        }
    }
}

/* Into the middle of a function that stands further down, as longjmp does: what it called is given
 * up, as far as sp has left it behind. */
static bool pop_abandoned(struct costs *p, uint32_t function, uint32_t sp)
{
    uint32_t count = 0;
    for (uint32_t i = p->frames_count; i-- > 0;) {
        const struct frame *frame = &p->frames[i];
        if (frame->function == function && sp <= frame->sp) {
            count = i + 1;
        }
        if (sp < frame->sp || frame->is_trap) {
            break;
        }
    }
    if (count) {
        pop_to(p, count);
    }
    return count > 0;
}

static void jump(struct costs *p, const struct stop *after)
{
    uint32_t function = function_at(p, after->pc);
    bool is_tail_call = is_begin(p, function, after->pc);
    if (function == top(p)->function ||
        (!is_tail_call && pop_abandoned(p, function, after->x[X_SP]))) {
        return;
    }
    replace(p, function);
    if (is_tail_call) {
        count_call(p, top(p));
    }
}

static bool is_link(unsigned reg)
{
    return reg == X_RA || reg == X_T0;
}

/* Unprivileged 2.5.1 has the same hints for return-address stacks. */
static void follow_jump(struct costs *p, const struct step *step)
{
    const struct insn *insn = &step->insn;
    uint32_t target = step->after->pc;
    bool may_return = insn->op == OP_jalr && is_link(insn->rs1) && insn->rs1 != insn->rd;
    bool has_returned = may_return && pop_call(p, target);
    if (is_link(insn->rd)) {
        push(p, (struct frame){.function = function_at(p, target),
                               .goes_on = step->before->pc + insn->size,
                               .sp = step->after->x[X_SP]});
    } else if (!has_returned) {
        jump(p, step->after);
    }
}

static bool is_branch(unsigned op)
{
    return op == OP_beq || op == OP_bne || op == OP_blt || op == OP_bge || op == OP_bltu ||
           op == OP_bgeu;
}

static void follow(struct costs *p, const struct step *step)
{
    uint32_t next = step->after->pc;
    unsigned op = step->insn.op;
    if (step_is_trap(step)) {
        push(p, (struct frame){.function = function_at(p, next),
                               .goes_on = step->before->pc,
                               .sp = step->after->x[X_SP],
                               .is_trap = true});
    } else if (op == OP_jal || op == OP_jalr) {
        follow_jump(p, step);
    } else if (op == OP_mret) {
        pop_trap(p);
    } else if (next != step->before->pc + step->insn.size && !is_branch(op)) {
        pop_to(p, 0); /* only a reset goes anywhere else */
    }
}

void costs_see(void *context, const struct step *step)
{
    struct costs *p = context;
    uint64_t cost = step_cycles(step);
    uint32_t function = function_at(p, step->before->pc);
    if (!top(p)) {
        push(p, (struct frame){.function = function, .sp = UINT32_MAX}); /* it sets sp itself */
    } else if (top(p)->function != function) {
        replace(p, function);
    }
    if (!top(p)) {
        return; /* without memory from the first step on */
    }
    p->cycles += cost;
    p->functions[function].self += cost;
    p->nodes[top(p)->node].self += cost;
    follow(p, step);
}

/* ---- life and results */

static int map_ids(struct costs *p)
{
    void *base;
    int err = os_reserve(ids_bytes, &base);
    if (!err) {
        p->ids = base;
        err = os_map_zero(base, ids_bytes, OS_READ | OS_WRITE);
    }
    return err;
}

int costs_create(const struct image *image, struct costs **ret_costs)
{
    struct costs *p = calloc(1, sizeof *p);
    if (!p) {
        return ERR_NO_MEMORY;
    }
    int err = map_ids(p);
    err = err ? err : symbols_init(&p->symbols, image);
    p->numbers = calloc(p->symbols.begins_count + 1, sizeof *p->numbers);
    p->children = calloc(CHILDREN_COUNT, sizeof *p->children);
    if (err || !p->numbers || !p->children ||
        !make_room(&p->functions, sizeof *p->functions, 0, &p->functions_size) ||
        !make_room(&p->nodes, sizeof *p->nodes, 0, &p->nodes_size)) {
        costs_destroy(p);
        return err ? err : ERR_NO_MEMORY;
    }
    p->functions[p->functions_count++] = (struct function){.name = span_of_string(unnamed)};
    p->nodes[p->nodes_count++] = (struct node){.depth = 0};
    *ret_costs = p;
    return 0;
}

void costs_destroy(struct costs *p)
{
    if (p) {
        os_unmap(p->ids, ids_bytes);
        symbols_deinit(&p->symbols);
        free(p->numbers);
        free(p->children);
        free(p->functions);
        free(p->nodes);
        free(p->frames);
        free(p);
    }
}

int costs_close(struct costs *p, struct msg *msg)
{
    pop_to(p, 0);
    for (uint32_t i = p->nodes_count; i-- > 0;) { /* children first */
        struct node *node = &p->nodes[i];
        node->total += node->self;
        if (i > 0) {
            p->nodes[node->parent].total += node->total;
        }
    }
    return p->err
               ? fail(msg, p->err, "--profile: no memory for more than %u functions and %u stacks",
                      p->functions_count, p->nodes_count)
               : 0;
}

static int compare(const void *a, const void *b)
{
    const struct function *f = *(const struct function *const *)a;
    const struct function *g = *(const struct function *const *)b;
    if (f->self != g->self) {
        return f->self > g->self ? -1 : 1;
    }
    return f->begin < g->begin ? -1 : f->begin > g->begin;
}

static double per_cent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void print_rows(const struct costs *p, const struct function **order, FILE *to)
{
    for (uint32_t i = 0; i < p->functions_count; i++) {
        order[i] = &p->functions[i];
    }
    qsort(order, p->functions_count, sizeof *order, compare);
    for (uint32_t i = 0; i < p->functions_count && order[i]->self > 0; i++) {
        const struct function *f = order[i];
        fprintf(to, "%14" PRIu64 " %6.2f%%  %14" PRIu64 " %6.2f%%  %12" PRIu64 "  %.*s\n", f->self,
                per_cent(f->self, p->cycles), f->total, per_cent(f->total, p->cycles), f->calls,
                (int)f->name.len, (const char *)f->name.data);
    }
}

int costs_print_table(const struct costs *p, FILE *to, struct msg *msg)
{
    const struct function **order = malloc(p->functions_count * sizeof *order);
    if (!order) {
        return fail(msg, ERR_NO_MEMORY, "--profile: no memory to sort %" PRIu32 " functions",
                    p->functions_count);
    }
    fprintf(to, "%14s %7s  %14s %7s  %12s  %s\n", "self cycles", "", "with callees", "", "calls",
            "function");
    print_rows(p, order, to);
    fprintf(to, "%14" PRIu64 " %6.2f%%  %14s %7s  %12s  (the run)\n", p->cycles,
            per_cent(p->cycles, p->cycles), "", "", "");
    free(order);
    return 0;
}
