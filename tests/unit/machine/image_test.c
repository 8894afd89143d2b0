/* image_test.c - images that load, and hostile ones that are refused by name */
/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "machine/backtrace.h"
#include "machine/symbols.h"

#include "test.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

/* An ELF of 2 segments, 1 section for each, a symbol table and its names, as bytes that a test may
 * bend: `ROM` code with its headers apart, `RAM` data with room behind it. */
struct elf {
    Elf32_Ehdr header;
    Elf32_Phdr ph[2];
    Elf32_Shdr sh[5]; /* none, .text, .data, .symtab, .strtab */
    Elf32_Sym symbols[7];
    char names[64];
    uint8_t text[64];
    uint8_t data[32];
};

enum { TEXT = 0x20000000, DATA = 0x80000000 };

static Elf32_Shdr section(uint32_t type, uint32_t address, size_t offset, size_t size)
{
    return (Elf32_Shdr){.sh_type = type,
                        .sh_addr = address,
                        .sh_offset = (uint32_t)offset,
                        .sh_size = (uint32_t)size};
}

static Elf32_Sym symbol(uint32_t name, uint32_t value, uint32_t size, int type, uint16_t section)
{
    return (Elf32_Sym){.st_name = name,
                       .st_value = value,
                       .st_size = size,
                       .st_info = (unsigned char)ELF32_ST_INFO(STB_GLOBAL, type),
                       .st_shndx = section};
}

static struct elf good_elf(void)
{
    struct elf elf = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_RISCV,
                   .e_version = EV_CURRENT,
                   .e_entry = TEXT + 4,
                   .e_phoff = offsetof(struct elf, ph),
                   .e_phentsize = sizeof(Elf32_Phdr),
                   .e_phnum = 2,
                   .e_shoff = offsetof(struct elf, sh),
                   .e_shentsize = sizeof(Elf32_Shdr),
                   .e_shnum = 5},
        .ph = {{PT_LOAD, offsetof(struct elf, text), TEXT, TEXT, 64, 64, PF_R | PF_X, 4},
               {PT_LOAD, offsetof(struct elf, data), DATA, TEXT + 64, 32, 4096, PF_R | PF_W, 4}},
        .names = "\0main\0start\0tohost\0$x\0bad\nname\0table",
    };
    elf.sh[1] = section(SHT_PROGBITS, TEXT, offsetof(struct elf, text), 64);
    elf.sh[2] = section(SHT_PROGBITS, DATA, offsetof(struct elf, data), 32);
    elf.sh[3] = section(SHT_SYMTAB, 0, offsetof(struct elf, symbols), sizeof elf.symbols);
    elf.sh[3].sh_link = 4;
    elf.sh[3].sh_entsize = sizeof(Elf32_Sym);
    elf.sh[4] = section(SHT_STRTAB, 0, offsetof(struct elf, names), sizeof elf.names);
    elf.symbols[1] = symbol(1, TEXT + 16, 16, STT_FUNC, 1);    /* main */
    elf.symbols[2] = symbol(6, TEXT, 0, STT_NOTYPE, 1);        /* start */
    elf.symbols[3] = symbol(12, DATA + 8, 4, STT_OBJECT, 2);   /* tohost */
    elf.symbols[4] = symbol(19, TEXT + 16, 0, STT_NOTYPE, 1);  /* $x */
    elf.symbols[5] = symbol(22, TEXT + 40, 0, STT_NOTYPE, 1);  /* bad\nname */
    elf.symbols[6] = symbol(31, DATA + 16, 16, STT_OBJECT, 2); /* table */
    for (size_t i = 0; i < sizeof elf.text; i++) {
        elf.text[i] = (uint8_t)i;
    }
    return elf;
}

static int parse(const struct elf *elf, struct image *ret_image, struct msg *msg)
{
    return image_parse(span_of(elf, sizeof *elf), IMAGE_AUTO, ret_image, msg);
}

