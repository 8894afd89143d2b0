/* record_test.c - images made of records: Intel HEX, S-records, UF2, and hostile ones by name */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"

#include "base/check.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 1 << 16 };
static const uint32_t rom = 0x20000000, ram = 0x80000000;

/* Writes `text` with each `??` replaced by the checksum of its line. */
static void put_checksums(const char *text, char ret_text[TEXT_MAX])
{
    struct span rest = span_of_string(text);
    char *to = ret_text;
    while (rest.len > 0) {
        const char *begin = (const char *)rest.data;
        struct span line = span_take_line(&rest);
        size_t len = (size_t)((const char *)rest.data - begin);
        size_t mark = line.len > 0 && line.data[0] == 'S' ? 2 : 1;
        unsigned sum = 0;
        assert_true((size_t)(to - ret_text) + len < TEXT_MAX);
        memcpy(to, begin, len);
        for (size_t i = mark; i + 1 < line.len && line.data[i] != '?'; i += 2) {
            sum += (unsigned)hex_digit(line.data[i]) << 4 | (unsigned)hex_digit(line.data[i + 1]);
        }
        char *query = memchr(to, '?', len);
        if (query) {
            char digits[3];
            snprintf(digits, sizeof digits, "%02X", ((mark == 2 ? 0xffu : 0) - sum) & 0xff);
            memcpy(query, digits, 2);
        }
        to += len;
    }
    *to = 0;
}

static int parse(const char *text, enum image_format wanted, struct image *ret_image,
                 struct msg *msg)
{
    char full[TEXT_MAX];
    put_checksums(text, full);
    struct span file = span_of_string(full);
    /* At the very end of its memory, so that AddressSanitizer sees a byte read behind it. */
    uint8_t *copy = malloc(file.len);
    assert_non_null(copy);
    memcpy(copy, full, file.len);
    int err = image_parse(span_of(copy, file.len), wanted, ret_image, msg);
    free(copy);
    return err;
}

static void assert_segment(const struct image *image, uint32_t number, uint32_t address,
                           const char *text)
{
    assert_int_equal(image->segments[number].address, address);
    assert_true(span_equals_string(image->segments[number].bytes, text));
}

/* ---- what loads: one segment of ROM */

#define HEX_ROM ":020000042000??\n"
#define HEX_END ":00000001FF\n"
#define S_END   "S9030000FC\n"

static const struct good {
    const char *text;
    const char *bytes;
    enum image_format format;
    uint32_t entry; /* above ROM's base */
} goods[] = {
    {HEX_ROM ":0400000061626364??\n" HEX_END, "abcd", IMAGE_HEX, 0},
    {"\r\n\n" HEX_ROM ":0400000061626364??\r\n" HEX_END "\r\n \t\n", "abcd", IMAGE_HEX, 0},
    {":020000042000da\n:020000006a6B??\n:00000001ff", "jk", IMAGE_HEX, 0},
    {HEX_ROM ":020000006162??\n:020002006364??\n" HEX_END, "abcd", IMAGE_HEX, 0},
    {HEX_ROM ":020002006364??\n:020000006162??\n" HEX_END, "abcd", IMAGE_HEX, 0},
    {HEX_ROM ":0100000061??\n:0100020063??\n:0100010062??\n" HEX_END, "abc", IMAGE_HEX, 0},
    {HEX_ROM ":0400000061626364??\n:0400000520000002??\n" HEX_END, "abcd", IMAGE_HEX, 2},
    {HEX_ROM ":0400000061626364??\n:0400000300000000??\n" HEX_END, "abcd", IMAGE_HEX, 0},
    {HEX_ROM ":00000000??\n:0100000061??\n" HEX_END, "a", IMAGE_HEX, 0},
    {HEX_ROM ":0200020061"
             "62??\n" HEX_END,
     "ab", IMAGE_HEX, 2},
    {"S30820000000616263??\n" S_END, "abc", IMAGE_SREC, 0},
    {"S30820000000616263??\nS70520000002??\n", "abc", IMAGE_SREC, 2},
    {"S00600004844521B\r\nS30820000000616263??\r\nS5030001??\r\nS9030000FC\r\n", "abc", IMAGE_SREC,
     0},
    {"S3062000000261??\nS307200000006162??\nS604000002??\nS804000000??\n", "aba", IMAGE_SREC, 0},
    {"S30520000000??\nS3062000000061??\n" S_END, "a", IMAGE_SREC, 0},
};

