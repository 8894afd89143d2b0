/* accept_test.c - what an Accept field says of a media type */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "service/accept.h"
#include "test.h"

static const char type[] = "application/octet-stream";

static int quality(const char *field)
{
    struct accept accept = {0};
    accept_read(&accept, span_of_string(field), type);
    return accept_quality(&accept);
}

TEST(accept, reads_ranges_and_qualities)
{
    static const struct {
        const char *field;
        int quality;
    } rows[] = {
        {"application/octet-stream", 1000},
        {"Application/Octet-Stream;q=0.5", 500},
        {"text/html, application/octet-stream ; Q = 0.25 , */*;q=0.1", 250},
        {"*/*;q=0.1", 100},
        {"application/*;q=0.007", 7},
        {"application/*;q=1.000,*/*", 1000},
        {"application/octet-stream;q=0, */*", 0},
        {"*/*, application/octet-stream;q=0", 0},
        {"application/octet-stream;version=1;q=0.3", 300},
        {"text/*", 0},
        {"", 0},
        {",;,=", 0},
        {"application", 0},
        {"applications*", 0},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        print_message("  %s\n", rows[i].field);
        assert_int_equal(quality(rows[i].field), rows[i].quality);
    }
}

TEST(accept, passes_over_what_is_no_quality)
{
    static const char *const bad[] = {"2", "1.1", "0.1234", "-1", "0,5", "", ".5", "1x"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        char field[80] = "application/octet-stream;q=";
        memcpy(field + strlen(field), bad[i], strlen(bad[i]) + 1);
        assert_int_equal(quality(field), 0);
    }
}

TEST(accept, takes_all_fields_and_none_together)
{
    struct accept accept = {0};
    assert_int_equal(accept_quality(&accept), 1000);
    accept_read(&accept, span_of_string("*/*;q=0.2"), type);
    accept_read(&accept, span_of_string("application/octet-stream;q=0.9"), type);
    assert_int_equal(accept_quality(&accept), 900);
}
