/* test.c - main of every unit test program: runs the tests that registered themselves */
/* SPDX-License-Identifier: MIT */
#include "test.h"

enum { TESTS_MAX = 512 };

static struct CMUnitTest tests[TESTS_MAX];
static size_t tests_count;

void test_register(const char *name, void (*run)(void **state))
{
    assert_true(tests_count < TESTS_MAX);
    tests[tests_count++] = (struct CMUnitTest){.name = name, .test_func = run};
}

int main(void)
{
    return _cmocka_run_group_tests("unit", tests, tests_count, NULL, NULL);
}
