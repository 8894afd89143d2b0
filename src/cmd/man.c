/* man.c - prints rows and notes in roff, with every character that means something to it escaped */
/* SPDX-License-Identifier: MIT */
#include "cmd/man.h"
#include "base/span.h"

#include <stdio.h>

static const char exit_title[] = "Exit status:";

/* What stands for a character that roff would take for something else, or typeset as another. */
static const struct {
    char byte;
    const char *roff;
} escapes[] = {
    {'\\', "\\e"}, {'-', "\\-"}, {'\'', "\\(aq"}, {'^', "\\(ha"}, {'~', "\\(ti"}, {'"', "\\(dq"},
};

static const char *escape_of(char byte)
{
    for (size_t i = 0; i < ARRAY_COUNT(escapes); i++) {
        if (escapes[i].byte == byte) {
            return escapes[i].roff;
        }
    }
    return NULL;
}

/* Text within a line; what stands between backquotes is bold. */
static void put_text(struct span text)
{
    bool is_bold = false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = (char)text.data[i];
        const char *escape = escape_of(byte);
        if (byte == '`') {
            is_bold = !is_bold;
            fputs(is_bold ? "\\fB" : "\\fR", stdout);
        } else if (escape) {
            fputs(escape, stdout);
        } else {
            putchar(byte);
        }
    }
    fputs(is_bold ? "\\fR" : "", stdout);
}

static void put_string(const char *text)
{
    put_text(span_of_string(text));
}

static void put_line(struct span line)
{
    fputs("\\&", stdout); /* no request, whatever it begins with */
    put_text(line);
    putchar('\n');
}

void man_section(const char *title)
{
    printf(".SH %s\n", title);
}

static bool is_exit_line(struct span line)
{
    size_t len = sizeof exit_title - 1;
    return line.len >= len && memcmp(line.data, exit_title, len) == 0;
}

/* Lines that begin with two spaces are tables and examples, and stay as they are. */
static void put_note(struct span line, bool *is_table)
{
    bool is_row = line.len > 2 && memcmp(line.data, "  ", 2) == 0;
    if (is_row != *is_table) {
        puts(is_row ? ".RS 2\n.nf" : ".fi\n.RE");
        *is_table = is_row;
    }
    if (line.len == 0) {
        puts(".PP");
    } else {
        put_line(is_row ? span_of(line.data + 2, line.len - 2) : line);
    }
}

/* The notes without the paragraph of the exit status, or that alone. */
static void put_notes(const struct program *program, bool is_exit)
{
    struct span rest = span_of_string(program->notes ? program->notes : "");
    bool is_in_exit = false;
    bool is_table = false;
    while (rest.len > 0) {
        struct span line = span_take_line(&rest);
        bool is_title = is_exit_line(line);
        is_in_exit = is_title || (is_in_exit && line.len > 0);
        if (is_title) {
            size_t len = sizeof exit_title - 1;
            line = span_trim(span_of(line.data + len, line.len - len));
        }
        if (is_in_exit == is_exit && !(is_title && line.len == 0) && !(is_exit && line.len == 0)) {
            put_note(line, &is_table);
        }
    }
    fputs(is_table ? ".fi\n.RE\n" : "", stdout);
}

static void put_page_name(const char *name)
{
    for (; *name; name++) {
        fputs(*name == ' ' ? "\\-" : (char[]){*name, 0}, stdout);
    }
}

static void put_option(const struct option_row *row)
{
    char fallback[OPTION_FALLBACK_SIZE];
    puts(".TP");
    if (row->letter) {
        printf("\\fB\\-%c\\fR, ", row->letter);
    }
    fputs("\\fB\\-\\-", stdout);
    put_string(row->name);
    fputs("\\fR", stdout);
    if (row->kind == OPTION_MAYBE) {
        printf("[=\\fI%s\\fR]", row->argument);
    } else if (option_takes_value(row->kind)) {
        printf(" \\fI%s\\fR", row->argument);
    }
    fputs("\n\\&", stdout);
    put_string(row->text);
    option_fallback(row, fallback);
    printf("%s\n", fallback);
}

static void put_later(const struct program *program)
{
    bool is_first = true;
    for (size_t i = 0; i < program->rows_count; i++) {
        if (program->rows[i].kind == OPTION_LATER) {
            fputs(is_first ? ".PP\nNot built yet:" : "", stdout);
            fputs(" \\fB\\-\\-", stdout);
            put_string(program->rows[i].name);
            fputs("\\fR", stdout);
            is_first = false;
        }
    }
    fputs(is_first ? "" : ".\n", stdout);
}

static void put_options(const struct program *program)
{
    man_section("OPTIONS");
    for (size_t i = 0; i < program->rows_count; i++) {
        if (program->rows[i].kind != OPTION_LATER) {
            put_option(&program->rows[i]);
        }
    }
    for (size_t i = 0; i < OPTION_ASKED_COUNT; i++) {
        put_option(&option_asked[i]);
    }
    put_later(program);
}

void man_item(const char *name, const char *text)
{
    fputs(".TP\n\\fB", stdout);
    put_string(name);
    fputs("\\fR\n\\&", stdout);
    put_string(text);
    putchar('\n');
}

void man_begin(const struct program *program)
{
    printf(".\\\" Written by `%s --man` from the tables of its options.\n.TH ", program->name);
    put_page_name(program->name);
    puts(" 1 \"\" \"Mote " MOTE_VERSION "\" Mote");
    man_section("NAME");
    put_page_name(program->name);
    fputs(" \\- ", stdout);
    put_string(program->purpose);
    puts("\n.SH SYNOPSIS");
    printf("\\fB%s\\fR%s ", program->name, program->is_prefix ? "" : " [\\fIOPTIONS\\fR]");
    put_string(program->operands);
    putchar('\n');
    if (program->notes) {
        man_section("DESCRIPTION");
        put_notes(program, false);
    }
    if (!program->is_prefix) {
        put_options(program);
    }
}

void man_end(const struct program *program)
{
    static const char *const pages[] = {"mote", "rv32im"};
    const char *before = "";
    if (program->notes && strstr(program->notes, exit_title)) {
        man_section("EXIT STATUS");
        put_notes(program, true);
    }
    man_section("SEE ALSO");
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        if (strcmp(pages[i], program->name) != 0) {
            printf("%s\\fB%s\\fR(1)", before, pages[i]);
            before = ", ";
        }
    }
    putchar('\n');
}

void man_print(const struct program *program)
{
    man_begin(program);
    man_end(program);
}
