/* image_hex.c - Intel HEX: lines of `:` count address type data checksum */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"

/* Intel's "Hexadecimal Object File Format Specification", revision A, 1988. */
enum record_type {
    DATA,
    END_OF_FILE,
    EXTENDED_SEGMENT,
    START_SEGMENT,
    EXTENDED_LINEAR,
    START_LINEAR
};

/* Where a record's parts are among its bytes. */
enum { COUNT_AT = 0, ADDRESS_AT = 1, TYPE_AT = 3, DATA_AT = 4 };
enum { SEGMENT_BYTES = 0x10000 };

static bool is_mark(struct span line)
{
    return line.data[0] == ':';
}

static const struct record_text hex_text = {
    .text = "Intel HEX",
    .mark_len = 1,
    .bytes_min = 5,
    .overhead = 5,
    .sum = 0,
    .is_mark = is_mark,
    .end = ":00000001FF",
};

/* How much data a record of each type has; data records have any. */
static int check_count(const struct records *r, struct msg *msg)
{
    static const uint8_t counts[] = {[END_OF_FILE] = 0,
                                     [EXTENDED_SEGMENT] = 2,
                                     [START_SEGMENT] = 4,
                                     [EXTENDED_LINEAR] = 2,
                                     [START_LINEAR] = 4};
    unsigned type = r->bytes[TYPE_AT];
    if (type >= ARRAY_COUNT(counts)) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: a record of type %u; there are 0 to %zu",
                    r->number, type, ARRAY_COUNT(counts) - 1);
    }
    if (type != DATA && r->bytes[COUNT_AT] != counts[type]) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: a record of type %u with %d bytes; it has %d",
                    r->number, type, r->bytes[COUNT_AT], counts[type]);
    }
    return 0;
}

/* By Intel's rule the offsets behind a segment's base wrap at 64 KiB; nobody writes such a record
 * but by mistake. */
static int check_wrap(const struct records *r, struct msg *msg)
{
    uint32_t offset = image_record_number(r, ADDRESS_AT, 2);
    uint32_t room = SEGMENT_BYTES - offset;
    return !r->is_segmented || r->bytes[COUNT_AT] <= room
               ? 0
               : fail(msg, ERR_BAD_IMAGE,
                      "line %u: %d bytes at 0x%04x pass the end of a segment of 64 KiB, which has "
                      "%u from there",
                      r->number, r->bytes[COUNT_AT], offset, room);
}

static int next_hex(struct records *r, struct piece *ret_piece, struct msg *msg)
{
    struct span mark;
    int more = image_next_line(r, &hex_text, &mark, msg);
    if (more <= 0) {
        return more;
    }
    int err = check_count(r, msg);
    if (err) {
        return err;
    }
    *ret_piece = (struct piece){0, span_of(NULL, 0)};
    switch ((enum record_type)r->bytes[TYPE_AT]) {
    case DATA:
        err = check_wrap(r, msg);
        if (err) {
            return err;
        }
        *ret_piece = (struct piece){r->base + image_record_number(r, ADDRESS_AT, 2),
                                    span_of(r->bytes + DATA_AT, r->bytes[COUNT_AT])};
        break;
    case END_OF_FILE:
        r->is_ended = true;
        break;
    case EXTENDED_SEGMENT:
        r->base = image_record_number(r, DATA_AT, 2) << 4;
        r->is_segmented = true;
        break;
    case START_SEGMENT:
        r->entry =
            (image_record_number(r, DATA_AT, 2) << 4) + image_record_number(r, DATA_AT + 2, 2);
        break;
    case EXTENDED_LINEAR:
        r->base = image_record_number(r, DATA_AT, 2) << 16;
        r->is_segmented = false;
        break;
    case START_LINEAR:
        r->entry = image_record_number(r, DATA_AT, 4);
        break;
    }
    return 1;
}

bool image_is_hex(struct span file)
{
    return image_begins_with_record(file, &hex_text);
}

int image_parse_hex(struct image *image, struct msg *msg)
{
    static const struct record_format format = {IMAGE_HEX, "Intel HEX", "line", next_hex};
    return image_parse_records(image, &format, msg);
}
