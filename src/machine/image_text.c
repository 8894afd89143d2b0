/* image_text.c - recognise Intel HEX, S-records and UF2, so that nobody runs them as code */
/* SPDX-License-Identifier: MIT */
#include "machine/image_text.h"

#include "base/check.h"

/* Both text formats hold at most 255 counted bytes in a record, beside a few of their own. */
enum { RECORD_BYTES_MAX = 261 };

struct record {
    uint8_t bytes[RECORD_BYTES_MAX];
    size_t len;
};

static bool read_hex(struct span text, struct record *ret_record)
{
    if (text.len % 2 != 0 || text.len / 2 > RECORD_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.data[i]);
        int low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        ret_record->bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    ret_record->len = text.len / 2;
    return true;
}

static uint8_t sum(const struct record *record)
{
    uint8_t total = 0;
    for (size_t i = 0; i < record->len; i++) {
        total = (uint8_t)(total + record->bytes[i]);
    }
    return total;
}

/* `:` count address address type data... checksum; all bytes add up to 0. */
static bool is_hex_line(struct span line)
{
    struct record record;
    return line.len > 0 && line.data[0] == ':' &&
           read_hex(span_of(line.data + 1, line.len - 1), &record) && record.len >= 5 &&
           record.len == (size_t)record.bytes[0] + 5 && record.bytes[3] <= 5 && sum(&record) == 0;
}

/* `S` type count address... data... checksum; count and what follows add up to 0xff. */
static bool is_s_record_line(struct span line)
{
    struct record record;
    return line.len > 1 && line.data[0] == 'S' && line.data[1] >= '0' && line.data[1] <= '9' &&
           line.data[1] != '4' && read_hex(span_of(line.data + 2, line.len - 2), &record) &&
           record.len >= 4 && record.len == (size_t)record.bytes[0] + 1 && sum(&record) == 0xff;
}

/* True where every line that is not blank is a record, and one at least is. */
static bool is_every_line(struct span file, bool (*is_record)(struct span line))
{
    bool is_any = false;
    while (file.len > 0) {
        struct span line = span_take_line(&file);
        if (line.len == 0) {
            continue;
        }
        if (!is_record(line)) {
            return false;
        }
        is_any = true;
    }
    return is_any;
}

enum { UF2_BLOCK = 512 };

static bool is_uf2(struct span file)
{
    static const uint8_t start[8] = {'U', 'F', '2', '\n', 0x57, 0x51, 0x5d, 0x9e};
    static const uint8_t end[4] = {0x30, 0x6f, 0xb1, 0x0a};
    if (file.len == 0 || file.len % UF2_BLOCK != 0) {
        return false;
    }
    for (size_t at = 0; at < file.len; at += UF2_BLOCK) {
        const uint8_t *block = file.data + at;
        if (memcmp(block, start, sizeof start) != 0 ||
            memcmp(block + UF2_BLOCK - sizeof end, end, sizeof end) != 0) {
            return false;
        }
    }
    return true;
}

const char *image_records_format(struct span file)
{
    if (is_every_line(file, is_hex_line)) {
        return "Intel HEX";
    }
    if (is_every_line(file, is_s_record_line)) {
        return "S-record";
    }
    return is_uf2(file) ? "UF2" : NULL;
}