/* The ELF must be refused, in words that hold `words`. */
static void assert_refused(const struct elf *elf, const char *words)
{
    struct image image;
    struct msg msg = {""};
    assert_int_equal(parse(elf, &image, &msg), ERR_BAD_IMAGE);
    if (!strstr(msg.text, words)) {
        print_error("wanted `%s`, got `%s`\n", words ? words : "success", msg.text);
    }
    assert_non_null(strstr(msg.text, words));
}

TEST(image, lays_segments_at_physical_addresses)
{
    struct elf elf = good_elf();
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.format, IMAGE_ELF);
    assert_int_equal(image.entry, TEXT + 4);
    assert_int_equal(image.tohost, DATA + 8);
    assert_int_equal(image.segments_count, 2);
    assert_int_equal(image.segments[0].address, TEXT);
    assert_ptr_equal(image.segments[0].bytes.data, elf.text);
    assert_int_equal(image.segments[0].bytes.len, 64);
    assert_int_equal(image.segments[1].address, TEXT + 64);
    assert_int_equal(image.segments[1].bytes.len, 32);
}

TEST(image, drops_headers_below_the_window_only)
{
    struct elf elf = good_elf();
    uint32_t before = offsetof(struct elf, text);
    elf.ph[0] =
        (Elf32_Phdr){PT_LOAD, 0, TEXT - before, TEXT - before, before + 64, before + 64, PF_X, 4};
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.segments[0].address, TEXT);
    assert_ptr_equal(image.segments[0].bytes.data, elf.text);
    assert_int_equal(image.segments[0].bytes.len, 64);

    /* A segment of nothing but headers goes whole. */
    elf = good_elf();
    elf.ph[1] = (Elf32_Phdr){PT_LOAD, 0, 0x10000, 0x10000, before, before, PF_R, 4};
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.segments_count, 1);

    /* Its memory past the file's bytes must be in a window all the same. */
    elf.ph[1].p_memsz++;
    assert_refused(&elf, "segment 1: 1 bytes of memory at 0x000");

    /* Any other segment outside the windows is refused. */
    elf = good_elf();
    elf.ph[0].p_paddr = TEXT - 4;
    assert_refused(&elf, "segment 0: 64 bytes at physical address 0x1ffffffc lie outside");
}

TEST(image, keeps_headers_that_lie_in_a_window)
{
    struct elf elf = good_elf();
    elf.ph[0] = (Elf32_Phdr){PT_LOAD, 0, TEXT, TEXT, 64, 64, PF_X, 4};
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_ptr_equal(image.segments[0].bytes.data, &elf);
}

TEST(image, lets_memory_without_bytes_name_any_window)
{
    struct elf elf = good_elf();
    elf.ph[1] = (Elf32_Phdr){PT_LOAD, 0, 0x24000000, 0, 0, 0x02000000, PF_W, 4};
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.segments_count, 1);
}

TEST(image, tells_where_its_memory_ends)
{
    struct elf elf = good_elf();
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.heap, DATA + 4096); /* room behind the data, which ROM holds */
    elf.ph[0].p_paddr = DATA + 0x8000;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.heap, DATA + 0x8000 + 64); /* the bytes are laid in RAM */
    elf = good_elf();
    elf.ph[1].p_vaddr = 0x24000000; /* no RAM at all */
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.heap, DATA);
    elf.ph[1].p_vaddr = 0x81fff000;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.heap, 0x82000000);
}

