/* coverage.c - counts each instruction, and tells the counts by source line */
/* SPDX-License-Identifier: MIT */
#include "cmd/coverage.h"
#include "base/buf.h"
#include "base/limits.h"
#include "cmd/lines.h"
#include "machine/symbols.h"
#include "os/apart.h"
#include "os/map.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
#define CSR(name, number, ...) CSR_##name = (number),
#include "isa/csr.def"
#undef CSR
};

/* A count for each halfword of the address space, of which a run touches little. */
static const size_t counts_bytes = GiB(2) * sizeof(uint64_t);

enum { READ_SECONDS_MAX = 60, TRACEFILE_BYTES_MAX = 256 << 20 };

static const uint64_t read_memory_max = GiB(2);

struct coverage {
    const struct image *image;
    uint64_t *counts;
};

static int map_counts(struct coverage *c)
{
    void *base;
    int err = os_reserve(counts_bytes, &base);
    if (!err) {
        c->counts = base;
        err = os_map_zero(base, counts_bytes, OS_READ | OS_WRITE);
    }
    return err;
}

int coverage_create(const struct image *image, struct coverage **ret_coverage, struct msg *msg)
{
    if (image_section(image, ".debug_line", NULL).len == 0) {
        return fail(msg, ERR_BAD_IMAGE,
                    "--coverage: the image has no DWARF line tables (a section .debug_line, not "
                    "compressed): compile it with -g");
    }
    struct coverage *c = calloc(1, sizeof *c);
    int err = c ? 0 : ERR_NO_MEMORY;
    if (!err) {
        c->image = image;
        err = map_counts(c);
    }
    if (err) {
        coverage_destroy(c);
        return fail(msg, err, "--coverage: no room for its counts: %s", err_text(err));
    }
    *ret_coverage = c;
    return 0;
}

void coverage_destroy(struct coverage *c)
{
    if (c) {
        os_unmap(c->counts, counts_bytes);
        free(c);
    }
}

/* An instruction that traps was reached all the same; one that an interrupt came before was not. */
void coverage_see(void *context, const struct step *step)
{
    const struct coverage *c = context;
    uint32_t cause = 0;
    bool is_interrupt =
        step_is_trap(step) && machine_csr(step->machine, CSR_mcause, &cause) && cause >> 31 != 0;
    c->counts[step->before->pc / 2] += !is_interrupt;
}

/* ---- from here on in a child (os_apart), with bytes of a stranger */

struct rows {
    struct line_row *items;
    size_t count;
    size_t size;
    const struct coverage *coverage;
};

/* A function where its first instruction's line is. */
struct entry {
    const char *path;
    uint32_t line;
    uint32_t address;
    struct span name;
};

/* Linkers leave rows of functions that they dropped, at addresses where no code is. */
static bool is_code(const struct image *image, const struct line_row *row)
{
    struct image_code code;
    uint32_t number = 0;
    while (image_next_code(image, &number, &code)) {
        uint32_t offset = row->begin - code.address;
        if (offset < code.bytes.len && row->end - row->begin <= code.bytes.len - offset) {
            return true;
        }
    }
    return false;
}

static int keep_row(void *context, const struct line_row *row)
{
    struct rows *rows = context;
    if (!is_code(rows->coverage->image, row)) {
        return 0;
    }
    if (rows->count == rows->size) {
        size_t size = rows->size ? 2 * rows->size : 1024;
        struct line_row *items = realloc(rows->items, size * sizeof *items);
        if (!items) {
            return ERR_NO_MEMORY;
        }
        rows->items = items;
        rows->size = size;
    }
    rows->items[rows->count++] = *row;
    return 0;
}

static int by_line(const void *a, const void *b)
{
    const struct line_row *r = a;
    const struct line_row *s = b;
    int order = strcmp(r->path, s->path);
    return order ? order : r->line < s->line ? -1 : r->line > s->line;
}

static int by_address(const void *a, const void *b)
{
    const struct line_row *r = a;
    const struct line_row *s = b;
    return r->begin < s->begin ? -1 : r->begin > s->begin;
}

static int by_name(const void *a, const void *b)
{
    const struct entry *f = a;
    const struct entry *g = b;
    size_t len = f->name.len < g->name.len ? f->name.len : g->name.len;
    int order = strcmp(f->path, g->path);
    order = order ? order : memcmp(f->name.data, g->name.data, len);
    order = order ? order : (f->name.len > g->name.len) - (f->name.len < g->name.len);
    return order ? order : (f->line > g->line) - (f->line < g->line);
}

/* The most that one of the row's instructions ran. */
static uint64_t count_of(const struct coverage *c, const struct line_row *row)
{
    uint64_t most = 0;
    for (uint32_t at = row->begin / 2; at < row->end / 2; at++) {
        most = c->counts[at] > most ? c->counts[at] : most;
    }
    return most;
}

