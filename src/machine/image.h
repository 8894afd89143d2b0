/* image.h - what a user uploads: raw binary or ELF, checked and laid out over the windows */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: image_parse -> read fields, machine_load -> nothing to free: an image borrows the
 * file's bytes. Hostile bytes are the normal case here; tests/fuzz/image.c feeds them. */
#include "base/err.h"
#include "base/span.h"

enum image_format { IMAGE_AUTO, IMAGE_RAW, IMAGE_ELF };

/* `raw` or `elf`; `auto` for the wish to find out. */
const char *image_format_text(enum image_format format);

enum { IMAGE_SEGMENTS_MAX = 64 };

/* Bytes of the file that lie in one window whole: ROM or RAM, which a guest may execute. */
struct segment {
    uint32_t address; /* physical: where the file's bytes go */
    struct span bytes;
};

struct image {
    enum image_format format;
    uint32_t entry;  /* the reset pc */
    uint32_t tohost; /* of the ELF symbol of that name, 0 without one */
    struct segment segments[IMAGE_SEGMENTS_MAX];
    uint32_t segments_count; /* at least 1; no two overlap and none is empty */
    struct span file;
    struct span symbols; /* the ELF's symbol table and its names; empty without one */
    struct span names;
};

/* Reads `file` (borrowed by the image) as ELF where it begins like one, else as raw binary;
 * `wanted` forces a format. ERR_BAD_IMAGE names the segment, the limit and the value, ERR_TOO_BIG
 * is a raw binary over the ROM window's size, ERR_NOT_BUILT a file that is Intel HEX, S-records or
 * UF2 from its first byte to its last, which would only trap if it ran as code. */
MUST_CHECK int image_parse(struct span file, enum image_format wanted, struct image *ret_image,
                           struct msg *msg);
/* The function, object or label that covers `address`, and how far into it; false without one.
 * Symbols without a size reach to the end of their section. The name is borrowed from the file;
 * it is never empty and has no space or control characters. */
bool image_symbol(const struct image *image, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset);
/* The lowest address from `address` on where such a name begins; false where none does. */
bool image_next_symbol(const struct image *image, uint32_t address, uint32_t *ret_address);

/* The bytes of the ELF's section of that name, as they are in the file; empty where there is none,
 * or none that is sound and uncompressed. *ret_address (NULL: not wanted) is where it is loaded. */
struct span image_section(const struct image *image, const char *name, uint32_t *ret_address);

/* What a symbol of the kind that image_symbol tells says of itself. */
struct image_place {
    struct span name;
    uint32_t address;
    uint32_t size; /* at least 1; where the symbol has none, as far as the next name or the end */
    bool is_code;  /* a function, or a label among instructions */
};

/* The next such symbol in the order of the file, several of one name among them; start with
 * *number 0, which the call moves on. False after the last. */
bool image_next_place(const struct image *image, uint32_t *number, struct image_place *ret_place);

/* Is there data at `address`, by a symbol of an object that has a size or the assembler's own mark
 * for data (`$d`)? *ret_len is for how many bytes the answer holds, whichever it is. */
bool image_is_data(const struct image *image, uint32_t address, uint32_t *ret_len);

/* Instructions that lie together, as a linker's listing has them. */
struct image_code {
    struct span name; /* of the section, without spaces or control characters; may be empty */
    uint32_t address; /* virtual: where it runs, and what symbols are about */
    struct span bytes;
};

/* The next executable section of an ELF, or segment of what has no sections; start with *number 0,
 * which the call moves on. False after the last. */
bool image_next_code(const struct image *image, uint32_t *number, struct image_code *ret_code);