TEST(image, walks_executable_sections)
{
    struct elf elf = good_elf();
    struct image image;
    struct image_code code;
    uint32_t number = 0;
    elf.sh[1].sh_flags = SHF_EXECINSTR;
    elf.sh[1].sh_name = 31;
    elf.header.e_shstrndx = 4;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_true(image_next_code(&image, &number, &code));
    assert_int_equal(code.address, TEXT);
    assert_ptr_equal(code.bytes.data, elf.text);
    assert_int_equal(code.bytes.len, 64);
    assert_true(span_equals_string(code.name, "table"));
    assert_false(image_next_code(&image, &number, &code));

    /* A section outside the file is left out. */
    elf.sh[1].sh_size = sizeof elf;
    number = 0;
    assert_false(image_next_code(&image, &number, &code));

    /* Without sections the segments stand in. */
    elf.header.e_shnum = 0;
    number = 0;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_true(image_next_code(&image, &number, &code));
    assert_int_equal(code.address, TEXT);
    assert_int_equal(code.name.len, 0);
    assert_true(image_next_code(&image, &number, &code));
    assert_int_equal(code.address, TEXT + 64);
    assert_false(image_next_code(&image, &number, &code));
}

TEST(image, names_begin_in_order)
{
    static const uint32_t begins[] = {TEXT, TEXT + 16, DATA + 8, DATA + 16};
    struct elf elf = good_elf();
    struct image image;
    struct symbols symbols;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(symbols_init(&symbols, &image), 0);
    assert_int_equal(symbols.begins_count, ARRAY_COUNT(begins));
    for (size_t i = 0; i < ARRAY_COUNT(begins); i++) {
        assert_int_equal(symbols.begins[i], begins[i]);
        assert_int_equal(symbols_next(&symbols, begins[i]), i);
        assert_int_equal(symbols_next(&symbols, begins[i] + 1), i + 1);
    }
    symbols_deinit(&symbols);
}

TEST(image, places_without_a_size_reach_to_the_next_name)
{
    static const struct {
        const char *name;
        uint32_t size;
    } rows[] = {{"main", 16}, {"start", 16}, {"tohost", 4}, {"table", 16}};
    struct elf elf = good_elf();
    struct image image;
    struct symbols symbols;
    struct image_place place;
    uint32_t number = 0;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(symbols_init(&symbols, &image), 0);
    assert_int_equal(symbols.places_count, ARRAY_COUNT(rows));
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_true(symbols_next_place(&symbols, &number, &place));
        assert_true(span_equals_string(place.name, rows[i].name));
        assert_int_equal(place.size, rows[i].size);
    }
    assert_false(symbols_next_place(&symbols, &number, &place));
    symbols_deinit(&symbols);
}

static unsigned random_below(unsigned *state, unsigned limit)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 16) % limit;
}

#define PICK(array, state) ((array)[random_below((state), ARRAY_COUNT(array))])

/* A symbol table that is anything: sizes, kinds and places that overlap, touch and wrap. */
static void scramble_symbols(struct elf *elf, unsigned *state)
{
    static const uint32_t values[] = {TEXT, TEXT + 8, TEXT + 16, TEXT + 60, DATA, 0xfffffff8};
    static const uint32_t sizes[] = {0, 0, 0, 4, 8, 16, 0xffffffff};
    static const uint8_t types[] = {STT_FUNC, STT_OBJECT, STT_NOTYPE, STT_SECTION};
    static const uint32_t names[] = {0, 1, 6, 12, 19, 31};
    for (size_t i = 0; i < ARRAY_COUNT(elf->symbols); i++) {
        elf->symbols[i] = (Elf32_Sym){
            .st_name = PICK(names, state),
            .st_value = PICK(values, state) + random_below(state, 4),
            .st_size = PICK(sizes, state),
            .st_info =
                ELF32_ST_INFO(random_below(state, 2) ? STB_LOCAL : STB_GLOBAL, PICK(types, state)),
            .st_shndx = (uint16_t)random_below(state, 3),
        };
    }
}

static void assert_same_symbol(const struct symbols *symbols, uint32_t address)
{
    struct span name[2] = {{0}};
    uint32_t offset[2] = {0};
    bool is_named = image_symbol(symbols->image, address, &name[0], &offset[0]);
    assert_int_equal(symbols_find(symbols, address, &name[1], &offset[1]), is_named);
    assert_ptr_equal(name[1].data, name[0].data);
    assert_int_equal(name[1].len, name[0].len);
    assert_int_equal(offset[1], offset[0]);
}

