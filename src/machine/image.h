/* image.h - what a user uploads: raw binary or ELF, checked and laid out over the windows */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: image_parse -> read fields, machine_load -> nothing to free: an image borrows the
 * file's bytes. Hostile bytes are the normal case here; tests/fuzz/image.c feeds them. */
#include "base/err.h"
#include "base/span.h"

enum image_format { IMAGE_AUTO, IMAGE_RAW, IMAGE_ELF };

/* `raw` or `elf`. */
const char *image_format_text(enum image_format format);

enum { IMAGE_SEGMENTS_MAX = 64 };

struct segment {
    uint32_t address; /* physical: where the file's bytes go */
    struct span bytes;
};

struct image {
    enum image_format format;
    uint32_t entry;  /* the reset pc */
    uint32_t tohost; /* of the ELF symbol of that name, 0 without one */
    struct segment segments[IMAGE_SEGMENTS_MAX];
    uint32_t segments_count;
    struct span file;
};

/* Reads `file` (borrowed by the image) as ELF where it begins like one, else as raw binary;
 * `wanted` IMAGE_RAW forces raw. ERR_BAD_IMAGE names the segment, the limit and the value. */
MUST_CHECK int image_parse(struct span file, enum image_format wanted, struct image *ret_image,
                           struct msg *msg);
/* The function or object symbol that covers `address`, and how far into it; false without one.
 * The name is borrowed from the file. */
bool image_symbol(const struct image *image, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset);
