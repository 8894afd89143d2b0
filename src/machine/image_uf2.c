/* image_uf2.c - UF2: blocks of 512 bytes, each with up to 476 for an address of its own */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"

#include <assert.h>

enum { BLOCK = 512, PAYLOAD_MAX = 476, SERIES_MAX = 1 << 18 };

/* The flags that change what a block means; the others add to it what nobody needs to load it. */
enum { NOT_MAIN_FLASH = 0x00000001, FILE_CONTAINER = 0x00001000 };

static const uint32_t magic_end_word = 0x0ab16f30;
static const uint8_t magic_start[8] = {'U', 'F', '2', '\n', 0x57, 0x51, 0x5d, 0x9e};

/* A block as the file has it, little-endian like every host of ours. */
struct block {
    uint8_t magic_start[8];
    uint32_t flags;
    uint32_t address;
    uint32_t len;
    uint32_t number; /* of those that count says, from 0 */
    uint32_t count;
    uint32_t family; /* of boards, or a size: RISC-V has none registered, so any will do */
    uint8_t data[PAYLOAD_MAX];
    uint32_t magic_end;
};

static_assert(sizeof(struct block) == BLOCK, "a block is 512 bytes");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "blocks would need swapping");

static int check_block(const struct block *b, const struct records *r, struct msg *msg)
{
    if (memcmp(b->magic_start, magic_start, sizeof magic_start) != 0 ||
        b->magic_end != magic_end_word) {
        return fail(msg, ERR_BAD_IMAGE, "block %u: its magic numbers are not UF2's", r->number);
    }
    if (b->len > PAYLOAD_MAX) {
        return fail(msg, ERR_BAD_IMAGE, "block %u: a payload of %u bytes; at most %d fit",
                    r->number, b->len, PAYLOAD_MAX);
    }
    if ((b->flags & FILE_CONTAINER) != 0) {
        return fail(msg, ERR_BAD_IMAGE, "block %u is part of a file in a container, not of memory",
                    r->number);
    }
    return 0;
}

static int take_block(struct records *r, struct block *ret_block, struct msg *msg)
{
    r->number++;
    if (r->rest.len < BLOCK) {
        return fail(msg, ERR_BAD_IMAGE, "block %u: the file ends after %zu of its %d bytes",
                    r->number, r->rest.len, BLOCK);
    }
    memcpy(ret_block, r->rest.data, BLOCK);
    r->rest = span_of(r->rest.data + BLOCK, r->rest.len - BLOCK);
    return 0;
}

/* The block is of a series of `count`, and none of those that were seen. */
static int check_number(const struct block *b, const struct records *r, uint32_t count,
                        uint8_t *seen, struct msg *msg)
{
    if (b->count != count || b->number >= count) {
        return fail(msg, ERR_BAD_IMAGE, "block %u says that it is %u of %u, in a series of %u",
                    r->number, b->number, b->count, count);
    }
    uint8_t *byte = &seen[b->number / 8];
    uint8_t bit = (uint8_t)(1u << b->number % 8);
    if ((*byte & bit) != 0) {
        return fail(msg, ERR_BAD_IMAGE, "block %u says that it is %u of %u, as an earlier one does",
                    r->number, b->number, count);
    }
    *byte |= bit;
    return 0;
}

/* Files for several boards may stand behind one another: each is a series of its own, whose blocks
 * come in any order and each once. This looks ahead, from the series' first block on. */
static int check_series(struct records ahead, uint32_t count, struct msg *msg)
{
    uint8_t seen[SERIES_MAX / 8];
    if (count == 0 || count > SERIES_MAX) {
        return fail(msg, ERR_BAD_IMAGE, "block %u begins a series of %u; 1 to %d blocks may be one",
                    ahead.number + 1, count, SERIES_MAX);
    }
    memset(seen, 0, (count + 7) / 8);
    for (uint32_t i = 0; i < count; i++) {
        struct block block;
        if (ahead.rest.len == 0) {
            return fail(msg, ERR_BAD_IMAGE, "the UF2 ends after block %u of its series of %u", i,
                        count);
        }
        int err = take_block(&ahead, &block, msg);
        err = err ? err : check_block(&block, &ahead, msg);
        err = err ? err : check_number(&block, &ahead, count, seen, msg);
        if (err) {
            return err;
        }
    }
    return 0;
}

static int next_uf2(struct records *r, struct piece *ret_piece, struct msg *msg)
{
    if (r->rest.len == 0) {
        return 0;
    }
    const struct records before = *r;
    const uint8_t *data = r->rest.data + offsetof(struct block, data);
    struct block block;
    int err = take_block(r, &block, msg);
    err = err ? err : check_block(&block, r, msg);
    if (!err && r->expect == 0) {
        r->count = block.count;
        err = check_series(before, block.count, msg);
    }
    if (err) {
        return err;
    }
    r->expect = (r->expect + 1) % r->count;
    bool is_ours = (block.flags & NOT_MAIN_FLASH) == 0;
    *ret_piece = (struct piece){block.address, span_of(data, is_ours ? block.len : 0)};
    return 1;
}

bool image_is_uf2(struct span file)
{
    return file.len >= sizeof magic_start &&
           memcmp(file.data, magic_start, sizeof magic_start) == 0;
}

int image_parse_uf2(struct image *image, struct msg *msg)
{
    static const struct record_format format = {IMAGE_UF2, "UF2", "block", next_uf2};
    return image_parse_records(image, &format, msg);
}
