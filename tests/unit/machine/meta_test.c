/* meta_test.c - request variables fit or are refused whole; reply headers are judged byte by byte
 */
/* SPDX-License-Identifier: MIT */
#include "machine/meta.h"

#include "test.h"

static int put(uint8_t *meta, uint32_t *len, const char *name, const char *value)
{
    return meta_put(meta, len, span_of_string(name), span_of_string(value), NULL);
}

TEST(meta, writes_an_environment)
{
    uint8_t meta[META_REQUEST_MAX];
    memset(meta, 0xee, sizeof meta);
    uint32_t len = 0;
    assert_int_equal(put(meta, &len, "REQUEST_METHOD", "POST"), 0);
    assert_int_equal(put(meta, &len, "QUERY_STRING", ""), 0);
    static const char wanted[] = "REQUEST_METHOD=POST\0QUERY_STRING=\0";
    assert_int_equal(len, sizeof wanted - 1);
    assert_int_equal(meta_end(meta, len), sizeof wanted);
    assert_memory_equal(meta, wanted, sizeof wanted);
    assert_int_equal(meta[sizeof wanted], 0xee);
}

TEST(meta, keeps_secrets_in_either_spelling)
{
    static const char *const secrets[] = {
        "Authorization",  "PROXY_AUTHORIZATION", "cookie",  "COOKIE2",       "Proxy",
        "Content-Length", "CONTENT_TYPE",        "REFERER", "x-original-uri"};
    static const char *const others[] = {"", "X-Cookie", "Cookie3", "Proxy-Connection",
                                         "Authorization-and-a-name-longer-than-all-the-others"};
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        assert_true(meta_is_secret(span_of_string(secrets[i])));
    }
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        assert_false(meta_is_secret(span_of_string(others[i])));
    }
}

TEST(meta, ends_an_empty_list)
{
    uint8_t meta[META_REQUEST_MAX] = {1};
    assert_int_equal(meta_end(meta, 0), 1);
    assert_int_equal(meta[0], 0);
}

TEST(meta, fills_its_half_to_the_last_byte)
{
    uint8_t meta[META_REQUEST_MAX + 1];
    meta[META_REQUEST_MAX] = 0xee;
    uint8_t value[META_REQUEST_MAX];
    memset(value, 'v', sizeof value);
    uint32_t len = 0;
    struct span name = span_of_string("N");
    /* `N`, `=`, a NUL and the empty string are 4 bytes beside the value's. */
    struct msg msg;
    int err = meta_put(meta, &len, name, span_of(value, META_REQUEST_MAX - 3), &msg);
    assert_int_equal(err, ERR_TOO_BIG);
    assert_string_equal(
        msg.text, "the request variable N brings META to 32769 bytes, over its limit of 32768");
    assert_int_equal(len, 0);
    assert_int_equal(meta_put(meta, &len, name, span_of(value, META_REQUEST_MAX - 4), NULL), 0);
    assert_int_equal(len, META_REQUEST_MAX - 1);
    assert_int_equal(put(meta, &len, "", ""), ERR_ARGUMENT);
    assert_int_equal(put(meta, &len, "A", ""), ERR_TOO_BIG);
    assert_int_equal(meta_end(meta, len), META_REQUEST_MAX);
    assert_int_equal(meta[META_REQUEST_MAX], 0xee);
}

TEST(meta, refuses_what_would_forge_a_variable)
{
    uint8_t meta[META_REQUEST_MAX];
    uint32_t len = 0;
    assert_int_equal(put(meta, &len, "A=B", "c"), ERR_ARGUMENT);
    struct span nul = span_of("a\0B=c", 5);
    assert_int_equal(meta_put(meta, &len, nul, span_of_string("c"), NULL), ERR_ARGUMENT);
    assert_int_equal(meta_put(meta, &len, span_of_string("A"), nul, NULL), ERR_ARGUMENT);
    assert_int_equal(len, 0);
}

TEST(meta, reads_reply_headers)
{
    struct span rest = span_of_string("Status: 404\r\nX-Empty:\nX-Tab: \t a\tb \t\n"
                                      "X-High: \xc3\xa9\nLast:no newline");
    static const char *const wanted[][2] = {{"Status", "404"},
                                            {"X-Empty", ""},
                                            {"X-Tab", "a\tb"},
                                            {"X-High", "\xc3\xa9"},
                                            {"Last", "no newline"}};
    struct meta_header header;
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++) {
        assert_int_equal(meta_next(&rest, &header, NULL), 1);
        assert_true(span_equals_string(header.name, wanted[i][0]));
        assert_true(span_equals_string(header.value, wanted[i][1]));
    }
    assert_int_equal(meta_next(&rest, &header, NULL), 0);
    assert_int_equal(meta_next(&rest, &header, NULL), 0);
}

TEST(meta, ends_at_a_blank_line_with_nothing_behind)
{
    struct meta_header header;
    struct span rest = span_of_string("A: b\r\n\r\n");
    assert_int_equal(meta_next(&rest, &header, NULL), 1);
    assert_int_equal(meta_next(&rest, &header, NULL), 0);
    rest = span_of_string("\nA: b\n");
    assert_int_equal(meta_next(&rest, &header, NULL), ERR_ARGUMENT);
}

TEST(meta, refuses_what_is_no_header_line)
{
#define BYTES(text) span_of(text, sizeof(text) - 1)
    const struct span bad[] = {
        BYTES("no colon\n"),       BYTES(": no name\n"),  BYTES("A B: c\n"),
        BYTES("A : b\n"),          BYTES(" A: folded\n"), BYTES("A: b\rSet-Cookie: c\n"),
        BYTES("A: b\r"),           BYTES("A: b\0c\n"),    BYTES("A\0: b\n"),
        BYTES("A: \x1b[31mred\n"), BYTES("A: del\x7f\n"), BYTES("\xc3\xa9: b\n"),
        BYTES("A(: b\n"),          BYTES("A\r: b\n"),     BYTES("\r"),
        BYTES("HTTP/1.1 200\n"),   BYTES("A:\x01"),
    };
#undef BYTES
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct span rest = bad[i];
        struct meta_header header;
        struct msg msg = {""};
        assert_int_equal(meta_next(&rest, &header, &msg), ERR_ARGUMENT);
        assert_int_equal(rest.len, bad[i].len);
        assert_true(msg.text[0] != 0);
    }
}
