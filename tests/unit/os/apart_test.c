/* apart_test.c - whatever happens in the child, the parent gets its words or an error */
/* SPDX-License-Identifier: MIT */
#include "os/apart.h"
#include "test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_MEMORY_LIMIT 0
#else
#define HAS_MEMORY_LIMIT 1
#endif

static int write_some(void *context, FILE *to)
{
    fprintf(to, "%s and more", (const char *)context);
    return 0;
}

static int write_without_end(void *context, FILE *to)
{
    (void)context;
    for (int i = 0; i < 100000; i++) {
        fputs("a line that passes what the parent takes\n", to);
    }
    return 0;
}

static int fail_with_words(void *context, FILE *to)
{
    (void)context;
    fputs("no good", to);
    return ERR_NOT_FOUND;
}

static int die(void *context, FILE *to)
{
    (void)context;
    fputs("half of it", to);
    fflush(to);
    abort();
}

static int turn_round(void *context, FILE *to)
{
    (void)to;
    volatile int *turns = context;
    while (*turns >= 0) {
        *turns ^= 1;
    }
    return *turns;
}

static int open_something(void *context, FILE *to)
{
    (void)context;
    (void)to;
    return open("/dev/null", O_RDONLY) < 0 ? ERR_BUSY : 0;
}

static int take_memory(void *context, FILE *to)
{
    (void)context;
    (void)to;
    for (int i = 0; i < 64; i++) {
        void *volatile part = malloc((size_t)1 << 26); /* never touched, never freed */
        if (!part) {
            return ERR_NO_MEMORY;
        }
    }
    return 0;
}

struct result {
    int err;
    struct msg msg;
    struct buf text;
};

static struct result run(int (*work)(void *context, FILE *to), void *context)
{
    struct result result = {.err = 0};
    const struct os_apart apart = {work, context, 1, (uint64_t)1 << 28};
    buf_init(&result.text, 1000);
    result.err = os_apart(&apart, &result.text, &result.msg);
    return result;
}

TEST(apart, gives_what_the_child_writes)
{
    struct result result = run(write_some, "words");
    assert_int_equal(result.err, 0);
    assert_true(span_equals_string(buf_span(&result.text), "words and more"));
    buf_deinit(&result.text);
}

TEST(apart, tells_each_failure)
{
    int turns = 0;
    static const char *const died = "reading it took too much time or memory, or failed (";
    const struct {
        int (*work)(void *context, FILE *to);
        int err;
        const char *words;
    } cases[] = {
        {fail_with_words, ERR_NOT_FOUND, "no good"},
        {write_without_end, ERR_TOO_BIG, "passes 1000 bytes"},
        {die, ERR_BAD_IMAGE, died},
        {turn_round, ERR_BAD_IMAGE, died},
        {take_memory, HAS_MEMORY_LIMIT ? ERR_NO_MEMORY : 0, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct result result = run(cases[i].work, &turns);
        assert_int_equal(result.err, cases[i].err);
        assert_non_null(strstr(result.msg.text, cases[i].words));
        buf_deinit(&result.text);
    }
    assert_int_equal(turns, 0); /* its memory is not ours */
}

TEST(apart, lets_the_child_open_nothing)
{
    struct result result = run(open_something, NULL);
    assert_int_equal(result.err, ERR_BUSY);
    buf_deinit(&result.text);
}