TEST(image, sorted_symbols_answer_as_the_table_does)
{
    static const uint32_t from[] = {TEXT - 4, DATA - 4, 0xffffffc0, 0};
    unsigned dice = 1;
    for (unsigned round = 0; round < 500; round++) {
        struct elf elf = good_elf();
        struct image image;
        struct symbols symbols;
        scramble_symbols(&elf, &dice);
        assert_int_equal(parse(&elf, &image, NULL), 0);
        assert_int_equal(symbols_init(&symbols, &image), 0);
        for (size_t i = 0; i < ARRAY_COUNT(from); i++) {
            for (uint32_t at = 0; at < 64; at++) {
                assert_same_symbol(&symbols, from[i] + at);
            }
        }
        symbols_deinit(&symbols);
    }
}

/* One field of the good ELF is set to `value`: what must be said. */
struct hostile {
    size_t offset;
    size_t size;
    uint32_t value;
    const char *words;
};

#define FIELD(field)  offsetof(struct elf, field), sizeof((struct elf *)0)->field
#define IDENT(number) offsetof(struct elf, header) + (number), 1

static const struct hostile hostiles[] = {
    {IDENT(EI_CLASS), ELFCLASS64, "64-bit"},
    {IDENT(EI_CLASS), 7, "unknown class"},
    {IDENT(EI_DATA), ELFDATA2MSB, "big-endian"},
    {IDENT(EI_DATA), 0, "unknown byte order"},
    {IDENT(EI_VERSION), 2, "version 2"},
    {FIELD(header.e_machine), EM_X86_64, "machine 62"},
    {FIELD(header.e_type), ET_REL, "link it first"},
    {FIELD(header.e_type), ET_CORE, "type 4"},
    {FIELD(header.e_flags), EF_RISCV_FLOAT_ABI_SINGLE, "for the single-float (ilp32f) ABI"},
    {FIELD(header.e_flags), EF_RISCV_FLOAT_ABI_DOUBLE | EF_RISCV_RVC, "double-float (ilp32d) ABI"},
    {FIELD(header.e_flags), EF_RISCV_FLOAT_ABI_QUAD, "quad-float ABI"},
    {FIELD(header.e_phnum), 0, "has no segments"},
    {FIELD(header.e_phnum), 0xffff, "lies outside the file"},
    {FIELD(header.e_phentsize), 33, "of 33 bytes"},
    {FIELD(header.e_phoff), 0xffffffe0, "program header 0 lies outside"},
    {FIELD(header.e_phoff), sizeof(struct elf) - 32, "program header 1 lies outside"},
    {FIELD(header.e_phoff), sizeof(struct elf) - 31, "program header 0 lies outside"},
    {FIELD(header.e_entry), 0x80000001, "is odd"},
    {FIELD(header.e_entry), 0x1ffffffe, "entry 0x1ffffffe lies outside"},
    {FIELD(header.e_entry), 0x22000000, "entry 0x22000000 lies outside"},
    {FIELD(header.e_entry), 0x82000000, "entry 0x82000000 lies outside"},
    {FIELD(header.e_entry), 0, "entry 0x00000000 lies outside"},
    {FIELD(ph[0].p_type), PT_INTERP, "dynamic loader"},
    {FIELD(ph[0].p_offset), 0xffffffff, "pass the end of the file"},
    {FIELD(ph[0].p_offset), sizeof(struct elf) - 63, "pass the end of the file"},
    {FIELD(ph[0].p_filesz), 65, "only 64 in memory"},
    {FIELD(ph[0].p_filesz), 0xffffffff, "only 64 in memory"},
    {FIELD(ph[0].p_memsz), 0xffffffff, "pass the end of the address space"},
    {FIELD(ph[0].p_memsz), 0x02000001, "pass the end of ROM"},
    {FIELD(ph[0].p_paddr), 0xffffffff, "pass the end of the address space"},
    {FIELD(ph[0].p_paddr), 0xffffffc0, "0xffffffc0 lie outside the windows"},
    {FIELD(ph[0].p_paddr), 0x21ffffc1, "pass the end of ROM, which has 63"},
    {FIELD(ph[0].p_paddr), 0x81fffff0, "pass the end of RAM, which has 16"},
    {FIELD(ph[0].p_paddr), 0x22000000, "lie in IN, which no image may fill"},
    {FIELD(ph[0].p_paddr), 0x24000000, "lie in OUT"},
    {FIELD(ph[0].p_paddr), 0x26000000, "lie in META"},
    {FIELD(ph[0].p_paddr), 0x02000000, "0x02000000 lie outside the windows (ROM 0x20000000-"},
    {FIELD(ph[1].p_paddr), TEXT + 63, "segment 1: 32 bytes at 0x2000003f overlap the 64"},
    {FIELD(ph[1].p_paddr), TEXT, "overlap"},
    {FIELD(ph[0].p_paddr), TEXT + 95, "segment 1: 32 bytes at 0x20000040 overlap"},
    {FIELD(ph[1].p_vaddr), 0xfffff001, "pass the end of the address space"},
    {FIELD(ph[1].p_vaddr), 0x7ffff000, "segment 1: 4064 bytes of memory at 0x7ffff020"},
    {FIELD(ph[1].p_vaddr), 0x81fff001, "pass the end of RAM, which has 4063"},
};

