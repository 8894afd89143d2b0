/* image.c - an image that is accepted keeps every promise of image.h, whatever its bytes */
/* SPDX-License-Identifier: MIT */
#include "machine/image.h"

#include "base/check.h"
#include "machine/machine.h"
#include "machine/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_in(uint32_t address, size_t len, uint32_t base, uint32_t size)
{
    return address - base < size && len <= size - (address - base);
}

/* Adds up all bytes, so that a span that leaves the file is seen by AddressSanitizer. */
static unsigned touch(struct span bytes)
{
    unsigned total = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        total += bytes.data[i];
    }
    return total;
}

static void check_segment(const struct image *image, const struct segment *segment)
{
    uint32_t address = segment->address;
    size_t len = segment->bytes.len;
    check(len > 0);
    check(is_in(address, len, (uint32_t)ROM_BASE, ROM_SIZE) ||
          is_in(address, len, (uint32_t)RAM_BASE, RAM_SIZE));
    check(image->decoded || (segment->bytes.data >= image->file.data &&
                             segment->bytes.data + len <= image->file.data + image->file.len));
    for (const struct segment *other = image->segments; other < segment; other++) {
        check(other->address + other->bytes.len <= address || address + len <= other->address);
    }
    (void)touch(segment->bytes);
}

static void check_symbol(const struct symbols *symbols, uint32_t address)
{
    uint32_t same = 0;
    bool is_data = symbols_is_data(symbols, address, &same);
    check(same > 0);
    check(!is_data || symbols->image->symbols.len > 0);
    struct span name[2];
    uint32_t offset[2];
    bool is_named = image_symbol(symbols->image, address, &name[0], &offset[0]);
    check(is_named == symbols_find(symbols, address, &name[1], &offset[1]));
    if (is_named) {
        check(name[0].len > 0);
        check(offset[0] <= address);
        check(offset[0] == offset[1] && name[0].data == name[1].data);
        (void)touch(name[0]);
    }
    size_t next = symbols_next(symbols, address);
    check(next == symbols->begins_count || symbols->begins[next] >= address);
}

static void check_symbols(const struct image *image)
{
    struct symbols symbols;
    struct image_place place;
    check(symbols_init(&symbols, image) == 0);
    check_symbol(&symbols, image->entry);
    check_symbol(&symbols, image->tohost);
    check_symbol(&symbols, UINT32_MAX);
    for (uint32_t number = 0; symbols_next_place(&symbols, &number, &place);) {
        check(place.size > 0);
        check_symbol(&symbols, place.address);
        check_symbol(&symbols, place.address + place.size);
    }
    symbols_deinit(&symbols);
}

static void check_code(const struct image *image)
{
    struct image_code code;
    uint32_t number = 0;
    while (image_next_code(image, &number, &code)) {
        check(code.bytes.len > 0);
        (void)touch(code.bytes);
        (void)touch(code.name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum image_format formats[] = {
        IMAGE_AUTO,
#define IMAGE_FORMAT(name, word, text, begins) IMAGE_##name,
#include "machine/image.def"
#undef IMAGE_FORMAT
    };
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        struct image image;
        struct msg msg = {""};
        if (image_parse(span_of(data, size), formats[i], &image, &msg)) {
            check(msg.text[0] != 0);
            continue;
        }
        check(formats[i] == IMAGE_AUTO || image.format == formats[i]);
        check(image.segments_count > 0);
        check(image.segments_count <= IMAGE_SEGMENTS_MAX);
        check(image.entry % 2 == 0);
        for (uint32_t number = 0; number < image.segments_count; number++) {
            check_segment(&image, &image.segments[number]);
        }
        check_symbols(&image);
        check_code(&image);
        image_deinit(&image);
    }
    return 0;
}
