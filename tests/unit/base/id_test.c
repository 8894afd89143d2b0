/* id_test.c - UUIDs: the one form that is accepted */
/* SPDX-License-Identifier: MIT */
#include "base/id.h"
#include "test.h"

TEST(id, formats_what_it_parsed)
{
    struct id id;
    char text[ID_TEXT_LEN + 1];
    assert_true(id_parse(span_of_string("0F0e0d0c-0b0a-4908-8706-050403020100"), &id));
    id_format(&id, text);
    assert_string_equal(text, "0f0e0d0c-0b0a-4908-8706-050403020100");
}

TEST(id, sets_version_and_variant_of_random_bytes)
{
    uint8_t ones[16];
    memset(ones, 0xff, sizeof ones);
    struct id id = id_from_random(ones);
    char text[ID_TEXT_LEN + 1];
    id_format(&id, text);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(id, refuses_everything_else)
{
    static const char *const bad[] = {
        "",
        "0f0e0d0c0b0a49088706050403020100",
        "0f0e0d0c-0b0a-4908-8706-05040302010",
        "0f0e0d0c-0b0a-4908-8706-0504030201000",
        "0f0e0d0c-0b0a-1908-8706-050403020100",
        "0f0e0d0c-0b0a-4908-0706-050403020100",
        "0f0e0d0c-0b0a-4908-8706-05040302010g",
        "0f0e0d0c_0b0a-4908-8706-050403020100",
        "../../../../etc/passwd/aaaaaaaaaaaaa",
    };
    struct id id;
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(id_parse(span_of_string(bad[i]), &id));
    }
}