TEST(records, load_what_is_good)
{
    for (size_t i = 0; i < ARRAY_COUNT(goods); i++) {
        const struct good *g = &goods[i];
        struct image image;
        struct msg msg = {""};
        int err = parse(g->text, IMAGE_AUTO, &image, &msg);
        if (err) {
            print_error("%s%s\n", g->text, msg.text);
        }
        assert_int_equal(err, 0);
        assert_int_equal(image.format, g->format);
        assert_int_equal(image.entry, rom + g->entry);
        assert_int_equal(image.heap, 0);
        assert_int_equal(image.segments_count, 1);
        assert_true(span_equals_string(image.segments[0].bytes, g->bytes));
        image_deinit(&image);
        image_deinit(&image); /* once more is nothing */
        assert_int_equal(parse(g->text, g->format, &image, NULL), 0);
        image_deinit(&image);
        assert_int_equal(parse(g->text, IMAGE_RAW, &image, NULL), 0);
        assert_int_equal(image.format, IMAGE_RAW);
        assert_int_equal(image.segments[0].address, rom);
        image_deinit(&image);
    }
}

TEST(records, go_to_rom_and_ram_in_order_of_address)
{
    struct image image;
    assert_int_equal(parse(":020000048000??\n:0200080063"
                           "64??\n:020000006162??\n"
                           ":02000004"
                           "2000??\n:0201000065"
                           "66??\n" HEX_END,
                           IMAGE_AUTO, &image, NULL),
                     0);
    assert_int_equal(image.segments_count, 3);
    assert_segment(&image, 0, rom + 0x100, "ef");
    assert_segment(&image, 1, ram, "ab");
    assert_segment(&image, 2, ram + 8, "cd");
    assert_int_equal(image.entry, rom + 0x100);
    struct image_code code;
    uint32_t number = 0;
    for (uint32_t i = 0; i < 3; i++) { /* for a listing */
        assert_true(image_next_code(&image, &number, &code));
        assert_int_equal(code.address, image.segments[i].address);
    }
    assert_false(image_next_code(&image, &number, &code));
    image_deinit(&image);
}

/* ---- what does not, and why */

