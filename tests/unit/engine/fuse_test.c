/* fuse_test.c - instructions fused into one handler do what they do one by one, cut or changed */
/* SPDX-License-Identifier: MIT */
#include "guest.h"
#include "state.h"

/* Trials of each row, and cycles that each of them runs: the row, then wherever it led. */
enum { TRIALS = 40, CYCLES = 8 };
enum { PLACE = CODE + 0x800 };

static const struct row {
    const char *name;
    unsigned count;
    struct fused_insn {
        enum op op;
        unsigned size;
        enum form form;
    } insn[FUSED_MAX];
} rows[] = {
#define FORM_ALU    FORM_ANY
#define FORM_LOAD   FORM_ANY
#define FORM_STORE  FORM_ANY
#define FORM_BRANCH FORM_ANY
#define FORM_JUMP   FORM_ANY
#define FUSED(kind, name, size)      \
    {                                \
        OP_##name, size, FORM_##kind \
    }
#define PAIR(k1, n1, s1, k2, n2, s2) \
    {#k1 " " #n1 #s1 ", " #k2 " " #n2 #s2, 2, {FUSED(k1, n1, s1), FUSED(k2, n2, s2)}},
#define TRIPLE(k1, n1, s1, k2, n2, s2, k3, n3, s3)              \
    {#k1 " " #n1 #s1 ", " #k2 " " #n2 #s2 ", " #k3 " " #n3 #s3, \
     3,                                                         \
     {FUSED(k1, n1, s1), FUSED(k2, n2, s2), FUSED(k3, n3, s3)}},
#include "engine/fuse.def"
#undef PAIR
#undef TRIPLE
};

static uint64_t seed = 1;

static uint32_t pick(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static uint32_t bits(void)
{
    return pick(0x10000) << 16 | pick(0x10000);
}

static bool has_form(const struct insn *insn, enum form form)
{
    return form == FORM_SAME   ? insn->rs1 == insn->rd && insn->rd != 0
           : form == FORM_ZERO ? insn->rs1 == 0
                               : true;
}

/* A random instruction of the row in that size and form. */
static uint32_t some(const struct fused_insn *wanted)
{
    static const struct {
        uint32_t match, mask;
    } masks[OP_COUNT] = {
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {match, mask},
#include "isa/rv32.def"
#undef INSN
    };
    enum op op = wanted->op;
    unsigned size = wanted->size;
    struct insn insn;
    uint32_t word;
    do {
        word = size == 4 ? masks[op].match | (bits() & ~masks[op].mask) : bits() & 0xffff;
        /* The top bits of an offset are its sign: few, or it would lead nowhere most times. */
        word = size == 4 && pick(2) ? word & ~0x70000000 & (masks[op].match | ~0x70000000) : word;
    } while (!isa_decode(word, &insn) || insn.op != op || insn.size != size ||
             !has_form(&insn, wanted->form));
    return word;
}

/* Random instructions for a row, in the order of the row. */
struct words {
    uint32_t word[FUSED_MAX];
};

static struct words some_of(const struct row *row)
{
    struct words words = {0};
    for (unsigned i = 0; i < row->count; i++) {
        words.word[i] = some(&row->insn[i]);
    }
    return words;
}

static void set_registers(struct guest *g, uint64_t from)
{
    static const uint32_t bases[] = {DATA + 0x800, CODE + 0x800, CODE, HOLE, DEVICE, WATCHED, 0, 1};
    uint64_t kept = seed;
    seed = from;
    for (unsigned i = 1; i < 32; i++) {
        g->hart->x[i] = pick(3) ? bases[pick(ARRAY_COUNT(bases))] + pick(8) : bits();
    }
    seed = kept;
}

static void restart(struct guest *g, uint32_t at)
{
    memset(g->hart->dirty, 0, GiB(4) / PAGE_SIZE);
    hart_reset(g->hart, at);
    g->hart->cycles = g->hart->not_retired = 0;
    g->hart->csr.mtvec = HANDLER;
    g->loads = g->stores = g->watched = g->calls = 0;
}

/* The machine as new, with the row's instructions at `at` and a trap handler that goes on. */
static void begin(struct guest *g, uint32_t at, const struct words *words, const struct row *row)
{
    const uint32_t handler[] = {encode(OP_addi, A0, A0, 0, 1), encode(OP_mret, 0, 0, 0, 0)};
    memset(g->memory + CODE, 0x13, 0x4000); /* `c.addi4spn` and the like: something that runs */
    memset(g->memory + DATA, 0x35, 0x2000);
    poke(g, HANDLER, handler, sizeof handler);
    uint32_t next = at;
    for (unsigned i = 0; i < row->count; i++) {
        poke(g, next, &words->word[i], row->insn[i].size);
        next += row->insn[i].size;
    }
    hart_wrote(g->hart, CODE, 0x4000);
    restart(g, at);
}

static enum hart_exit run_whole(struct guest *g)
{
    return hart_run(g->hart, CYCLES);
}

static enum hart_exit run_stepped(struct guest *g)
{
    enum hart_exit exit = HART_LIMIT;
    while (exit == HART_LIMIT && g->hart->cycles < CYCLES) {
        exit = run(g, 1);
    }
    return exit;
}

/* After one cycle only the first instruction has run: control is behind it, at its target or in the
 * handler. */
static void assert_first_only(const struct guest *g, uint32_t word, uint32_t at)
{
    struct insn insn;
    assert_true(isa_decode(word, &insn));
    uint32_t pc = g->hart->pc;
    assert_int_equal(g->hart->cycles, 1);
    assert_true(pc == at + insn.size || pc == at + (uint32_t)insn.imm || pc == HANDLER);
}

static void compare(struct guest *whole, struct guest *stepped, const struct row *row, uint32_t at)
{
    static struct state a, b;
    const struct words words = some_of(row);
    uint64_t from = seed;
    begin(whole, at, &words, row);
    begin(stepped, at, &words, row);
    set_registers(whole, from);
    set_registers(stepped, from);
    enum hart_exit exit = run_whole(whole);
    enum hart_exit stepped_exit = run(stepped, 1);
    assert_first_only(stepped, words.word[0], at);
    if (stepped_exit == HART_LIMIT) {
        stepped_exit = run_stepped(stepped);
    }
    if (exit != stepped_exit) {
        fail_msg("%s, %x %x %x: another exit", row->name, words.word[0], words.word[1],
                 words.word[2]);
    }
    read_state(whole, &a);
    read_state(stepped, &b);
    if (memcmp(a.x, b.x, sizeof a.x) != 0 || a.pc != b.pc || a.cycles != b.cycles) {
        print_error("%s, %x %x %x, pc %x or %x\n", row->name, words.word[0], words.word[1],
                    words.word[2], a.pc, b.pc);
    }
    assert_same(&a, &b);
}

TEST(fuse, runs_as_its_instructions_do_one_by_one)
{
    struct guest whole, stepped;
    guest_init(&whole);
    guest_init(&stepped);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        for (unsigned trial = 0; trial < TRIALS; trial++) {
            compare(&whole, &stepped, &rows[i], CODE + 0x800 + 2 * pick(2));
        }
        for (uint32_t at = CODE + 0xff2; at <= CODE + 0x1000; at += 2) { /* a page's end */
            compare(&whole, &stepped, &rows[i], at);
        }
    }
    guest_deinit(&whole);
    guest_deinit(&stepped);
}

/* Runs the row without a store, so that it is decoded, and then changes one of its bytes. */
static void run_and_change(struct guest *g, const struct words *words, const struct row *row,
                           uint32_t byte)
{
    begin(g, PLACE, words, row);
    for (unsigned n = 1; n < 32; n++) {
        g->hart->x[n] = 0x40000000; /* nobody's */
    }
    (void)run_whole(g);
    uint8_t changed = (uint8_t)(words->word[0] >> 3 ^ words->word[row->count - 1]);
    poke(g, PLACE + byte, &changed, 1);
    hart_wrote(g->hart, PLACE + byte, 1);
}

/* Whichever byte of the row changes, or close behind it, the next run is right: as if nothing had
 * been decoded. */
TEST(fuse, sees_each_byte_that_changes)
{
    static struct state a, b;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct guest changed, fresh;
        guest_init(&changed);
        guest_init(&fresh);
        for (uint32_t byte = 0; byte < 4 * FUSED_MAX + 8; byte++) {
            const struct words words = some_of(row);
            uint64_t from = seed;
            run_and_change(&changed, &words, row, byte);
            run_and_change(&fresh, &words, row, byte);
            hart_wrote(fresh.hart, CODE, 0x4000); /* drops whatever was decoded */
            restart(&changed, PLACE);
            restart(&fresh, PLACE);
            set_registers(&changed, from);
            set_registers(&fresh, from);
            assert_int_equal(run_whole(&changed), run_whole(&fresh));
            read_state(&changed, &a);
            read_state(&fresh, &b);
            assert_same(&a, &b);
        }
        guest_deinit(&changed);
        guest_deinit(&fresh);
    }
}