TEST(image, refuses_hostile_fields_by_name)
{
    for (size_t i = 0; i < ARRAY_COUNT(hostiles); i++) {
        const struct hostile *h = &hostiles[i];
        struct elf elf = good_elf();
        memcpy((uint8_t *)&elf + h->offset, &h->value, h->size);
        assert_refused(&elf, h->words);
    }
}

TEST(image, refuses_an_elf_without_bytes)
{
    struct elf elf = good_elf();
    elf.ph[0].p_type = PT_NOTE;
    elf.ph[1].p_filesz = 0;
    assert_refused(&elf, "none of the ELF's 2 segments");
}

TEST(image, refuses_every_cut)
{
    struct elf elf = good_elf();
    /* The data comes last, so no shorter file holds it; each copy ends where its memory does. */
    for (size_t len = SELFMAG; len < sizeof elf; len++) {
        uint8_t *cut = malloc(len);
        assert_non_null(cut);
        memcpy(cut, &elf, len);
        struct image image;
        assert_int_equal(image_parse(span_of(cut, len), IMAGE_AUTO, &image, NULL), ERR_BAD_IMAGE);
        free(cut);
    }
}

TEST(image, bounds_the_number_of_segments)
{
    struct {
        Elf32_Ehdr header;
        Elf32_Phdr ph[IMAGE_SEGMENTS_MAX + 1];
    } many = {.header = good_elf().header};
    many.header.e_phoff = sizeof many.header;
    many.header.e_phnum = IMAGE_SEGMENTS_MAX;
    for (uint32_t i = 0; i < ARRAY_COUNT(many.ph); i++) {
        many.ph[i] = (Elf32_Phdr){PT_LOAD, 1, TEXT + i, TEXT + i, 1, 1, PF_X, 1};
    }
    struct image image;
    struct msg msg;
    struct span file = span_of(&many, sizeof many);
    assert_int_equal(image_parse(file, IMAGE_AUTO, &image, NULL), 0);
    assert_int_equal(image.segments_count, IMAGE_SEGMENTS_MAX);
    many.header.e_phnum++;
    assert_int_equal(image_parse(file, IMAGE_AUTO, &image, &msg), ERR_BAD_IMAGE);
    assert_non_null(strstr(msg.text, "segment 64"));
}