static const struct {
    const char *text;
    const char *words;
} hostiles[] = {
    {HEX_ROM ":0400000061626364??\n", "ends after line 2 without an end record (:00000001FF)"},
    {HEX_ROM ":04000000616263", "line 2: it counts 4 bytes and has 2"},
    {HEX_ROM ":040000006162636", "line 2: 15 characters after the mark"},
    {HEX_ROM ":0400000061626364????\n" HEX_END, "line 2: 20 characters after the mark"},
    {":020000042000DB\n" HEX_END, "line 1: its checksum is DB, its bytes have DA"},
    {HEX_ROM ":0400000061626g64??\n", "line 2: 18 characters after the mark"},
    {HEX_ROM ":00000006??\n", "line 2: a record of type 6; there are 0 to 5"},
    {HEX_ROM ":000000ff??\n", "a record of type 255"},
    {HEX_ROM ":0100000100??\n", "line 2: a record of type 1 with 1 bytes; it has 0"},
    {":0300000420"
     "0000??\n",
     "line 1: a record of type 4 with 3 bytes; it has 2"},
    {":00000002??\n", "line 1: a record of type 2 with 0 bytes; it has 2"},
    {":02000003"
     "0000??\n",
     "of type 3 with 2 bytes; it has 4"},
    {":02000005"
     "0000??\n",
     "of type 5 with 2 bytes; it has 4"},
    {HEX_ROM ":0100000061??\n" HEX_END HEX_END, "line 4: 11 characters follow the end record"},
    {HEX_ROM ":0100000061??\n" HEX_END "x", "line 4: 1 characters follow the end record"},
    {HEX_ROM "hello\n" HEX_END, "line 2 is no record of Intel HEX, such as :00000001FF"},
    {HEX_ROM S_END, "line 2 is no record of Intel HEX"},
    {HEX_ROM ":\n" HEX_END, "line 2: 0 characters after the mark"},
    {HEX_END, "none of the Intel HEX's 1 lines has bytes to load"},
    {HEX_ROM ":00000000??\n" HEX_END, "none of the Intel HEX's 3 lines has bytes"},
    {":0100000061??\n" HEX_END, "line 1: 1 bytes at 0x00000000 lie outside the windows (ROM 0x2"},
    {":02000002FFFF??\n:01FFFF0061??\n" HEX_END, "line 2: 1 bytes at 0x0010ffef lie outside"},
    {":020000021000??\n:02FFFF006162??\n" HEX_END,
     "line 2: 2 bytes at 0xffff pass the end of a segment of 64 KiB, which has 1 from there"},
    {":020000042200??\n:0100000061??\n" HEX_END, "lie in IN, which no image may fill"},
    {":020000042400??\n:0100000061??\n" HEX_END, "lie in OUT, which no image may fill"},
    {":0200000421FF??\n:02FFFF006162??\n" HEX_END, "pass the end of ROM, which has 1 from there"},
    {":0200000481FF??\n:02FFFF006162??\n" HEX_END, "pass the end of RAM, which has 1 from there"},
    {":02000004FFFF??\n:02FFFF006162??\n" HEX_END, "2 bytes at 0xffffffff pass the end of the add"},
    {HEX_ROM ":020000006162??\n:0100010061??\n" HEX_END, "line 3: 1 bytes at 0x20000001 overlap"},
    {HEX_ROM ":020001006162??\n:020000006162??\n" HEX_END, "line 3: 2 bytes at 0x20000000 overlap"},
    {HEX_ROM ":0100010061??\n:03000000616263??\n" HEX_END, "line 3: 3 bytes at 0x20000000 overlap"},
    {HEX_ROM ":0100000061??\n:0100000061??\n" HEX_END, "overlap those of an earlier line"},
    {HEX_ROM ":0100000061??\n:0400000520000001??\n" HEX_END, "the entry 0x20000001 is odd"},
    {HEX_ROM ":0100000061??\n:0400000522000000??\n" HEX_END, "the entry 0x22000000 lies outside"},
    {HEX_ROM ":0100000061??\n:0400000300001234??\n" HEX_END, "the entry 0x00001234 lies outside"},
    {HEX_ROM ":0100010061??\n" HEX_END, "the entry 0x20000001 is odd"},
    {"S3062000000061??\n", "the S-record ends after line 1 without an end record (S9030000FC)"},
    {"S306200000006100\n" S_END, "line 1: its checksum is 00, its bytes have 78"},
    {"S3072000000061??\n" S_END, "line 1: it counts 7 bytes and has 6"},
    {"S30520000000\n" S_END, "line 1: it counts 5 bytes and has 4"},
    {"S304200000??\n" S_END, "line 1: a record S3 of 5 bytes ends inside its address of 4"},
    {"S4030000FC\n" S_END, "line 1: there is no record S4"},
    {"S3062000000061??\nS5030002??\n" S_END, "line 2: it counts 2 data records; there are 1"},
    {"S3062000000061??\nS504000100??\n" S_END, "line 2: a record S5 with 1 bytes of data"},
    {"S3062000000061??\nS904000000??\n", "line 2: a record S9 with 1 bytes of data"},
    {"S3062000000061??\n" S_END S_END, "line 3: 10 characters follow the end record"},
    {"S3062000000061??\nSX03\n", "line 2 is no record of S-record"},
    {"S3062000000061??\nS\n", "line 2 is no record of S-record"},
    {"S3062000000061??\n" HEX_END, "line 2 is no record of S-record"},
    {"S10400006161\n" S_END, "line 1: its checksum is 61"},
    {"S104000061??\n" S_END, "line 1: 1 bytes at 0x00000000 lie outside the windows"},
    {"S20500000061??\n" S_END, "line 1: 1 bytes at 0x00000000 lie outside the windows"},
    {"S307FFFFFFFF6162??\n" S_END, "2 bytes at 0xffffffff pass the end of the address space"},
    {"S3062000000061??\nS3062000000061??\n" S_END, "line 2: 1 bytes at 0x20000000 overlap"},
    {"S3062000000061??\nS70520000001??\n", "the entry 0x20000001 is odd"},
    {S_END, "none of the S-record's 1 lines has bytes to load"},
};

