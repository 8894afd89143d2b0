/* range_test.c - which bytes a Range asks for */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "service/range.h"
#include "test.h"

#include <stdio.h>

/* "0-4 9-10": the ranges, their ends included. */
static const char *text_of(const struct ranges *ranges, char ret_text[256])
{
    int len = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < ranges->count; i++) {
        len += snprintf(ret_text + len, 256 - (size_t)len, "%s%llu-%llu", i ? " " : "",
                        (unsigned long long)ranges->items[i].first,
                        (unsigned long long)ranges->items[i].end - 1);
    }
    return ret_text;
}

TEST(range, reads_ranges_of_ten_bytes)
{
    static const struct {
        const char *field;
        enum ranges_found found;
        const char *ranges;
    } rows[] = {
        {"bytes=0-4", RANGES_SOME, "0-4"},
        {"Bytes = 0-0", RANGES_SOME, "0-0"},
        {"bytes=9-", RANGES_SOME, "9-9"},
        {"bytes=-3", RANGES_SOME, "7-9"},
        {"bytes=-30", RANGES_SOME, "0-9"},
        {"bytes=5-99", RANGES_SOME, "5-9"},
        {"bytes=5-18446744073709551615", RANGES_SOME, "5-9"},
        {"bytes=5-99999999999999999999999", RANGES_SOME, "5-9"},
        {"bytes=0-0,2-2", RANGES_SOME, "0-0 2-2"},
        {"bytes=8-9, 0-1", RANGES_SOME, "8-9 0-1"},
        {"bytes=0-1,2-3", RANGES_SOME, "0-3"},
        {"bytes=4-5,0-0,3-7,9-9", RANGES_SOME, "3-7 0-0 9-9"},
        {"bytes=0-1,4-5,8-9,1-8", RANGES_SOME, "0-9"},
        {"bytes=,0-0,,20-30,", RANGES_SOME, "0-0"},
        {"bytes=10-", RANGES_NONE, ""},
        {"bytes=-0", RANGES_NONE, ""},
        {"bytes=99999999999999999999999-", RANGES_NONE, ""},
        {"bytes=", RANGES_MALFORMED, NULL},
        {"bytes=,", RANGES_MALFORMED, NULL},
        {"bytes=-", RANGES_MALFORMED, NULL},
        {"bytes=5", RANGES_MALFORMED, NULL},
        {"bytes=5-4", RANGES_MALFORMED, NULL},
        {"bytes=a-b", RANGES_MALFORMED, NULL},
        {"bytes=0x1-2", RANGES_MALFORMED, NULL},
        {"bytes=+1-2", RANGES_MALFORMED, NULL},
        {"bytes=1--2", RANGES_MALFORMED, NULL},
        {"bytes=1 - 2", RANGES_MALFORMED, NULL},
        {"bytes=0-1;2-3", RANGES_MALFORMED, NULL},
        {"bytes", RANGES_OTHER, NULL},
        {"", RANGES_OTHER, NULL},
        {"lines=1-2", RANGES_OTHER, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        print_message("  %s\n", rows[i].field);
        struct ranges ranges;
        char text[256];
        assert_int_equal(ranges_read(span_of_string(rows[i].field), 10, &ranges), rows[i].found);
        if (rows[i].ranges) {
            assert_string_equal(text_of(&ranges, text), rows[i].ranges);
        }
    }
}

TEST(range, finds_nothing_in_no_bytes)
{
    struct ranges ranges;
    assert_int_equal(ranges_read(span_of_string("bytes=0-"), 0, &ranges), RANGES_NONE);
    assert_int_equal(ranges_read(span_of_string("bytes=-5"), 0, &ranges), RANGES_NONE);
}

TEST(range, counts_ranges_as_they_are_written)
{
    char field[8 + 6 * (RANGES_MAX + 1)];
    int len = snprintf(field, sizeof field, "bytes=");
    struct ranges ranges;
    for (int i = 0; i < RANGES_MAX; i++) {
        len += snprintf(field + len, sizeof field - (size_t)len, "%d-%d,", 2 * i, 2 * i);
    }
    assert_int_equal(ranges_read(span_of_string(field), 1000, &ranges), RANGES_SOME);
    assert_int_equal(ranges.count, RANGES_MAX);
    snprintf(field + len, sizeof field - (size_t)len, "0-0");
    assert_int_equal(ranges_read(span_of_string(field), 1000, &ranges), RANGES_TOO_MANY);
}
