/* option_test.c - a command line against a table of options */
/* SPDX-License-Identifier: MIT */
#include "cmd/option.h"
#include "test.h"

#include <string.h>

struct values {
    bool is_loud;
    const char *file;
    const char *trace;
    uint64_t cycles;
    uint64_t ms;
    uint32_t address;
    struct option_list headers;
    bool gdb;
};

#define ROW(...) OPTION_ROW(struct values, __VA_ARGS__)
static const struct option_row rows[] = {
    ROW(FLAG, is_loud, "loud", 'l', NULL, 0, 0, 0, "be loud")
        ROW(TEXT, file, "file", 'f', "FILE", 0, 0, 0, "a file")
            ROW(MAYBE, trace, "trace", 0, "FILE", 0, 0, 0, "trace")
                ROW(COUNT, cycles, "max-cycles", 0, "N", 100, 1, 1000, "cap")
                    ROW(MS, ms, "max-ms", 0, "TIME", 10000, 1, 20000, "cap")
                        ROW(ADDRESS, address, "tohost", 0, "ADDRESS", 0, 0, 0, "address")
                            ROW(LIST, headers, "header", 'H', "LINE", 0, 0, 0, "header")
                                ROW(LATER, gdb, "gdb", 0, "PORT", 0, 0, 0, "debugger")};

static const struct program program = {"prog", "A [B]", "does", NULL, rows, ARRAY_COUNT(rows),
                                       1,      2,       false};

struct parsed {
    int result;
    struct values values;
    struct operands operands;
    struct msg msg;
};

static struct parsed parse(const char **argv)
{
    struct parsed p = {0};
    p.result = option_parse(&program, (char **)(void *)argv, &p.values, &p.operands, &p.msg);
    return p;
}

TEST(option, takes_every_kind_and_leaves_the_operands)
{
    const char *argv[] = {
        "prog",     "a",    "--loud",   "--file", "x",  "--trace", "--max-cycles=1e3",
        "--max-ms", "1.5s", "--tohost", "0x10",   "-H", "p: q",    "-Hr: s",
        "--",       "-b",   NULL};
    struct parsed p = parse(argv);
    assert_int_equal(p.result, OPTION_RUN);
    assert_true(p.values.is_loud);
    assert_string_equal(p.values.file, "x");
    assert_string_equal(p.values.trace, "");
    assert_int_equal(p.values.cycles, 1000);
    assert_int_equal(p.values.ms, 1500);
    assert_int_equal(p.values.address, 16);
    assert_int_equal(p.values.headers.count, 2);
    assert_string_equal(p.values.headers.items[1], "r: s");
    assert_int_equal(p.operands.count, 2);
    assert_string_equal(p.operands.items[1], "-b");
}

TEST(option, fills_in_what_is_not_given)
{
    const char *argv[] = {"prog", "a", "-lfx", NULL};
    struct parsed p = parse(argv);
    assert_int_equal(p.result, OPTION_RUN);
    assert_true(p.values.is_loud);
    assert_string_equal(p.values.file, "x");
    assert_null(p.values.trace);
    assert_int_equal(p.values.cycles, 100);
    assert_int_equal(p.values.ms, 10000);
}

static const struct {
    const char *argument;
    int err;
    const char *words;
} refusals[] = {
    {"--lout", ERR_USAGE, "did you mean --loud"},
    {"--xyz", ERR_USAGE, "unknown option --xyz. See `prog --help`"},
    {"-z", ERR_USAGE, "unknown option -z"},
    {"--file", ERR_USAGE, "--file needs a value: --file FILE"},
    {"-H", ERR_USAGE, "-H needs a value"},
    {"--loud=1", ERR_USAGE, "--loud takes no value"},
    {"--max-cycles=0", ERR_USAGE, "0 is not between 1 and 1000"},
    {"--max-ms=21s", ERR_USAGE, "21000 ms is not between 1 and 20000"},
    {"--max-cycles=many", ERR_USAGE, "`many` is not a whole number"},
    {"--tohost=main", ERR_USAGE, "--tohost: `main`"},
    {"--gdb", ERR_NOT_BUILT, "--gdb is not built yet"},
    {"--gdb=1234", ERR_NOT_BUILT, "--gdb is not built yet"},
};

TEST(option, refuses_with_words_that_help)
{
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        const char *argv[] = {"prog", "a", refusals[i].argument, NULL};
        struct parsed p = parse(argv);
        assert_int_equal(p.result, refusals[i].err);
        assert_non_null(strstr(p.msg.text, refusals[i].words));
    }
}

TEST(option, counts_the_operands)
{
    const char *none[] = {"prog", NULL};
    struct parsed p = parse(none);
    assert_int_equal(p.result, ERR_USAGE);
    assert_non_null(strstr(p.msg.text, "needs A [B]. See `prog --help`"));
    const char *three[] = {"prog", "1", "2", "3", NULL};
    p = parse(three);
    assert_int_equal(p.result, ERR_USAGE);
    assert_non_null(strstr(p.msg.text, "`3` is too much"));
}
