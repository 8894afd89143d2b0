/* range.c - reads byte ranges and joins those that overlap */
/* SPDX-License-Identifier: MIT */
#include "service/range.h"

/* Digits; a number over 64 bits is as large as they hold. False where there is something else, or
 * nothing, which leaves the number as it was. */
static bool read_number(struct span text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9') {
            return false;
        }
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(c - '0'), &number)) {
            number = UINT64_MAX;
        }
    }
    *ret_number = text.len > 0 ? number : *ret_number;
    return text.len > 0;
}

/* `first-last`, `first-` or `-count`; `*ret_range` is empty where no byte is within `size`. */
static bool read_range(struct span text, uint64_t size, struct range *ret_range)
{
    struct span last_text = text;
    struct span first_text = span_cut(&last_text, '-');
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    bool has_first = read_number(first_text, &first);
    bool has_last = read_number(last_text, &last);
    if (!last_text.data || (first_text.len > 0 && !has_first) || (last_text.len > 0 && !has_last) ||
        (!has_first && !has_last) || (has_first && has_last && last < first)) {
        return false;
    }
    if (!has_first) {
        first = last < size ? size - last : 0;
        last = UINT64_MAX;
    }
    uint64_t end = last < size ? last + 1 : size;
    *ret_range = (struct range){first, first < end ? end : first};
    return true;
}

/* Adds a range, which takes the place of the first one that it overlaps or touches and swallows the
 * others. */
static void add(struct ranges *ranges, struct range new)
{
    size_t place = ranges->count;
    size_t kept = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        struct range old = ranges->items[i];
        if (old.first > new.end || new.first > old.end) {
            ranges->items[kept++] = old;
            continue;
        }
        new.first = old.first < new.first ? old.first : new.first;
        new.end = old.end > new.end ? old.end : new.end;
        if (place == ranges->count) {
            place = kept++;
        }
    }
    place = place == ranges->count ? kept++ : place;
    ranges->items[place] = new;
    ranges->count = kept;
}

enum ranges_found ranges_read(struct span value, uint64_t size, struct ranges *ret_ranges)
{
    struct span rest = value;
    if (!span_equals_nocase(span_trim(span_cut(&rest, '=')), "bytes") || !rest.data) {
        return RANGES_OTHER;
    }
    *ret_ranges = (struct ranges){0};
    size_t written = 0;
    while (rest.data) {
        struct span text = span_trim(span_cut(&rest, ','));
        struct range range;
        if (text.len == 0) {
            continue; /* legal in a list (RFC 9110, 5.6.1.2) */
        }
        if (!read_range(text, size, &range)) {
            return RANGES_MALFORMED;
        }
        if (++written <= RANGES_MAX && range.first < range.end) {
            add(ret_ranges, range);
        }
    }
    if (written > RANGES_MAX) {
        return RANGES_TOO_MANY;
    }
    return ret_ranges->count ? RANGES_SOME : written ? RANGES_NONE : RANGES_MALFORMED;
}
