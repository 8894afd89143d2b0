/* test.h - a unit test is `TEST(subject, behaviour) { ... }`; cmocka runs what a file holds */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Adds one test to this program's list; called before main by TEST. */
void test_register(const char *name, void (*run)(void **state));

#define TEST(subject, behaviour)                                                    \
    static void subject##_##behaviour(void **state);                                \
    __attribute__((constructor)) static void register_##subject##_##behaviour(void) \
    {                                                                               \
        test_register(#subject ": " #behaviour, subject##_##behaviour);             \
    }                                                                               \
    static void subject##_##behaviour(__attribute__((unused)) void **state)
