/* option.h - command lines from tables: parser and --help derive from the same rows */
/* SPDX-License-Identifier: MIT */
#pragma once
/* A program writes its options once, as rows OPTION(KIND, field, name, letter, argument, fallback,
 * min, max, text) of a .def file, and includes that file twice: with OPTION as OPTION_FIELD inside
 * the struct that takes the values, and with OPTION as a row maker (see OPTION_ROW) in an array.
 * Values of kinds TEXT, MAYBE and LIST are borrowed from argv. */
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_LIST_MAX = 64, OPTION_OPERANDS_MAX = 64 };

struct option_list {
    const char *items[OPTION_LIST_MAX];
    size_t count;
};

enum option_kind {
    OPTION_FLAG,    /* bool; takes no value */
    OPTION_TEXT,    /* const char *, NULL where not given */
    OPTION_MAYBE,   /* const char *: `--name` alone gives "", `--name=VALUE` the value */
    OPTION_COUNT,   /* uint64_t within min and max: 1e9, 10M */
    OPTION_MS,      /* uint64_t within min and max: 500, 10s */
    OPTION_ADDRESS, /* uint32_t: 0x80001000 */
    OPTION_LIST,    /* struct option_list: may be given again */
    OPTION_LATER,   /* bool; named in the contracts, answered with ERR_NOT_BUILT */
};

#define OPTION_TYPE_FLAG    bool
#define OPTION_TYPE_TEXT    const char *
#define OPTION_TYPE_MAYBE   const char *
#define OPTION_TYPE_COUNT   uint64_t
#define OPTION_TYPE_MS      uint64_t
#define OPTION_TYPE_ADDRESS uint32_t
#define OPTION_TYPE_LIST    struct option_list
#define OPTION_TYPE_LATER   bool

struct option_row {
    const char *name; /* without its dashes */
    char letter;      /* the short form, 0 for none */
    enum option_kind kind;
    size_t offset; /* of the field that takes the value */
    const char *argument;
    uint64_t fallback;
    uint64_t min;
    uint64_t max;
    const char *text; /* for --help */
};

#define OPTION_FIELD(kind, field, name, letter, argument, fallback, min, max, text) \
    OPTION_TYPE_##kind field;
#define OPTION_ROW(type, kind, field, name, letter, argument, fallback, min, max, text) \
    {name, letter, OPTION_##kind, offsetof(type, field), argument, fallback, min, max, text},

/* What --help shows, and what the parser reads. */
struct program {
    const char *name;     /* "rv32im", "mote post" */
    const char *operands; /* "ROM RAM IN OUT" */
    const char *purpose;  /* one line */
    const char *notes;    /* after the options; NULL for none */
    const struct option_row *rows;
    size_t rows_count;
    size_t operands_min;
    size_t operands_max;
    /* Options end at the first operand, and are not this program's own (mote cc hands them to the
     * compiler), so that --help does not list any. */
    bool is_prefix;
};

struct operands {
    const char *items[OPTION_OPERANDS_MAX];
    size_t count;
};

enum { OPTION_RUN = 0, OPTION_DONE = 1 };

/* Reads argv[1..] into `values`, a struct with the rows' fields, and the rest into `ret_operands`.
 * OPTION_DONE: --help, --version or --man was asked for and printed. ERR_USAGE, ERR_ARGUMENT and
 * ERR_NOT_BUILT with words that say which option and what to type, and to which the caller puts
 * the program's name; ERR_FULL where the help could not be printed. */
MUST_CHECK int option_parse(const struct program *program, char **argv, void *values,
                            struct operands *ret_operands, struct msg *msg);
/* Did what was printed on standard output and standard error get there? 0, or ERR_FULL with the
 * system's words. */
MUST_CHECK int option_printed(struct msg *msg);
/* Whether an option of this kind needs a value. */
bool option_takes_value(enum option_kind kind);
enum { OPTION_FALLBACK_SIZE = 40 };
/* What is true where the option is not given, as ` (10s)`; empty where its text says so. */
void option_fallback(const struct option_row *row, char ret_text[OPTION_FALLBACK_SIZE]);
/* What every program can be asked for. */
enum { OPTION_ASKED_COUNT = 3 };
extern const struct option_row option_asked[OPTION_ASKED_COUNT];
/* The text of --help, on standard output. */
void option_help(const struct program *program);
/* The name in `names` that `wrong` was probably meant to be; NULL where none is near. `stride`
 * is the distance between the pointers in bytes. */
const char *option_nearest(const char *wrong, const void *names, size_t count, size_t stride);
