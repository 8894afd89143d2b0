/* buf_test.c - growing bytes: bounds, JSON escapes */
/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "test.h"

TEST(buf, refuses_to_pass_its_maximum_and_stays_failed)
{
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "abcd");
    assert_false(b.failed);
    buf_puts(&b, "e");
    assert_true(b.failed);
    assert_int_equal(b.len, 4);
    buf_deinit(&b);
}

TEST(buf, prints_text_longer_than_its_own_scratch_space)
{
    struct buf b;
    buf_init(&b, 5000);
    buf_print(&b, "%3000d|", 7);
    assert_int_equal(b.len, 3001);
    assert_int_equal(b.data[3000], '|');
    buf_deinit(&b);
}

static void expect_json(const char *bytes, size_t len, const char *wanted)
{
    struct buf b;
    buf_init(&b, 100);
    buf_put_json(&b, span_of(bytes, len));
    assert_true(span_equals_string(buf_span(&b), wanted));
    buf_deinit(&b);
}

TEST(buf, escapes_json_and_replaces_bytes_that_are_not_utf8)
{
    expect_json("a\"\\\n\0z", 6, "a\\\"\\\\\\u000a\\u0000z");
    expect_json("\xc3\xa9", 2, "\xc3\xa9");
    expect_json("\xff<\xed\xa0\x80", 5, "\xef\xbf\xbd<\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_json("\xf4\x90\x80\x80", 4, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_json("\xe2\x82", 2, "\xef\xbf\xbd\xef\xbf\xbd");
}
