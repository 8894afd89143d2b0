/* span_test.c - borrowed bytes compared, trimmed and cut into pieces */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "base/span.h"
#include "test.h"

static struct span of(const char *text)
{
    return span_of_string(text);
}

TEST(span, compares_letters_in_any_case)
{
    assert_true(span_equals_nocase(of("Content-Type"), "content-TYPE"));
    assert_true(span_same_nocase(of(""), span_of(NULL, 0)));
    assert_false(span_equals_nocase(of("Content-Type"), "Content-Typ"));
    /* What differs from a letter by the bit that makes it small is no letter. */
    assert_false(span_same_nocase(of("@["), of("`{")));
}

TEST(span, trims_spaces_and_tabs_only)
{
    assert_true(span_equals_string(span_trim(of(" \t a b\t ")), "a b"));
    assert_true(span_equals_string(span_trim(of("\na\r")), "\na\r"));
    assert_int_equal(span_trim(of("  \t")).len, 0);
    assert_int_equal(span_trim(span_of(NULL, 0)).len, 0);
}

TEST(span, cuts_a_list_into_its_pieces)
{
    struct span rest = of("a,,b,");
    static const char *const pieces[] = {"a", "", "b", ""};
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        assert_non_null(rest.data);
        assert_true(span_equals_string(span_cut(&rest, ','), pieces[i]));
    }
    assert_null(rest.data);
    assert_int_equal(span_cut(&rest, ',').len, 0);
}

TEST(span, knows_a_token)
{
    assert_true(span_is_token(of("X-Fish_1!#$%&'*+.^`|~")));
    static const char *const bad[] = {"", "a b", "a:", "a/b", "(", "a\x7f", "\xc3", "\t"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(span_is_token(of(bad[i])));
    }
    assert_false(span_is_token(span_of("a\0b", 3)));
}

TEST(span, reads_hexadecimal_digits)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        assert_int_equal(hex_digit((uint8_t)digits[i]), i);
    }
    assert_int_equal(hex_digit('F'), 15);
    static const char bad[] = "/:@G`g \x10";
    for (size_t i = 0; i < sizeof bad; i++) {
        assert_int_equal(hex_digit((uint8_t)bad[i]), -1);
    }
}
