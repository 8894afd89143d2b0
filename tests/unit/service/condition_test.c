/* condition_test.c - lists of entity tags, and what they say of one */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "service/condition.h"
#include "test.h"

enum { BAD = 1, ANY = 2, LISTED = 4, SAME = 8, ALIKE = 16 };

static int found(const struct tags *tags)
{
    return (tags->is_bad ? BAD : 0) | (tags->is_any ? ANY : 0) | (tags->is_listed ? LISTED : 0) |
           (tags->is_same ? SAME : 0) | (tags->is_alike ? ALIKE : 0);
}

TEST(condition, reads_lists_of_tags)
{
    static const struct {
        const char *field;
        int found;
    } rows[] = {
        {"\"cod\"", LISTED | SAME | ALIKE},
        {"W/\"cod\"", LISTED | ALIKE},
        {"\"eel\"", LISTED},
        {"\"eel\" , \"cod\"", LISTED | SAME | ALIKE},
        {"\"a,b\",,\t\"cod\",", LISTED | SAME | ALIKE},
        {"\"\"", LISTED},
        {"*", ANY},
        {" * ", ANY},
        {"", 0},
        {" , ,", 0},
        {"cod", BAD},
        {"\"cod", BAD},
        {"\"cod\" \"eel\"", BAD | LISTED | SAME | ALIKE},
        {"w/\"cod\"", BAD},
        {"W/cod", BAD},
        {"W/", BAD},
        {"\"", BAD},
        {"\"co d\"", BAD},
        {"*, \"cod\"", BAD},
        {"\"cod\", *", BAD | LISTED | SAME | ALIKE},
        {"\"Cod\"", LISTED},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        print_message("  %s\n", rows[i].field);
        struct tags tags = {0};
        tags_read(&tags, span_of_string(rows[i].field), "cod");
        assert_true(tags.is_given);
        assert_int_equal(found(&tags), rows[i].found);
    }
}

TEST(condition, joins_fields_and_refuses_a_star_among_tags)
{
    struct tags tags = {0};
    tags_read(&tags, span_of_string("\"eel\""), "cod");
    tags_read(&tags, span_of_string("\"cod\""), "cod");
    assert_int_equal(found(&tags), LISTED | SAME | ALIKE);
    tags_read(&tags, span_of_string("*"), "cod");
    assert_true(tags.is_bad);
    tags = (struct tags){0};
    tags_read(&tags, span_of_string("*"), NULL);
    assert_false(tags.is_bad);
    tags_read(&tags, span_of_string("\"cod\""), NULL);
    assert_true(tags.is_bad && !tags.is_same);
}

TEST(condition, takes_one_strong_tag_for_if_range)
{
    assert_true(tag_is(span_of_string("\"cod\""), "cod"));
    static const char *const others[] = {
        "W/\"cod\"", "\"eel\"", "\"cod\", \"cod\"", "*", "", "cod", "Wed, 25 Nov 2026 00:00:00 GMT",
    };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        assert_false(tag_is(span_of_string(others[i]), "cod"));
    }
}