/* Of rows in order of addresses, the one with `address` in it; NULL without one. */
static const struct line_row *find_row(const struct rows *rows, uint32_t address)
{
    size_t low = 0;
    size_t high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (rows->items[middle].begin <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 && address < rows->items[low - 1].end ? &rows->items[low - 1] : NULL;
}

/* The image's functions, in order of files and names. Returns owned. */
static int list_functions(struct rows *rows, const struct symbols *symbols,
                          struct entry **ret_entries, size_t *ret_count)
{
    struct image_place place;
    size_t count = 0;
    struct entry *entries = malloc((symbols->places_count + 1) * sizeof *entries);
    if (!entries) {
        return ERR_NO_MEMORY;
    }
    qsort(rows->items, rows->count, sizeof *rows->items, by_address);
    for (uint32_t number = 0; symbols_next_place(symbols, &number, &place);) {
        const struct line_row *row = place.is_code ? find_row(rows, place.address) : NULL;
        if (row) {
            entries[count++] = (struct entry){row->path, row->line, place.address, place.name};
        }
    }
    qsort(entries, count, sizeof *entries, by_name);
    *ret_entries = entries;
    *ret_count = count;
    return 0;
}

/* A control character would begin another record. */
static void put_path(FILE *to, const char *path)
{
    fputs("SF:", to);
    for (const char *c = path; *c; c++) {
        fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, to);
    }
    fputc('\n', to);
}

/* The functions of one file from *entries on, which goes on behind them; several of one name are
 * one. */
static void put_functions(const struct coverage *c, FILE *to, const char *path,
                          const struct entry **entries, const struct entry *end)
{
    size_t found = 0;
    size_t hit = 0;
    const struct entry *e = *entries;
    while (e < end && strcmp(e->path, path) == 0) {
        const struct entry *first = e;
        uint64_t count = 0;
        for (; e < end && strcmp(e->path, path) == 0 && span_equals(e->name, first->name); e++) {
            count += c->counts[e->address / 2];
        }
        int len = (int)first->name.len;
        const char *name = (const char *)first->name.data;
        fprintf(to, "FN:%" PRIu32 ",%.*s\nFNDA:%" PRIu64 ",%.*s\n", first->line, len, name, count,
                len, name);
        found++;
        hit += count > 0;
    }
    *entries = e;
    fprintf(to, "FNF:%zu\nFNH:%zu\n", found, hit);
}

/* The lines of one file from rows->items[at] on; where the next file begins. */
static size_t put_lines(const struct rows *rows, FILE *to, size_t at)
{
    const struct line_row *items = rows->items;
    const char *path = items[at].path;
    size_t found = 0;
    size_t hit = 0;
    while (at < rows->count && strcmp(items[at].path, path) == 0) {
        uint32_t line = items[at].line;
        uint64_t most = 0;
        for (; at < rows->count && items[at].line == line && strcmp(items[at].path, path) == 0;
             at++) {
            uint64_t count = count_of(rows->coverage, &items[at]);
            most = count > most ? count : most;
        }
        fprintf(to, "DA:%" PRIu32 ",%" PRIu64 "\n", line, most);
        found++;
        hit += most > 0;
    }
    fprintf(to, "LF:%zu\nLH:%zu\nend_of_record\n", found, hit);
    return at;
}

static int put_all(struct rows *rows, FILE *to)
{
    struct symbols symbols;
    struct entry *entries;
    size_t count;
    int err = symbols_init(&symbols, rows->coverage->image);
    if (err) {
        return err;
    }
    err = list_functions(rows, &symbols, &entries, &count);
    symbols_deinit(&symbols);
    if (err) {
        return err;
    }
    const struct entry *entry = entries;
    qsort(rows->items, rows->count, sizeof *rows->items, by_line);
    for (size_t at = 0; at < rows->count;) {
        fputs("TN:\n", to);
        put_path(to, rows->items[at].path);
        put_functions(rows->coverage, to, rows->items[at].path, &entry, entries + count);
        at = put_lines(rows, to, at);
    }
    free(entries);
    return 0;
}

static int write_apart(void *context, FILE *to)
{
    const struct coverage *c = context;
    struct rows rows = {.coverage = c};
    struct msg why = {{0}};
    struct lines *lines = NULL;
    int err = lines_open(c->image->file, &lines, &why);
    err = err ? err : lines_walk(lines, keep_row, &rows, &why);
    if (!err && rows.count == 0) {
        err = fail(&why, ERR_BAD_IMAGE, "its DWARF line tables name no line of its code");
    }
    err = err ? err : put_all(&rows, to);
    if (err) {
        fputs(why.text[0] ? why.text : err_text(err), to);
    }
    free(rows.items);
    lines_close(lines);
    return err;
}

/* ---- and here in the parent */

int coverage_write(const struct coverage *c, FILE *to, struct msg *msg)
{
    const struct os_apart apart = {.work = write_apart,
                                   .context = (void *)c,
                                   .seconds_max = READ_SECONDS_MAX,
                                   .more_memory_max = read_memory_max};
    struct buf text;
    struct msg why = {{0}};
    buf_init(&text, TRACEFILE_BYTES_MAX);
    int err = os_apart(&apart, &text, &why);
    if (err) {
        fail(msg, err, "--coverage: the image: %s", why.text);
    } else {
        fwrite(text.data, 1, text.len, to);
    }
    buf_deinit(&text);
    return err;
}
