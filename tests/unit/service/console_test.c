/* console_test.c - console logs come, stay a while and go */
/* SPDX-License-Identifier: MIT */
#include "service/console.h"
#include "test.h"

#include <stdlib.h>

static void put(struct consoles *consoles, uint8_t number, uint64_t now_ns)
{
    struct console console = {.run = {{number}}, .bytes = malloc(1), .len = 1};
    assert_non_null(console.bytes);
    console.bytes[0] = number;
    buf_init(&console.report, 1);
    buf_put(&console.report, &number, 1);
    consoles_put(consoles, &console, now_ns);
}

TEST(console, forgets_the_oldest_and_the_overdue)
{
    struct consoles consoles;
    assert_int_equal(consoles_init(&consoles, 2, 100), 0);
    put(&consoles, 1, 1000);
    put(&consoles, 2, 1010);
    struct id first = {{1}};
    struct id second = {{2}};
    assert_int_equal(consoles_find(&consoles, &first, 1050)->bytes[0], 1);
    assert_int_equal(consoles_find(&consoles, &first, 1050)->report.data[0], 1);
    assert_null(consoles_find(&consoles, &first, 1100));
    assert_non_null(consoles_find(&consoles, &second, 1100));
    put(&consoles, 3, 1020);
    assert_null(consoles_find(&consoles, &first, 1050));
    assert_non_null(consoles_find(&consoles, &second, 1050));
    consoles_deinit(&consoles);
}

TEST(console, keeps_nothing_where_none_may_be_kept)
{
    struct consoles consoles;
    assert_int_equal(consoles_init(&consoles, 0, 100), 0);
    put(&consoles, 1, 1000);
    struct id id = {{1}};
    assert_null(consoles_find(&consoles, &id, 1000));
    consoles_deinit(&consoles);
}
