/* printable_test.c - what a stranger's text may do to a terminal */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "cmd/printable.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

TEST(printable, keeps_text_and_drops_what_steers)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"", ""},
        {"plain ~ text", "plain ~ text"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"a\x1b[31mb\a\n\r\t\x7f", "a?[31mb?????"},
        {"c1 \xc2\x9b"
         "31m \xc2\x85",
         "c1 ?31m ?"},
        {"bidi \xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f", "bidi ???"},
        {"latin \x9b"
         "31m \xff",
         "latin ?31m ?"},
        {"cut \xe2\x82", "cut ??"},
        {"overlong \xc0\x9b \xe0\x82\x9b", "overlong ?? ???"},
        {"surrogate \xed\xa0\x80 beyond \xf4\x90\x80\x80", "surrogate ? beyond ????"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", rows[i].text);
        make_printable(text);
        assert_string_equal(text, rows[i].wanted);
    }
}

TEST(printable, escapes_what_steers_but_line_ends_and_tabs)
{
    static const struct {
        struct span text;
        const char *wanted;
    } rows[] = {
#define ROW(text, wanted) {{(const uint8_t *)(text), sizeof(text) - 1}, wanted}
        ROW("", ""),
        ROW("gr\xc3\xbc\xc3\x9f\tline\r\n\nend\n", "gr\xc3\xbc\xc3\x9f\tline\r\n\nend\n"),
        ROW("a\x1b[2Jb\0c\x7f\b", "a\\x1b[2Jb\\x00c\\x7f\\x08"),
        ROW("over\rwritten\r", "over\\x0dwritten\\x0d"),
        ROW("\xc2\x9b"
            "31m \x9b"
            "31m",
            "\\xc2\\x9b31m \\x9b31m"),
        ROW("\xe2\x80\xae cut \xe2\x82", "\\xe2\\x80\\xae cut \\xe2\\x82"),
#undef ROW
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        assert_non_null(to);
        print_escaped(rows[i].text, to);
        fclose(to);
        assert_string_equal(text, rows[i].wanted);
        free(text);
    }
}
