/* image_srec.c - Motorola S-records: lines of `S` type count address data checksum */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"

/* What the digit behind the S says. */
static const struct srec_type {
    uint8_t address_len; /* in bytes; 0: there is no such record */
    enum { HEADER, DATA, COUNT, END } role;
} types[10] = {
    {2, HEADER}, {2, DATA},  {3, DATA}, {4, DATA}, {0, HEADER},
    {2, COUNT},  {3, COUNT}, {4, END},  {3, END},  {2, END},
};

static bool is_mark(struct span line)
{
    return line.data[0] == 'S' && line.data[1] >= '0' && line.data[1] <= '9';
}

static const struct record_text srec_text = {
    .text = "S-record",
    .mark_len = 2,
    .bytes_min = 4,
    .overhead = 1,
    .sum = 0xff,
    .is_mark = is_mark,
    .end = "S9030000FC",
};

/* The bytes behind the address and before the checksum, of a record of a known type. */
static int take_data(const struct records *r, char digit, struct span *ret_data, struct msg *msg)
{
    const struct srec_type *type = &types[digit - '0'];
    size_t head = 1u + type->address_len;
    if (type->address_len == 0) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: there is no record S%c", r->number, digit);
    }
    if (r->len < head + 1) {
        return fail(msg, ERR_BAD_IMAGE,
                    "line %u: a record S%c of %zu bytes ends inside its address of %d", r->number,
                    digit, r->len, type->address_len);
    }
    *ret_data = span_of(r->bytes + head, r->len - head - 1);
    if (ret_data->len > 0 && (type->role == COUNT || type->role == END)) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: a record S%c with %zu bytes of data; it has none",
                    r->number, digit, ret_data->len);
    }
    return 0;
}

/* An end record's address of 0 is what tools write that know no entry. */
static int next_srec(struct records *r, struct piece *ret_piece, struct msg *msg)
{
    struct span mark;
    struct span data;
    int more = image_next_line(r, &srec_text, &mark, msg);
    if (more <= 0) {
        return more;
    }
    int err = take_data(r, (char)mark.data[1], &data, msg);
    if (err) {
        return err;
    }
    const struct srec_type *type = &types[mark.data[1] - '0'];
    uint32_t address = image_record_number(r, 1, type->address_len);
    *ret_piece = (struct piece){address, span_of(NULL, 0)};
    switch (type->role) {
    case HEADER:
        break;
    case DATA:
        ret_piece->bytes = data;
        r->count++;
        break;
    case COUNT:
        if (address != r->count) {
            return fail(msg, ERR_BAD_IMAGE, "line %u: it counts %u data records; there are %u",
                        r->number, address, r->count);
        }
        break;
    case END:
        r->entry = address;
        r->is_ended = true;
        break;
    }
    return 1;
}

bool image_is_srec(struct span file)
{
    return image_begins_with_record(file, &srec_text);
}

int image_parse_srec(struct image *image, struct msg *msg)
{
    static const struct record_format format = {IMAGE_SREC, "S-record", "line", next_srec};
    return image_parse_records(image, &format, msg);
}
