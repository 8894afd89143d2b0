/* mote_dis.c - `mote dis`: an image's instructions, with its symbols as labels */
/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "cmd/command.h"
#include "isa/isa.h"
#include "machine/symbols.h"
#include "os/given.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct dis_options {
    bool raw;
};

static const struct option_row rows[] = {
    OPTION_ROW(struct dis_options, FLAG, raw, "raw", 0, NULL, 0, 0, 0,
               "take the file as raw binary, whatever it looks like")};

static const struct program program = {
    .name = "mote dis",
    .operands = "FILE",
    .purpose = "disassemble an image",
    .notes =
        "Lists the executable sections of an ELF, with its symbols as labels; of Intel HEX,\n"
        "S-records and UF2 each stretch of memory; a raw image as it lies in the ROM window.\n"
        "Instructions are written as objdump -M no-aliases does; what the symbols call data, and\n"
        "what is cut off at the end, are bytes.\n\n"
        "Exit status: 0, 124 for a file that cannot be used, 125 for wrong usage.\n",
    .rows = rows,
    .rows_count = ARRAY_COUNT(rows),
    .operands_min = 1,
    .operands_max = 1,
};

enum format {
#define FORMAT(name, ...) FORMAT_##name,
#include "isa/format.def"
#undef FORMAT
};

/* Jumps and branches, whose immediate is a distance. */
static bool has_target(const struct insn *insn)
{
    static const enum format formats[OP_COUNT] = {
#define INSN(name, extension, format, ...) [OP_##name] = FORMAT_##format,
#include "isa/rv32.def"
#undef INSN
    };
    return insn->op != OP_illegal &&
           (formats[insn->op] == FORMAT_B || formats[insn->op] == FORMAT_J);
}

static void print_target(const struct symbols *symbols, uint32_t target)
{
    struct span name;
    uint32_t offset;
    if (!symbols_find(symbols, target, &name, &offset)) {
        return;
    }
    printf("  <%.*s", (int)name.len, (const char *)name.data);
    if (offset) {
        printf("+0x%" PRIx32, offset);
    }
    putchar('>');
}

static void print_text(const char *text)
{
    int width = (int)strcspn(text, "\t");
    if (text[width]) {
        printf("  %-10.*s %s", width, text, text + width + 1);
    } else {
        printf("  %s", text);
    }
}

/* Bytes that are no instruction, as the assembler takes them: words where they are aligned. */
static unsigned print_data(uint32_t pc, struct span bytes)
{
    unsigned size = bytes.len >= 4 && pc % 4 == 0 ? 4 : bytes.len >= 2 && pc % 2 == 0 ? 2 : 1;
    uint32_t value = 0;
    for (unsigned i = size; i-- > 0;) {
        value = value << 8 | bytes.data[i];
    }
    const char *word = size == 4 ? ".4byte" : size == 2 ? ".2byte" : ".byte";
    printf("%08" PRIx32 ":  %0*" PRIx32 "%*s  %-10s 0x%" PRIx32 "\n", pc, (int)(2 * size), value,
           (int)(8 - 2 * size), "", word, value);
    return size;
}

/* One instruction at `bytes`, or what its end cuts off; its size. */
static unsigned print_one(const struct symbols *symbols, uint32_t pc, struct span bytes)
{
    char text[ISA_TEXT_MAX];
    uint8_t padded[4] = {0};
    memcpy(padded, bytes.data, bytes.len < 4 ? bytes.len : 4);
    uint32_t word = padded[0] | (uint32_t)padded[1] << 8 | (uint32_t)padded[2] << 16 |
                    (uint32_t)padded[3] << 24;
    if (bytes.len < isa_size(word) || pc % 2 != 0) {
        return print_data(pc, bytes);
    }
    unsigned size = isa_disassemble(word, pc, text);
    struct insn insn;
    if (size == 2) {
        printf("%08" PRIx32 ":  %04" PRIx32 "    ", pc, word & 0xffff);
    } else {
        printf("%08" PRIx32 ":  %08" PRIx32, pc, word);
    }
    print_text(text);
    if (isa_decode(word, &insn) && has_target(&insn)) {
        print_target(symbols, pc + (uint32_t)insn.imm);
    }
    putchar('\n');
    return size;
}