TEST(records, are_refused_by_name)
{
    for (size_t i = 0; i < ARRAY_COUNT(hostiles); i++) {
        struct image image = {.decoded = NULL};
        struct msg msg = {""};
        int err = parse(hostiles[i].text, IMAGE_AUTO, &image, &msg);
        if (err != ERR_BAD_IMAGE || !strstr(msg.text, hostiles[i].words)) {
            print_error("%s\nwanted `%s`, got %d `%s`\n", hostiles[i].text, hostiles[i].words, err,
                        msg.text);
        }
        assert_int_equal(err, ERR_BAD_IMAGE);
        assert_non_null(strstr(msg.text, hostiles[i].words));
        assert_null(image.decoded);
    }
}

/* What only resembles a record is a raw binary. */
TEST(records, begin_with_a_whole_mark)
{
    static const char *const raws[] = {":",          ":0",         ":000000", ":00000001F",
                                       "S",          "S9",         "S903000", "SA030000FC",
                                       "s9030000FC", "S9030000FG", "UF2\n",   "\n\n"};
    for (size_t i = 0; i < ARRAY_COUNT(raws); i++) {
        struct image image;
        assert_int_equal(parse(raws[i], IMAGE_AUTO, &image, NULL), 0);
        assert_int_equal(image.format, IMAGE_RAW);
        for (int format = IMAGE_ELF; format < IMAGE_RAW; format++) {
            struct msg msg;
            assert_int_equal(parse(raws[i], (enum image_format)format, &image, &msg),
                             ERR_BAD_IMAGE);
            assert_non_null(strstr(msg.text, "does not begin like"));
        }
    }
}

/* `count` bytes of ROM, each in a line of its own, `step` apart. */
static int parse_scattered(unsigned count, int step, struct image *ret_image, struct msg *msg)
{
    static char text[TEXT_MAX];
    size_t len = (size_t)snprintf(text, sizeof text, HEX_ROM);
    for (unsigned i = 0; i < count; i++) {
        unsigned address = 0x8000 + (unsigned)((int)i * step);
        len += (size_t)snprintf(text + len, sizeof text - len, ":01%04X00%02X??\n",
                                address & 0xffff, i & 0xff);
    }
    snprintf(text + len, sizeof text - len, HEX_END);
    return parse(text, IMAGE_AUTO, ret_image, msg);
}

TEST(records, are_bounded_in_pieces)
{
    struct image image;
    struct msg msg;
    assert_int_equal(parse_scattered(IMAGE_SEGMENTS_MAX, 2, &image, NULL), 0);
    assert_int_equal(image.segments_count, IMAGE_SEGMENTS_MAX);
    image_deinit(&image);
    assert_int_equal(parse_scattered(IMAGE_SEGMENTS_MAX + 1, 2, &image, &msg), ERR_BAD_IMAGE);
    assert_non_null(strstr(msg.text, "fills 65 stretches of memory; at most 64 may be"));
    assert_int_equal(parse_scattered(1025, 2, &image, &msg), ERR_BAD_IMAGE);
    assert_non_null(strstr(msg.text, "line 1026: what came so far lies in more than 1024 pieces"));
    assert_int_equal(parse_scattered(2001, -1, &image, NULL), 0); /* from the last to the first */
    assert_int_equal(image.segments_count, 1);
    assert_int_equal(image.segments[0].address, rom + 0x8000 - 2000);
    for (unsigned i = 0; i < 2001; i++) {
        assert_int_equal(image.segments[0].bytes.data[2000 - i], i & 0xff);
    }
    image_deinit(&image);
}

/* A format of one record, which changes its file at the end of the first walk. */
struct fickle {
    uint32_t address; /* of itself */
    uint32_t len;     /* 0: a record that is broken */
    const struct fickle *next;
};

static int next_fickle(struct records *r, struct piece *ret_piece, struct msg *msg UNUSED)
{
    struct fickle *file = (struct fickle *)(uintptr_t)r->rest.data;
    if (r->number++ > 0) {
        *file = file->next ? *file->next : *file;
        return 0;
    }
    if (file->len == 0) {
        return ERR_BAD_IMAGE;
    }
    *ret_piece = (struct piece){file->address, span_of(file, file->len)};
    return 1;
}

