/* image.h - what a user uploads, in any of its formats, checked and laid out over the windows */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: image_parse -> read fields, machine_load -> image_deinit. An image borrows the file's
 * bytes and owns those that it had to decode. Hostile bytes are the normal case here;
 * tests/fuzz/image.c feeds them. */
#include "base/err.h"
#include "base/span.h"
#include "machine/profile.h"

enum image_format {
    IMAGE_AUTO, /* the wish to find out */
#define IMAGE_FORMAT(name, word, text, begins) IMAGE_##name,
#include "machine/image.def"
#undef IMAGE_FORMAT
};

/* The format's word, `raw`, `elf`, ...; `auto` for the wish to find out. */
const char *image_format_text(enum image_format format);
/* The format of such a word, `auto` among them; false for any other. */
MUST_CHECK bool image_format_parse(struct span word, enum image_format *ret_format);

enum { IMAGE_SEGMENTS_MAX = 64 };

/* Bytes that lie in one window whole: ROM or RAM, which a guest may execute. */
struct segment {
    uint32_t address; /* physical: where the bytes go */
    struct span bytes;
};

struct image {
    const struct window_row *windows; /* of the profile it was read for */
    enum image_format format;
    uint32_t entry;  /* the reset pc */
    uint32_t tohost; /* of the ELF symbol of that name, 0 without one */
    /* Where RAM begins to be free of the program's own: behind the memory of all segments of an
     * ELF. 0 where the format does not tell. */
    uint32_t heap;
    struct segment segments[IMAGE_SEGMENTS_MAX];
    uint32_t segments_count; /* at least 1; no two overlap and none is empty */
    struct span file;
    uint8_t *decoded;    /* owned: what the segments' bytes are part of, NULL for the file itself */
    struct span symbols; /* the ELF's symbol table and its names; empty without one */
    struct span names;
};

/* Reads `file` (borrowed by the image) in the format that it begins like (image.def); `wanted`
 * forces one. ERR_BAD_IMAGE names the segment, line or block, the limit and the value, ERR_TOO_BIG
 * is a raw binary over the ROM window's size, ERR_NO_MEMORY one that cannot be decoded. */
MUST_CHECK int image_parse(struct span file, enum image_format wanted, struct image *ret_image,
                           struct msg *msg);
/* Frees what was decoded; a zeroed image is accepted. */
void image_deinit(struct image *image);

/* The same for a machine of another profile than `virt`. */
MUST_CHECK int image_parse_for(enum profile profile, struct span file, enum image_format wanted,
                               struct image *ret_image, struct msg *msg);
/* The function, object or label that covers `address`, and how far into it; false without one.
 * Goes through all symbols: who asks often has `struct symbols` (machine/symbols.h).
 * Symbols without a size reach to the end of their section. The name is borrowed from the file;
 * it is never empty and has no space or control characters. */
bool image_symbol(const struct image *image, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset);

/* The bytes of the ELF's section of that name, as they are in the file; empty where there is none,
 * or none that is sound and uncompressed. *ret_address (NULL: not wanted) is where it is loaded. */
struct span image_section(const struct image *image, const char *name, uint32_t *ret_address);

/* Instructions that lie together, as a linker's listing has them. */
struct image_code {
    struct span name; /* of the section, without spaces or control characters; may be empty */
    uint32_t address; /* virtual: where it runs, and what symbols are about */
    struct span bytes;
};

/* The next executable section of an ELF, or segment of what has no sections; start with *number 0,
 * which the call moves on. False after the last. */
bool image_next_code(const struct image *image, uint32_t *number, struct image_code *ret_code);