static void print_label(const struct symbols *symbols, uint32_t pc)
{
    struct span name;
    uint32_t offset;
    if (symbols_find(symbols, pc, &name, &offset) && offset == 0) {
        printf("\n%08" PRIx32 " <%.*s>:\n", pc, (int)name.len, (const char *)name.data);
    }
}

static void print_code(const struct symbols *symbols, const struct image_code *code)
{
    size_t at = 0;
    uint32_t same = 0; /* for how many more bytes is_data holds */
    bool is_data = false;
    const uint32_t *label = symbols->begins + symbols_next(symbols, code->address);
    const uint32_t *labels_end = symbols->begins + symbols->begins_count;
    printf("\n%.*s%s%zu bytes at 0x%08" PRIx32 "\n", (int)code->name.len,
           (const char *)code->name.data, code->name.len ? ": " : "", code->bytes.len,
           code->address);
    while (at < code->bytes.len) {
        uint32_t pc = code->address + (uint32_t)at;
        if (label < labels_end && pc >= *label) {
            print_label(symbols, pc);
            while (label < labels_end && *label <= pc) {
                label++;
            }
        }
        if (same == 0) {
            is_data = symbols_is_data(symbols, pc, &same);
        }
        size_t left = code->bytes.len - at < same ? code->bytes.len - at : same;
        if (label < labels_end && *label - pc < left) { /* what a label names begins there */
            left = *label - pc;
        }
        struct span bytes = span_of(code->bytes.data + at, left);
        uint32_t size = is_data ? print_data(pc, bytes) : print_one(symbols, pc, bytes);
        at += size;
        same -= size;
    }
}

static int print_image(struct span file, enum image_format format, const char *path,
                       struct msg *msg)
{
    struct image image;
    struct symbols symbols;
    struct image_code code;
    struct msg why = {{0}};
    uint32_t number = 0;
    int err = image_parse(file, format, &image, &why);
    if (err) {
        return fail(msg, err, "%.150s: %s", path, why.text);
    }
    err = symbols_init(&symbols, &image);
    if (err) {
        image_deinit(&image);
        return fail(msg, err, "%.150s: no memory for its symbols", path);
    }
    printf("%s: %s, entry 0x%08" PRIx32 "\n", path, image_format_text(image.format), image.entry);
    while (image_next_code(&image, &number, &code)) {
        print_code(&symbols, &code);
    }
    symbols_deinit(&symbols);
    image_deinit(&image);
    return 0;
}

static int read_file(const char *path, uint8_t **ret_bytes, size_t *ret_len, struct msg *msg)
{
    struct os_given given;
    struct msg why = {{0}};
    int err = os_given_open(path, OS_GIVEN_READ, &given, &why);
    if (err) {
        return fail(msg, err, "%.150s: %s", path, why.text);
    }
    if (given.size > IMAGE_BYTES_MAX) {
        os_given_close(&given);
        return fail(msg, ERR_TOO_BIG,
                    "%.150s: %" PRIu64 " bytes; an image of any format has at most %" PRIu64, path,
                    given.size, IMAGE_BYTES_MAX);
    }
    uint8_t *bytes = malloc(IMAGE_BYTES_MAX);
    err = bytes ? os_given_read(&given, bytes, IMAGE_BYTES_MAX, ret_len, &why)
                : fail(&why, ERR_NO_MEMORY, "no memory for %" PRIu64 " bytes", IMAGE_BYTES_MAX);
    os_given_close(&given);
    if (err) {
        free(bytes);
        return fail(msg, err, "%.150s: %s", path, why.text);
    }
    *ret_bytes = bytes;
    return 0;
}

int mote_dis(int argc, char **argv)
{
    check(argc > 0);
    struct dis_options options = {.raw = false};
    struct operands operands;
    struct msg msg = {{0}};
    uint8_t *bytes = NULL;
    size_t len = 0;
    int err = option_parse(&program, argv, &options, &operands, &msg);
    if (err == OPTION_DONE) {
        return 0;
    }
    const char *path = operands.items[0];
    err = err ? err : read_file(path, &bytes, &len, &msg);
    err = err ? err
              : print_image(span_of(bytes, len), options.raw ? IMAGE_RAW : IMAGE_AUTO, path, &msg);
    free(bytes);
    return command_end(&program, err, &msg);
}