static void assert_symbol(const struct image *image, uint32_t address, const char *name,
                          uint32_t offset)
{
    struct span found;
    uint32_t at = 0;
    assert_true(image_symbol(image, address, &found, &at));
    assert_true(span_equals_string(found, name));
    assert_int_equal(at, offset);
}

TEST(image, names_addresses)
{
    struct elf elf = good_elf();
    struct image image;
    struct span name;
    uint32_t offset;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_symbol(&image, TEXT, "start", 0);
    assert_symbol(&image, TEXT + 15, "start", 15);
    assert_symbol(&image, TEXT + 16, "main", 0);
    assert_symbol(&image, TEXT + 31, "main", 15);
    assert_symbol(&image, TEXT + 63, "start", 63);
    assert_symbol(&image, DATA + 20, "table", 4);
    assert_false(image_symbol(&image, TEXT + 64, &name, &offset));
    assert_false(image_symbol(&image, TEXT - 1, &name, &offset));
    assert_false(image_symbol(&image, DATA + 12, &name, &offset));
    assert_false(image_symbol(&image, 0, &name, &offset));
}

/* Names may overlap: with N symbols and a name of N bytes, whoever reads all names to their ends
 * reads N * N. */
TEST(image, looks_at_a_bounded_part_of_a_name)
{
    struct {
        struct elf elf;
        char name[4 * SYMBOL_NAME_MAX];
    } file = {.elf = good_elf()};
    struct span name;
    uint32_t offset;
    struct image image;
    memset(file.name, 'A', sizeof file.name);
    file.elf.sh[4] = section(SHT_STRTAB, 0, offsetof(struct elf, names),
                             sizeof file - offsetof(struct elf, names));
    file.elf.symbols[1].st_name = (uint32_t)(sizeof file.elf - offsetof(struct elf, names));
    assert_int_equal(image_parse(span_of(&file, sizeof file), IMAGE_AUTO, &image, NULL), 0);
    assert_true(image_symbol(&image, TEXT + 16, &name, &offset));
    assert_int_equal(name.len, SYMBOL_NAME_MAX);
    assert_memory_equal(name.data, file.name, SYMBOL_NAME_MAX);
    /* One that the table ends within is none, as before. */
    file.elf.symbols[1].st_name += (uint32_t)sizeof file.name - 4;
    assert_symbol(&image, TEXT + 16, "start", 16);
}

TEST(image, finds_tohost_by_its_whole_name)
{
    static const struct {
        const char *name;
        bool is_it;
    } rows[] = {{"tohost", true}, {"tohost2", false}, {"tohos", false}, {"", false}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct elf elf = good_elf();
        struct image image;
        memset(elf.names + 12, 0, 8);
        memcpy(elf.names + 12, rows[i].name, strlen(rows[i].name));
        assert_int_equal(parse(&elf, &image, NULL), 0);
        assert_int_equal(image.tohost, rows[i].is_it ? DATA + 8 : 0);
    }
    struct elf elf = good_elf();
    struct image image;
    elf.sh[4].sh_size = 12 + 6; /* the name's NUL lies behind the table */
    assert_int_equal(parse(&elf, &image, NULL), 0);
    assert_int_equal(image.tohost, 0);
}

