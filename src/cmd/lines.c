/* lines.c - line tables (DWARF 5, 6.2) by way of elfutils' libdw */
/* SPDX-License-Identifier: MIT */
#include "cmd/lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A relative path of the table, and what it is from the folder that its unit was compiled in. */
struct joined {
    const char *path; /* libdw's, which gives the same pointer for the same file of a unit */
    struct joined *before;
    char text[];
};

struct lines {
    Elf *elf;
    Dwarf *dwarf;
    struct joined *joined; /* newest first; owned */
};

struct walk {
    int (*visit)(void *context, const struct line_row *row);
    void *context;
    struct lines *lines;
    const char *folder; /* of the present unit; NULL where it says none */
    struct joined *end; /* those of the units before */
};

/* The path from the unit's folder, NULL without memory. */
static const char *join(struct walk *walk, const char *path)
{
    if (path[0] == '/' || !walk->folder) {
        return path;
    }
    for (struct joined *j = walk->lines->joined; j != walk->end; j = j->before) {
        if (j->path == path) {
            return j->text;
        }
    }
    const char *rest = strncmp(path, "./", 2) == 0 ? path + 2 : path;
    size_t size = strlen(walk->folder) + strlen(rest) + 2;
    struct joined *j = malloc(sizeof *j + size);
    if (!j) {
        return NULL;
    }
    j->path = path;
    j->before = walk->lines->joined;
    walk->lines->joined = j;
    snprintf(j->text, size, "%s/%s", walk->folder, rest);
    return j->text;
}

/* A row lasts to the next one's address; the last of a sequence is only an end. */
static int walk_row(struct walk *walk, Dwarf_Lines *lines, size_t i)
{
    struct line_row row = {0};
    Dwarf_Line *this = dwarf_onesrcline(lines, i);
    Dwarf_Line *next = dwarf_onesrcline(lines, i + 1);
    Dwarf_Addr begin;
    Dwarf_Addr end;
    int number;
    bool is_end;
    if (dwarf_lineendsequence(this, &is_end) || is_end || dwarf_lineaddr(this, &begin) ||
        dwarf_lineaddr(next, &end) || dwarf_lineno(this, &number) || number <= 0 || begin >= end ||
        end > UINT32_MAX) {
        return 0;
    }
    const char *path = dwarf_linesrc(this, NULL, NULL);
    row.path = path ? join(walk, path) : NULL;
    row.line = (uint32_t)number;
    row.begin = (uint32_t)begin;
    row.end = (uint32_t)end;
    return row.path ? walk->visit(walk->context, &row) : path ? ERR_NO_MEMORY : 0;
}

static int walk_unit(struct walk *walk, Dwarf *dwarf, Dwarf_Off offset)
{
    Dwarf_Die unit;
    Dwarf_Lines *lines;
    size_t count;
    if (!dwarf_offdie(dwarf, offset, &unit) || dwarf_getsrclines(&unit, &lines, &count)) {
        return 0; /* a unit without lines, as of assembly without -g */
    }
    Dwarf_Attribute attribute;
    walk->folder = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    walk->end = walk->lines->joined;
    int err = 0;
    for (size_t i = 0; i + 1 < count && !err; i++) {
        err = walk_row(walk, lines, i);
    }
    return err;
}

int lines_walk(struct lines *lines, int (*visit)(void *context, const struct line_row *row),
               void *context, struct msg *msg)
{
    struct walk walk = {.visit = visit, .context = context, .lines = lines};
    Dwarf_Off next = 0;
    size_t header_size;
    for (Dwarf_Off at = 0;; at = next) {
        int result = dwarf_nextcu(lines->dwarf, at, &next, &header_size, NULL, NULL, NULL);
        if (result > 0) {
            return 0;
        }
        if (result < 0 || next <= at) {
            return fail(msg, ERR_BAD_IMAGE, "its DWARF at offset %llu cannot be read: %s",
                        (unsigned long long)at, dwarf_errmsg(-1));
        }
        int err = walk_unit(&walk, lines->dwarf, at + header_size);
        if (err) {
            return err;
        }
    }
}

int lines_open(struct span elf, struct lines **ret_lines, struct msg *msg)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (!lines) {
        return fail(msg, ERR_NO_MEMORY, "no memory");
    }
    elf_version(EV_CURRENT);
    lines->elf = elf_memory((char *)elf.data, elf.len); /* read only: it never writes there */
    lines->dwarf = lines->elf ? dwarf_begin_elf(lines->elf, DWARF_C_READ, NULL) : NULL;
    if (!lines->dwarf) {
        lines_close(lines);
        return fail(msg, ERR_BAD_IMAGE, "its DWARF cannot be read: %s", dwarf_errmsg(-1));
    }
    *ret_lines = lines;
    return 0;
}

void lines_close(struct lines *lines)
{
    if (lines) {
        while (lines->joined) {
            struct joined *j = lines->joined;
            lines->joined = j->before;
            free(j);
        }
        dwarf_end(lines->dwarf);
        elf_end(lines->elf);
        free(lines);
    }
}
