/* id.c - version 4 UUIDs */
/* SPDX-License-Identifier: MIT */
#include "base/id.h"

#include <stdio.h>

struct id id_from_random(const uint8_t random[16])
{
    struct id id;
    memcpy(id.bytes, random, sizeof id.bytes);
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

static bool is_dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool id_parse(struct span text, struct id *ret_id)
{
    if (text.len != ID_TEXT_LEN) {
        return false;
    }
    struct id id;
    size_t count = 0;
    for (size_t i = 0; i < ID_TEXT_LEN;) {
        if (is_dash_at(i)) {
            if (text.data[i++] != '-') {
                return false;
            }
            continue;
        }
        int high = hex_digit(text.data[i]);
        int low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        id.bytes[count++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    if (id.bytes[6] >> 4 != 4 || id.bytes[8] >> 6 != 2) {
        return false;
    }
    *ret_id = id;
    return true;
}

void id_format(const struct id *id, char ret_text[ID_TEXT_LEN + 1])
{
    const uint8_t *b = id->bytes;
    snprintf(ret_text, ID_TEXT_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
             b[15]);
}
