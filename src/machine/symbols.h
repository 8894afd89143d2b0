/* symbols.h - an image's symbols in order, for those who ask about many addresses */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: symbols_init -> any of the questions -> symbols_deinit. Making it takes n log n steps
 * and some 200 bytes for each symbol, a question log n. The image must outlive it. */
#include "machine/image.h"

/* One of the lists below: ranges that do not overlap, ascending. */
struct symbol_ranges {
    struct symbol_range *items; /* owned */
    size_t count;
};

struct symbols {
    const struct image *image;
    size_t places_count; /* how many symbols_next_place tells */
    uint32_t *begins;    /* where names begin, each address once, ascending; owned */
    size_t begins_count;
    struct symbol_ranges names;
    struct symbol_ranges data;
};

/* ERR_NO_MEMORY, with nothing to free. */
MUST_CHECK int symbols_init(struct symbols *symbols, const struct image *image);
/* Accepts one that is all zeros. */
void symbols_deinit(struct symbols *symbols);

/* As image_symbol. */
bool symbols_find(const struct symbols *symbols, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset);
/* The index in `begins` of the first name that begins at `address` or behind it; begins_count where
 * none does. */
size_t symbols_next(const struct symbols *symbols, uint32_t address);

/* Is there data at `address`, by a symbol of an object that has a size or the assembler's own mark
 * for data (`$d`)? *ret_len is for how many bytes the answer holds, whichever it is. */
bool symbols_is_data(const struct symbols *symbols, uint32_t address, uint32_t *ret_len);

/* What a symbol of the kind that image_symbol tells says of itself. */
struct image_place {
    struct span name;
    uint32_t address;
    uint32_t size; /* at least 1; where the symbol has none, as far as the next name or the end */
    bool is_code;  /* a function, or a label among instructions */
};

/* The next such symbol in the order of the file, several of one name among them; start with
 * *number 0, which the call moves on. False after the last. */
bool symbols_next_place(const struct symbols *symbols, uint32_t *number,
                        struct image_place *ret_place);
