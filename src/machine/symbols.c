/* symbols.c - an image's symbols in order */
/* SPDX-License-Identifier: MIT */
#include "machine/symbols.h"

#include "machine/image_format.h"

#include <stdlib.h>

struct symbol_range {
    uint32_t begin;
    uint32_t number; /* of the symbol */
    uint64_t end;
    bool has_size;
    bool is_global;
    char mark; /* 'd' or 'x' where the symbol is the assembler's mark, else 0 */
};

/* `$d` (data) or `$x` (code, with a suffix that names extensions); 0 for other names. */
static char mark_of(const struct image *image, const Elf32_Sym *symbol)
{
    struct span name = image_symbol_name(image, symbol);
    bool is_mark = symbol->st_size == 0 && symbol->st_shndx != SHN_UNDEF && name.len >= 2 &&
                   name.data[0] == '$' && (name.data[1] == 'd' || name.data[1] == 'x');
    return is_mark ? (char)name.data[1] : 0;
}

static struct symbol_range range_of(const struct image *image, uint32_t number,
                                    const Elf32_Sym *symbol)
{
    uint64_t end = (uint64_t)symbol->st_value + image_symbol_size(image, symbol);
    return (struct symbol_range){
        .begin = symbol->st_value,
        .number = number,
        .end = end < UINT64_C(1) << 32 ? end : UINT64_C(1) << 32,
        .has_size = symbol->st_size > 0,
        .is_global = ELF32_ST_BIND(symbol->st_info) != STB_LOCAL,
        .mark = mark_of(image, symbol),
    };
}

/* Of those that begin at one address the one to name comes last: a global one, then the first in
 * the file. */
static int by_begin(const void *left, const void *right)
{
    const struct symbol_range *a = left;
    const struct symbol_range *b = right;
    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }
    if (a->is_global != b->is_global) {
        return a->is_global ? 1 : -1;
    }
    return a->number > b->number ? -1 : a->number < b->number;
}

static int by_mark(const void *left, const void *right)
{
    const struct symbol_range *a = left;
    const struct symbol_range *b = right;
    if (a->begin != b->begin) {
        return a->begin < b->begin ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The last range that begins at `address` or before it; NULL without one. */
static const struct symbol_range *last_before(const struct symbol_ranges *ranges, uint32_t address)
{
    size_t low = 0;
    size_t high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].begin <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? &ranges->items[low - 1] : NULL;
}

/* ---- ranges that overlap, flattened */

/* Ranges around one address, the one that began last on top. */
struct pile {
    const struct symbol_range **items;
    size_t count;
};

static const struct symbol_range *top_at(struct pile *pile, uint64_t at)
{
    while (pile->count && pile->items[pile->count - 1]->end <= at) {
        pile->count--;
    }
    return pile->count ? pile->items[pile->count - 1] : NULL;
}

/* Where a range begins or ends, ascending. */
static void list_edges(const struct symbol_ranges *ranges, uint64_t *edges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        edges[2 * i] = ranges->items[i].begin;
        edges[2 * i + 1] = ranges->items[i].end;
    }
    qsort(edges, 2 * ranges->count, sizeof *edges, by_value);
}

/* From edge to edge: the nearest that has a size, else the nearest. */
static void flatten(const struct symbol_ranges *ranges, const uint64_t *edges, struct pile *sized,
                    struct pile *others, struct symbol_ranges *flat)
{
    size_t next = 0;
    for (size_t i = 0; i + 1 < 2 * ranges->count; i++) {
        for (; next < ranges->count && ranges->items[next].begin <= edges[i]; next++) {
            struct pile *pile = ranges->items[next].has_size ? sized : others;
            pile->items[pile->count++] = &ranges->items[next];
        }
        const struct symbol_range *best = top_at(sized, edges[i]);
        const struct symbol_range *other = top_at(others, edges[i]);
        best = best ? best : other;
        if (best && edges[i] < edges[i + 1]) {
            flat->items[flat->count] = *best;
            flat->items[flat->count].begin = (uint32_t)edges[i];
            flat->items[flat->count++].end = edges[i + 1];
        }
    }
}

/* Ranges that do not overlap from such that may, which it sorts. Returns owned. */
static int make_flat(struct symbol_ranges *ranges, struct symbol_ranges *ret_flat)
{
    size_t size = ranges->count + 1; /* never 0 */
    uint64_t *edges = calloc(size, 2 * sizeof *edges);
    struct pile sized = {.items = calloc(size, sizeof *sized.items)};
    struct pile others = {.items = calloc(size, sizeof *others.items)};
    ret_flat->items = calloc(size, 2 * sizeof *ret_flat->items);
    bool has_memory = edges && sized.items && others.items && ret_flat->items;
    if (has_memory) {
        qsort(ranges->items, ranges->count, sizeof *ranges->items, by_begin);
        list_edges(ranges, edges);
        flatten(ranges, edges, &sized, &others, ret_flat);
    }
    free(edges);
    free(sized.items);
    free(others.items);
    return has_memory ? 0 : ERR_NO_MEMORY;
}

/* `places` are sorted. */
static int make_begins(struct symbols *symbols, const struct symbol_ranges *places)
{
    symbols->begins = calloc(places->count + 1, sizeof *symbols->begins);
    if (!symbols->begins) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < places->count; i++) {
        if (i == 0 || places->items[i].begin != places->items[i - 1].begin) {
            symbols->begins[symbols->begins_count++] = places->items[i].begin;
        }
    }
    return 0;
}

