/* option.c - reads a command line by its table, and prints the table as --help */
/* SPDX-License-Identifier: MIT */
#include "cmd/option.h"
#include "cmd/man.h"
#include "cmd/number.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX = 40, HELP_COLUMN = 28 };

const struct option_row option_asked[OPTION_ASKED_COUNT] = {
    {.name = "help", .letter = 'h', .kind = OPTION_FLAG, .text = "print this text"},
    {.name = "version", .kind = OPTION_FLAG, .text = "print the version"},
    {.name = "man", .kind = OPTION_FLAG, .text = "print the manual page, for `man -l -`"},
};

/* One walk over argv. */
struct reader {
    const struct program *program;
    char **at; /* the next argument */
    char *values;
    struct operands *operands;
    struct msg *msg;
};

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, for names below NAME_MAX characters. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NAME_MAX + 1];
    size_t b_len = strlen(b);
    if (b_len > NAME_MAX) {
        return NAME_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            size_t above = row[j + 1];
            row[j + 1] = smallest(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *option_nearest(const char *wrong, const void *names, size_t count, size_t stride)
{
    const char *nearest = NULL;
    size_t len = strlen(wrong);
    for (size_t i = 0; i < count && len > 2; i++) { /* a name that was not typed to its end */
        const char *name;
        memcpy(&name, (const char *)names + i * stride, sizeof name);
        if (strncmp(wrong, name, len) == 0) {
            return name;
        }
    }
    size_t least = 3; /* two slips of the finger, and fewer than half of the letters */
    for (size_t i = 0; i < count; i++) {
        const char *name;
        memcpy(&name, (const char *)names + i * stride, sizeof name);
        size_t d = distance(wrong, name);
        if (d < least && 2 * d < strlen(name)) {
            least = d;
            nearest = name;
        }
    }
    return nearest;
}

static const struct option_row *find_name(const struct program *program, const char *name,
                                          size_t len)
{
    for (size_t i = 0; i < program->rows_count; i++) {
        const char *row_name = program->rows[i].name;
        if (strlen(row_name) == len && memcmp(row_name, name, len) == 0) {
            return &program->rows[i];
        }
    }
    return NULL;
}

static const struct option_row *find_letter(const struct program *program, char letter)
{
    for (size_t i = 0; i < program->rows_count; i++) {
        if (program->rows[i].letter == letter) {
            return &program->rows[i];
        }
    }
    return NULL;
}

bool option_takes_value(enum option_kind kind)
{
    return kind != OPTION_FLAG && kind != OPTION_MAYBE && kind != OPTION_LATER;
}

static int bad_value(const struct reader *r, const struct option_row *row, const struct msg *why)
{
    return fail(r->msg, ERR_USAGE, "--%s: %s", row->name, why->text);
}

/* Parses a number and holds it against the row's bounds. */
static int set_number(const struct reader *r, const struct option_row *row, const char *text)
{
    struct msg why;
    uint64_t number;
    int err = row->kind == OPTION_MS ? number_parse_ms(text, &number, &why)
                                     : number_parse_count(text, &number, &why);
    if (err) {
        return bad_value(r, row, &why);
    }
    if (number < row->min || number > row->max) {
        return fail(r->msg, ERR_USAGE, "--%s: %llu%s is not between %llu and %llu", row->name,
                    (unsigned long long)number, row->kind == OPTION_MS ? " ms" : "",
                    (unsigned long long)row->min, (unsigned long long)row->max);
    }
    memcpy(r->values + row->offset, &number, sizeof number);
    return 0;
}

static int set_address(const struct reader *r, const struct option_row *row, const char *text)
{
    struct msg why;
    uint32_t address;
    if (number_parse_address(text, &address, &why)) {
        return bad_value(r, row, &why);
    }
    memcpy(r->values + row->offset, &address, sizeof address);
    return 0;
}

static int set_list(const struct reader *r, const struct option_row *row, const char *text)
{
    struct option_list *list = (struct option_list *)(void *)(r->values + row->offset);
    if (list->count == OPTION_LIST_MAX) {
        return fail(r->msg, ERR_USAGE, "--%s: given more than %d times", row->name,
                    OPTION_LIST_MAX);
    }
    list->items[list->count++] = text;
    return 0;
}

/* Stores one option; `text` is its value, "" for a flag. */
static int set(const struct reader *r, const struct option_row *row, const char *text)
{
    bool yes = true;
    switch (row->kind) {
    case OPTION_FLAG:
        memcpy(r->values + row->offset, &yes, sizeof yes);
        return 0;
    case OPTION_TEXT:
    case OPTION_MAYBE:
        memcpy(r->values + row->offset, &text, sizeof text);
        return 0;
    case OPTION_COUNT:
    case OPTION_MS:
        return set_number(r, row, text);
    case OPTION_ADDRESS:
        return set_address(r, row, text);
    case OPTION_LIST:
        return set_list(r, row, text);
    case OPTION_LATER:
        break;
    }
    return fail(r->msg, ERR_NOT_BUILT, "--%s is not built yet (%s)", row->name, row->text);
}

static int unknown(const struct reader *r, const char *argument)
{
    char name[NAME_MAX + 1];
    size_t len = strcspn(argument + 2, "=");
    snprintf(name, sizeof name, "%.*s", (int)(len > NAME_MAX ? NAME_MAX : len), argument + 2);
    const struct option_row *rows = r->program->rows;
    const char *nearest =
        rows ? option_nearest(name, &rows->name, r->program->rows_count, sizeof *rows) : NULL;
    if (nearest) {
        return fail(r->msg, ERR_USAGE, "unknown option --%s: did you mean --%s? See `%s --help`",
                    name, nearest, r->program->name);
    }
    return fail(r->msg, ERR_USAGE, "unknown option --%s. See `%s --help`", name, r->program->name);
}

/* A value comes after `=` or as the next argument. */
static int read_long(struct reader *r, const char *argument)
{
    const char *name = argument + 2;
    size_t len = strcspn(name, "=");
    const struct option_row *row = find_name(r->program, name, len);
    if (!row) {
        return unknown(r, argument);
    }
    const char *value = name[len] ? name + len + 1 : NULL;
    if (value && row->kind == OPTION_FLAG) {
        return fail(r->msg, ERR_USAGE, "--%s takes no value", row->name);
    }
    if (!value && option_takes_value(row->kind)) {
        value = *r->at;
        if (!value) {
            return fail(r->msg, ERR_USAGE, "--%s needs a value: --%s %s", row->name, row->name,
                        row->argument);
        }
        r->at++;
    }
    return set(r, row, value ? value : "");
}

/* -x, -xVALUE, -x VALUE; flags may stand together. */
static int read_short(struct reader *r, const char *argument)
{
    for (const char *p = argument + 1; *p; p++) {
        const struct option_row *row = find_letter(r->program, *p);
        if (!row) {
            return fail(r->msg, ERR_USAGE, "unknown option -%c. See `%s --help`", *p,
                        r->program->name);
        }
        if (option_takes_value(row->kind)) {
            const char *value = p[1] ? p + 1 : *r->at;
            if (!value) {
                return fail(r->msg, ERR_USAGE, "-%c needs a value: -%c %s", *p, *p, row->argument);
            }
            r->at += p[1] == 0;
            return set(r, row, value);
        }
        int err = set(r, row, "");
        if (err) {
            return err;
        }
    }
    return 0;
}

static int add_operand(struct reader *r, const char *argument)
{
    struct operands *operands = r->operands;
    size_t max = r->program->operands_max;
    if (operands->count >= max || operands->count >= OPTION_OPERANDS_MAX) {
        if (max == 0) {
            return fail(r->msg, ERR_USAGE,
                        "`%.80s` is too much: there are options only. See `%s --help`", argument,
                        r->program->name);
        }
        return fail(r->msg, ERR_USAGE, "`%.80s` is too much after %s. See `%s --help`", argument,
                    r->program->operands, r->program->name);
    }
    operands->items[operands->count++] = argument;
    return 0;
}

static void print_argument(const struct option_row *row, int *column)
{
    if (row->kind == OPTION_MAYBE) {
        *column += printf("[=%s]", row->argument);
    } else if (option_takes_value(row->kind)) {
        *column += printf(" %s", row->argument);
    }
}

void option_fallback(const struct option_row *row, char ret_text[OPTION_FALLBACK_SIZE])
{
    bool is_seconds = row->kind == OPTION_MS && row->fallback % 1000 == 0;
    unsigned long long value = row->fallback / (is_seconds ? 1000 : 1);
    snprintf(ret_text, value ? OPTION_FALLBACK_SIZE : 1, " (%llu%s)", value, is_seconds ? "s" : "");
}

static void print_row(const struct option_row *row)
{
    char fallback[OPTION_FALLBACK_SIZE];
    if (row->kind == OPTION_LATER) {
        return;
    }
    int column = row->letter ? printf("  -%c, --%s", row->letter, row->name)
                             : printf("      --%s", row->name);
    print_argument(row, &column);
    if (column >= HELP_COLUMN) {
        putchar('\n');
        column = 0;
    }
    option_fallback(row, fallback);
    printf("%*s%s%s\n", HELP_COLUMN - column, "", row->text, fallback);
}

static bool has_later(const struct program *program)
{
    for (size_t i = 0; i < program->rows_count; i++) {
        if (program->rows[i].kind == OPTION_LATER) {
            return true;
        }
    }
    return false;
}

static void print_options(const struct program *program)
{
    printf("\nOptions:\n");
    for (size_t i = 0; i < program->rows_count; i++) {
        print_row(&program->rows[i]);
    }
    for (size_t i = 0; i < OPTION_ASKED_COUNT; i++) {
        print_row(&option_asked[i]);
    }
}

void option_help(const struct program *program)
{
    printf("%s - %s\n\nUsage: %s%s%s%s\n", program->name, program->purpose, program->name,
           program->is_prefix ? "" : " [OPTIONS]", program->operands[0] ? " " : "",
           program->operands);
    if (!program->is_prefix) {
        print_options(program);
    }
    if (has_later(program)) {
        printf("\nNot built yet:");
        for (size_t i = 0; i < program->rows_count; i++) {
            if (program->rows[i].kind == OPTION_LATER) {
                printf(" --%s", program->rows[i].name);
            }
        }
        putchar('\n');
    }
    if (program->notes) {
        printf("\n%s", program->notes);
    }
}

static void set_fallbacks(const struct program *program, char *values)
{
    for (size_t i = 0; i < program->rows_count; i++) {
        const struct option_row *row = &program->rows[i];
        if (row->kind == OPTION_COUNT || row->kind == OPTION_MS) {
            memcpy(values + row->offset, &row->fallback, sizeof row->fallback);
        }
    }
}

int option_printed(struct msg *msg)
{
    if (fflush(stdout) || ferror(stdout)) {
        return fail(msg, ERR_FULL, "standard output: %s", strerror(errno));
    }
    if (fflush(stderr) || ferror(stderr)) {
        return fail(msg, ERR_FULL, "standard error: %s", strerror(errno));
    }
    return 0;
}

/* Help and version win over everything that is wrong further on. */
static bool print_asked(const struct program *program, const char *argument)
{
    if (strcmp(argument, "--help") == 0 ||
        (strcmp(argument, "-h") == 0 && !find_letter(program, 'h'))) {
        option_help(program);
        return true;
    }
    if (strcmp(argument, "--version") == 0) {
        printf("%s (Mote) %s\n", program->name, MOTE_VERSION);
        return true;
    }
    if (strcmp(argument, "--man") == 0) {
        man_print(program);
        return true;
    }
    return false;
}

static int read_one(struct reader *r, const char *argument, bool *is_ended)
{
    if (*is_ended || argument[0] != '-' || argument[1] == 0) {
        *is_ended = *is_ended || r->program->is_prefix;
        return add_operand(r, argument);
    }
    if (strcmp(argument, "--") == 0) {
        *is_ended = true;
        return 0;
    }
    if (print_asked(r->program, argument)) {
        int err = option_printed(r->msg);
        return err ? err : OPTION_DONE;
    }
    return argument[1] == '-' ? read_long(r, argument) : read_short(r, argument);
}

int option_parse(const struct program *program, char **argv, void *values,
                 struct operands *ret_operands, struct msg *msg)
{
    struct reader r = {program, argv[0] ? argv + 1 : argv, values, ret_operands, msg};
    bool is_ended = false;
    ret_operands->count = 0;
    set_fallbacks(program, values);
    while (*r.at) {
        const char *argument = *r.at++;
        int result = read_one(&r, argument, &is_ended);
        if (result) {
            return result;
        }
    }
    if (ret_operands->count < program->operands_min) {
        return fail(msg, ERR_USAGE, "needs %s. See `%s --help`", program->operands, program->name);
    }
    return OPTION_RUN;
}
