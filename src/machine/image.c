/* image.c - which format a file is in, the windows that it may fill, and raw binaries */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>

enum { R = 0, W = 0, X = 1 };

static const struct window_row windows[] = {
#define WINDOW(name, base, size, access, text) {#name, base, size, ((access)&X) != 0},
#include "abi/mem.def"
#undef WINDOW
};

static const struct {
    const char *word;
    const char *text;
    bool (*is_like)(struct span file);
    int (*parse)(struct image *image, struct msg *msg);
} formats[] = {
#define IMAGE_FORMAT(name, word, text, begins) \
    [IMAGE_##name] = {#word, text, image_is_##word, image_parse_##word},
#include "machine/image.def"
#undef IMAGE_FORMAT
};

const char *image_format_text(enum image_format format)
{
    return format == IMAGE_AUTO ? "auto" : formats[format].word;
}

bool image_format_parse(struct span word, enum image_format *ret_format)
{
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (span_equals_string(word, image_format_text((enum image_format)i))) {
            *ret_format = (enum image_format)i;
            return true;
        }
    }
    return false;
}

const struct window_row *image_find_window(uint32_t address)
{
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        if (address - windows[i].base < windows[i].size) {
            return &windows[i];
        }
    }
    return NULL;
}

uint32_t image_gap(uint32_t address)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        uint32_t distance = windows[i].base - address; /* for a window below, this wraps */
        least = distance < least ? distance : least;
    }
    return least;
}

struct window_list image_loadable_windows(void)
{
    struct window_list list = {""};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        if (!windows[i].is_loadable || len >= sizeof list.text) {
            continue;
        }
        int added = snprintf(list.text + len, sizeof list.text - len, "%s%s 0x%08x-0x%08x",
                             len > 0 ? ", " : "", windows[i].name, windows[i].base,
                             windows[i].base + windows[i].size - 1);
        len += (size_t)added;
    }
    return list;
}

int image_check_place(const struct placement *p, struct msg *msg)
{
    const struct window_row *window = image_find_window(p->address);
    if (p->len - 1 > UINT32_MAX - p->address) {
        return fail(msg, ERR_BAD_IMAGE,
                    "%s %u: %u bytes at %s0x%08x pass the end of the address "
                    "space",
                    p->unit, p->number, p->len, p->kind, p->address);
    }
    if (!window) {
        return fail(msg, ERR_BAD_IMAGE, "%s %u: %u bytes at %s0x%08x lie outside the windows (%s)",
                    p->unit, p->number, p->len, p->kind, p->address, image_loadable_windows().text);
    }
    if (!window->is_loadable) {
        return fail(msg, ERR_BAD_IMAGE,
                    "%s %u: %u bytes at %s0x%08x lie in %s, which no image may fill (%s)", p->unit,
                    p->number, p->len, p->kind, p->address, window->name,
                    image_loadable_windows().text);
    }
    uint32_t room = window->size - (p->address - window->base);
    if (p->len > room) {
        return fail(msg, ERR_BAD_IMAGE,
                    "%s %u: %u bytes at %s0x%08x pass the end of %s, which has %u from there",
                    p->unit, p->number, p->len, p->kind, p->address, window->name, room);
    }
    return 0;
}

int image_check_entry(uint32_t entry, struct msg *msg)
{
    const struct window_row *window = image_find_window(entry);
    if (!window || !window->is_loadable) {
        return fail(msg, ERR_BAD_IMAGE, "the entry 0x%08x lies outside the executable windows (%s)",
                    entry, image_loadable_windows().text);
    }
    if (entry % 2 != 0) {
        return fail(msg, ERR_BAD_IMAGE, "the entry 0x%08x is odd: no instruction starts there",
                    entry);
    }
    return 0;
}

bool image_is_raw(struct span file)
{
    (void)file;
    return true;
}

int image_parse_raw(struct image *image, struct msg *msg)
{
    const struct window_row *rom = &windows[WINDOW_ROM];
    if (image->file.len == 0) {
        return fail(msg, ERR_BAD_IMAGE, "the image is empty");
    }
    if (image->file.len > rom->size) {
        return fail(msg, ERR_TOO_BIG, "a raw image of %zu bytes is over the ROM window's %u",
                    image->file.len, rom->size);
    }
    image->format = IMAGE_RAW;
    image->entry = rom->base;
    image->segments[0] = (struct segment){rom->base, image->file};
    image->segments_count = 1;
    return 0;
}

/* The last format is like any file. */
static enum image_format find_format(struct span file)
{
    size_t i = IMAGE_AUTO + 1;
    while (!formats[i].is_like(file)) {
        i++;
    }
    return (enum image_format)i;
}

int image_parse(struct span file, enum image_format wanted, struct image *ret_image,
                struct msg *msg)
{
    struct image image = {.file = file};
    enum image_format format = wanted == IMAGE_AUTO ? find_format(file) : wanted;
    if (!formats[format].is_like(file)) {
        return fail(msg, ERR_BAD_IMAGE, "the file of %zu bytes does not begin like %s", file.len,
                    formats[format].text);
    }
    int err = formats[format].parse(&image, msg);
    if (err) {
        image_deinit(&image);
        return err;
    }
    *ret_image = image;
    return 0;
}

void image_deinit(struct image *image)
{
    free(image->decoded);
    image->decoded = NULL;
}