/* ---- the lists */

/* A mark holds up to the next one; of two at one address, the later in the file counts. */
static void cut_marks(struct symbol_ranges *marks)
{
    qsort(marks->items, marks->count, sizeof *marks->items, by_mark);
    for (size_t i = 0; i + 1 < marks->count; i++) {
        if (marks->items[i].end > marks->items[i + 1].begin) {
            marks->items[i].end = marks->items[i + 1].begin;
        }
    }
}

static void add_data(struct symbol_ranges *data, const struct symbol_ranges *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        if (marks->items[i].mark == 'd') {
            data->items[data->count++] = marks->items[i];
        }
    }
}

/* Sorts the symbols into names of places, objects, and marks. */
static void sort_out(const struct image *image, struct symbol_ranges *places,
                     struct symbol_ranges *data, struct symbol_ranges *marks)
{
    for (uint32_t i = 0; i < image_symbols_count(image); i++) {
        Elf32_Sym symbol = image_read_symbol(image, i);
        struct symbol_range range = range_of(image, i, &symbol);
        if (range.mark) {
            marks->items[marks->count++] = range;
        } else if (image_is_place(image, &symbol)) {
            places->items[places->count++] = range;
            if (range.has_size && ELF32_ST_TYPE(symbol.st_info) == STT_OBJECT) {
                data->items[data->count++] = range;
            }
        }
    }
}

int symbols_init(struct symbols *symbols, const struct image *image)
{
    size_t size = (size_t)image_symbols_count(image) + 1; /* never 0 */
    struct symbol_ranges places = {.items = calloc(size, sizeof *places.items)};
    struct symbol_ranges data = {.items = calloc(size, sizeof *data.items)};
    struct symbol_ranges marks = {.items = calloc(size, sizeof *marks.items)};
    *symbols = (struct symbols){.image = image};
    int err = places.items && data.items && marks.items ? 0 : ERR_NO_MEMORY;
    if (!err) {
        sort_out(image, &places, &data, &marks);
        cut_marks(&marks);
        add_data(&data, &marks);
        symbols->places_count = places.count;
        err = make_flat(&places, &symbols->names);
        err = err ? err : make_flat(&data, &symbols->data);
        err = err ? err : make_begins(symbols, &places);
    }
    free(places.items);
    free(data.items);
    free(marks.items);
    if (err) {
        symbols_deinit(symbols);
    }
    return err;
}

void symbols_deinit(struct symbols *symbols)
{
    free(symbols->begins);
    free(symbols->names.items);
    free(symbols->data.items);
    *symbols = (struct symbols){0};
}

bool symbols_find(const struct symbols *symbols, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset)
{
    const struct symbol_range *range = last_before(&symbols->names, address);
    if (!range || address >= range->end) {
        return false;
    }
    Elf32_Sym symbol = image_read_symbol(symbols->image, range->number);
    *ret_name = image_symbol_name(symbols->image, &symbol);
    *ret_offset = address - symbol.st_value;
    return true;
}

size_t symbols_next(const struct symbols *symbols, uint32_t address)
{
    size_t low = 0;
    size_t high = symbols->begins_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->begins[middle] < address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool symbols_is_data(const struct symbols *symbols, uint32_t address, uint32_t *ret_len)
{
    const struct symbol_ranges *data = &symbols->data;
    const struct symbol_range *range = last_before(data, address);
    const struct symbol_range *next = range ? range + 1 : data->items;
    bool is_data = range && address < range->end;
    uint64_t end = is_data                            ? range->end
                   : next < data->items + data->count ? next->begin
                                                      : UINT32_MAX;
    end = end < UINT32_MAX ? end : UINT32_MAX;
    *ret_len = end > address ? (uint32_t)end - address : 1; /* the address space's last byte */
    return is_data;
}

static bool is_among_code(const struct image *image, const Elf32_Sym *symbol)
{
    Elf32_Shdr section;
    return ELF32_ST_TYPE(symbol->st_info) == STT_NOTYPE &&
           image_symbol_section(image, symbol, &section) && (section.sh_flags & SHF_EXECINSTR) != 0;
}

/* How far a symbol reaches: without a size of its own, not behind the next name. */
static uint32_t reach(const struct symbols *symbols, const Elf32_Sym *symbol)
{
    uint32_t size = image_symbol_size(symbols->image, symbol);
    size_t next = symbols_next(symbols, symbol->st_value) + 1;
    if (symbol->st_size == 0 && next < symbols->begins_count &&
        symbols->begins[next] - symbol->st_value < size) {
        size = symbols->begins[next] - symbol->st_value;
    }
    return size ? size : 1;
}

bool symbols_next_place(const struct symbols *symbols, uint32_t *number,
                        struct image_place *ret_place)
{
    const struct image *image = symbols->image;
    while (*number < image_symbols_count(image)) {
        Elf32_Sym symbol = image_read_symbol(image, (*number)++);
        if (image_is_place(image, &symbol)) {
            *ret_place = (struct image_place){
                .name = image_symbol_name(image, &symbol),
                .address = symbol.st_value,
                .size = reach(symbols, &symbol),
                .is_code =
                    ELF32_ST_TYPE(symbol.st_info) == STT_FUNC || is_among_code(image, &symbol),
            };
            return true;
        }
    }
    return false;
}
