/* number_test.c - numbers as people type them */
/* SPDX-License-Identifier: MIT */
#include "cmd/number.h"
#include "test.h"

#include <string.h>

static const struct {
    const char *text;
    uint64_t value;
} counts[] = {
    {"0", 0},
    {"18446744073709551615", UINT64_MAX},
    {"1e9", 1000000000},
    {"1E+9", 1000000000},
    {"0e99", 0},
    {"2.5e3", 2500},
    {"10M", 10000000},
    {"1.5M", 1500000},
    {"1.5e3K", 1500000},
    {"64KiB", 65536},
    {"64Ki", 65536},
    {"0.5KiB", 512},
    {"3G", 3000000000},
};

TEST(number, reads_counts_with_exponents_and_suffixes)
{
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        uint64_t value = 0;
        assert_int_equal(number_parse_count(counts[i].text, &value, NULL), 0);
        assert_true(value == counts[i].value);
    }
}

TEST(number, refuses_what_is_not_whole_or_does_not_fit)
{
    static const char *const bad[] = {
        "",     "-1",   "+1",   " 1",    "1 ",  "1.",   ".5",   "1.5",   "1e",
        "1e-3", "1e20", "1e99", "1e999", "10m", "10MB", "0x10", "1,000", "18446744073709551616",
        "1e9x", "nan"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct msg msg = {0};
        uint64_t value = 7;
        assert_int_equal(number_parse_count(bad[i], &value, &msg), ERR_ARGUMENT);
        assert_int_equal(value, 7);
        assert_non_null(strstr(msg.text, bad[i]));
    }
}

TEST(number, reads_times_in_milliseconds)
{
    uint64_t ms = 0;
    assert_int_equal(number_parse_ms("250", &ms, NULL), 0);
    assert_int_equal(ms, 250);
    assert_int_equal(number_parse_ms("10s", &ms, NULL), 0);
    assert_int_equal(ms, 10000);
    assert_int_equal(number_parse_ms("1.5s", &ms, NULL), 0);
    assert_int_equal(ms, 1500);
    assert_int_equal(number_parse_ms("2min", &ms, NULL), 0);
    assert_int_equal(ms, 120000);
    assert_int_equal(number_parse_ms("0.1ms", &ms, NULL), ERR_ARGUMENT);
    assert_int_equal(number_parse_ms("5us", &ms, NULL), ERR_ARGUMENT);
}

TEST(number, reads_addresses_of_32_bits)
{
    uint32_t address = 0;
    assert_int_equal(number_parse_address("0x80001000", &address, NULL), 0);
    assert_int_equal(address, 0x80001000u);
    assert_int_equal(number_parse_address("4294967295", &address, NULL), 0);
    assert_int_equal(address, UINT32_MAX);
    assert_int_equal(number_parse_address("0x100000000", &address, NULL), ERR_ARGUMENT);
    assert_int_equal(number_parse_address("0x", &address, NULL), ERR_ARGUMENT);
    assert_int_equal(number_parse_address("main", &address, NULL), ERR_ARGUMENT);
    assert_int_equal(number_parse_address("0x11111111111111111111", &address, NULL), ERR_ARGUMENT);
}