TEST(image, tells_a_return_address_from_another_value)
{
    struct elf elf = good_elf();
    static const uint8_t calls[] = {
        0xef, 0x00, 0x00, 0x00, /* start: jal ra */
        0x6f, 0x00, 0x00, 0x00, /* jal zero: a jump */
        0x02, 0x95,             /* c.jalr a0 */
        0x02, 0x85,             /* c.jr a0: a jump */
        0xe7, 0x00, 0x05, 0x00, /* jalr ra, a0: the last of start; main begins behind it */
    };
    memset(elf.text, 0, sizeof elf.text);
    memcpy(elf.text, calls, sizeof calls);
    elf.sh[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    struct image image;
    assert_int_equal(parse(&elf, &image, NULL), 0);
    static const uint32_t good[] = {TEXT + 4, TEXT + 10, TEXT + 16};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_true(backtrace_has_caller(&image, TEXT + 20, good[i]));
        assert_true(backtrace_has_caller(&image, 0x22000000, good[i]));
        assert_false(backtrace_has_caller(&image, TEXT + 2, good[i]));
    }
    static const uint32_t bad[] = {0,        2,          TEXT,       TEXT + 2,  TEXT + 3,
                                   TEXT + 5, TEXT + 8,   TEXT + 12,  TEXT + 64, TEXT + 66,
                                   DATA + 4, 0x7ffffffe, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(backtrace_has_caller(&image, TEXT + 20, bad[i]));
    }
}

TEST(image, loads_without_sound_symbols)
{
    static const struct hostile broken[] = {
        {FIELD(header.e_shoff), 0xfffffff0, NULL},
        {FIELD(header.e_shnum), 0, NULL},
        {FIELD(header.e_shentsize), 1, NULL},
        {FIELD(sh[3].sh_offset), 0xffffffff, NULL},
        {FIELD(sh[3].sh_size), 0xffffffff, NULL},
        {FIELD(sh[3].sh_entsize), 0, NULL},
        {FIELD(sh[3].sh_link), 99, NULL},
        {FIELD(sh[4].sh_size), 0xffffffff, NULL},
        {FIELD(symbols[3].st_name), 0xffffffff, NULL},
        {FIELD(symbols[3].st_shndx), 0, NULL},
        {FIELD(symbols[3].st_value), 0x22000000, NULL},
        {FIELD(symbols[3].st_value), 0x81fffffd, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        struct elf elf = good_elf();
        memcpy((uint8_t *)&elf + broken[i].offset, &broken[i].value, broken[i].size);
        struct image image;
        struct span name;
        uint32_t offset;
        assert_int_equal(parse(&elf, &image, NULL), 0);
        assert_int_equal(image.tohost, 0);
        (void)image_symbol(&image, TEXT + 16, &name, &offset);
    }
}

TEST(image, takes_raw_bytes_up_to_the_window)
{
    struct image image;
    struct msg msg;
    uint8_t *bytes = calloc(1, 0x02000001);
    assert_non_null(bytes);
    assert_int_equal(image_parse(span_of(bytes, 0x02000000), IMAGE_AUTO, &image, NULL), 0);
    assert_int_equal(image.format, IMAGE_RAW);
    assert_int_equal(image.entry, TEXT);
    assert_int_equal(image.segments_count, 1);
    assert_int_equal(image.segments[0].address, TEXT);
    assert_int_equal(image.segments[0].bytes.len, 0x02000000);
    assert_int_equal(image_parse(span_of(bytes, 0x02000001), IMAGE_AUTO, &image, &msg),
                     ERR_TOO_BIG);
    assert_non_null(strstr(msg.text, "33554433 bytes is over the ROM window's 33554432"));
    free(bytes);
    assert_int_equal(image_parse(span_of(NULL, 0), IMAGE_AUTO, &image, &msg), ERR_BAD_IMAGE);
    assert_non_null(strstr(msg.text, "empty"));
}

TEST(image, obeys_a_forced_format)
{
    struct elf elf = good_elf();
    struct image image;
    struct span file = span_of(&elf, sizeof elf);
    assert_int_equal(image_parse(file, IMAGE_RAW, &image, NULL), 0);
    assert_int_equal(image.format, IMAGE_RAW);
    assert_int_equal(image.segments[0].bytes.len, sizeof elf);
    assert_int_equal(image_parse(span_of("raw", 3), IMAGE_ELF, &image, NULL), ERR_BAD_IMAGE);
    assert_string_equal(image_format_text(IMAGE_RAW), "raw");
    assert_string_equal(image_format_text(IMAGE_ELF), "elf");
}