TEST(records, are_not_trusted_when_their_file_changes)
{
    static const struct record_format format = {IMAGE_HEX, "fickle", "record", next_fickle};
    static const struct fickle changed[] = {
        {0x1ffffffc, 8, NULL}, /* below the first run */
        {0x20000008, 8, NULL}, /* behind the last */
        {0x20000001, 8, NULL}, /* a byte over its end */
        {0x20000000, 9, NULL}, /* too long */
        {0xfffffff8, 8, NULL}, /* far away */
        {0x20000000, 0, NULL}, /* not to be read any more */
    };
    for (size_t i = 0; i < ARRAY_COUNT(changed); i++) {
        struct fickle file = {rom, 8, &changed[i]};
        struct image image = {.windows = machine_profile(PROFILE_VIRT)->windows,
                              .file = span_of(&file, sizeof file)};
        struct msg msg = {""};
        assert_int_equal(image_parse_records(&image, &format, &msg), ERR_BAD_IMAGE);
        assert_string_equal(msg.text, "record 1: the file changed while it was read");
        image_deinit(&image);
    }
}

/* ---- UF2 */

struct block {
    uint32_t start[2];
    uint32_t flags;
    uint32_t address;
    uint32_t len;
    uint32_t number;
    uint32_t count;
    uint32_t family;
    uint8_t data[476];
    uint32_t end;
};

enum { BLOCKS = 3 };

struct uf2 {
    struct block blocks[BLOCKS];
};

/* Two blocks of 256 bytes in ROM and one in RAM. */
static struct uf2 good_uf2(void)
{
    struct uf2 file = {0};
    for (uint32_t i = 0; i < BLOCKS; i++) {
        file.blocks[i] = (struct block){.start = {0x0a324655, 0x9e5d5157},
                                        .address = i == 2 ? ram : rom + 256 * i,
                                        .len = 256,
                                        .number = i,
                                        .count = BLOCKS,
                                        .end = 0x0ab16f30};
        memset(file.blocks[i].data, (int)(i + 'a'), sizeof file.blocks[i].data);
    }
    return file;
}

static int parse_uf2(const struct uf2 *file, size_t len, struct image *ret_image, struct msg *msg)
{
    return image_parse(span_of(file, len), IMAGE_AUTO, ret_image, msg);
}

TEST(uf2, goes_to_rom_and_ram)
{
    struct uf2 file = good_uf2();
    struct image image;
    assert_int_equal(parse_uf2(&file, sizeof file, &image, NULL), 0);
    assert_int_equal(image.format, IMAGE_UF2);
    assert_int_equal(image.entry, rom);
    assert_int_equal(image.segments_count, 2);
    assert_int_equal(image.segments[0].bytes.len, 512);
    assert_int_equal(image.segments[0].bytes.data[0], 'a');
    assert_int_equal(image.segments[0].bytes.data[256], 'b');
    assert_int_equal(image.segments[1].address, ram);
    assert_int_equal(image.segments[1].bytes.data[255], 'c');
    image_deinit(&image);
}

TEST(uf2, takes_blocks_in_any_order)
{
    struct uf2 file = good_uf2();
    const struct uf2 sorted = file;
    struct image image;
    for (size_t i = 0; i < BLOCKS; i++) {
        file.blocks[i] = sorted.blocks[(i + 2) % BLOCKS];
    }
    assert_int_equal(parse_uf2(&file, sizeof file, &image, NULL), 0);
    assert_int_equal(image.entry, rom);
    assert_int_equal(image.segments_count, 2);
    assert_int_equal(image.segments[0].bytes.len, 512);
    assert_int_equal(image.segments[0].bytes.data[0], 'a');
    assert_int_equal(image.segments[0].bytes.data[256], 'b');
    assert_int_equal(image.segments[1].bytes.data[0], 'c');
    image_deinit(&image);
}

TEST(uf2, takes_any_board_and_skips_what_is_no_memory)
{
    struct uf2 file = good_uf2();
    struct image image;
    file.blocks[0].flags = 0x2000; /* a family is named */
    file.blocks[0].family = 0xe48bff56;
    file.blocks[1].flags = 0x0001; /* not main flash */
    file.blocks[1].address = 0;
    file.blocks[2].len = 476;
    assert_int_equal(parse_uf2(&file, sizeof file, &image, NULL), 0);
    assert_int_equal(image.segments_count, 2);
    assert_int_equal(image.segments[0].bytes.len, 256);
    assert_int_equal(image.segments[1].bytes.len, 476);
    image_deinit(&image);

    /* Files for two boards, one behind the other. */
    file = good_uf2();
    file.blocks[0].count = 1;
    file.blocks[1].number = 0;
    file.blocks[2].number = 1;
    file.blocks[1].count = file.blocks[2].count = 2;
    assert_int_equal(parse_uf2(&file, sizeof file, &image, NULL), 0);
    image_deinit(&image);
}

#define FIELD(field) offsetof(struct uf2, field)

/* One word of the good file is set to `value`: what must be said. */
static const struct {
    size_t offset;
    uint32_t value;
    const char *words;
} bad_words[] = {
    {FIELD(blocks[1].start[0]), 0, "block 2: its magic numbers"},
    {FIELD(blocks[2].start[1]), 0, "block 3: its magic numbers"},
    {FIELD(blocks[0].end), 0, "block 1: its magic numbers"},
    {FIELD(blocks[1].len), 477, "block 2: a payload of 477 bytes; at most 476 fit"},
    {FIELD(blocks[1].len), 0xffffffff, "a payload of 4294967295 bytes"},
    {FIELD(blocks[0].len), 257, "block 2: 256 bytes at 0x20000100 overlap those of an earlier"},
    {FIELD(blocks[0].flags), 0x1000, "block 1 is part of a file in a container"},
    {FIELD(blocks[0].number), 1, "block 2 says that it is 1 of 3, as an earlier one does"},
    {FIELD(blocks[1].number), 0, "block 2 says that it is 0 of 3, as an earlier one does"},
    {FIELD(blocks[2].number), 0xffffffff, "block 3 says that it is 4294967295 of 3, in a"},
    {FIELD(blocks[1].count), 4, "block 2 says that it is 1 of 4, in a series of 3"},
    {FIELD(blocks[2].number), 3, "block 3 says that it is 3 of 3, in a series of 3"},
    {FIELD(blocks[0].count), 0, "block 1 begins a series of 0; 1 to 262144 blocks may be one"},
    {FIELD(blocks[0].count), 262145, "block 1 begins a series of 262145; 1 to 262144 blocks"},
    {FIELD(blocks[0].address), 0x10000000, "block 1: 256 bytes at 0x10000000 lie outside"},
    {FIELD(blocks[0].address), 0x21ffffff, "pass the end of ROM, which has 1"},
    {FIELD(blocks[2].address), 0xffffff01, "256 bytes at 0xffffff01 pass the end of the address"},
    {FIELD(blocks[2].address), 0x24000000, "lie in OUT"},
};

TEST(uf2, is_refused_by_name)
{
    for (size_t i = 0; i < ARRAY_COUNT(bad_words); i++) {
        struct uf2 file = good_uf2();
        struct image image;
        struct msg msg = {""};
        memcpy((uint8_t *)&file + bad_words[i].offset, &bad_words[i].value, 4);
        assert_int_equal(parse_uf2(&file, sizeof file, &image, &msg), ERR_BAD_IMAGE);
        if (!strstr(msg.text, bad_words[i].words)) {
            fail_msg("row %zu: %s", i, msg.text);
        }
    }
}

TEST(uf2, is_refused_at_every_cut)
{
    struct uf2 file = good_uf2();
    struct image image;
    struct msg msg;
    for (size_t len = 8; len < sizeof file; len++) {
        assert_int_equal(parse_uf2(&file, len, &image, &msg), ERR_BAD_IMAGE);
        assert_non_null(strstr(msg.text, "ends after"));
    }
    for (size_t i = 0; i < BLOCKS; i++) { /* nothing but blocks to skip */
        file.blocks[i].flags = 1;
    }
    assert_int_equal(parse_uf2(&file, sizeof file, &image, &msg), ERR_BAD_IMAGE);
    assert_non_null(strstr(msg.text, "none of the UF2's 3 blocks has bytes to load"));
}
