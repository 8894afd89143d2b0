/* image_symbol.c - the symbols of an ELF, and where an image has code */
/* SPDX-License-Identifier: MIT */
#include "base/limits.h"
#include "machine/image_format.h"
#include "machine/machine.h"

static bool read_section(struct span file, const Elf32_Ehdr *header, uint32_t number,
                         Elf32_Shdr *ret_section)
{
    return number < header->e_shnum &&
           image_read_at(file, header->e_shoff + (uint64_t)number * sizeof *ret_section,
                         ret_section, sizeof *ret_section);
}

/* A section's bytes; empty where the file does not hold them. */
static struct span section_bytes(struct span file, const Elf32_Shdr *section)
{
    if (section->sh_offset > file.len || section->sh_size > file.len - section->sh_offset) {
        return span_of(NULL, 0);
    }
    return span_of(file.data + section->sh_offset, section->sh_size);
}

uint32_t image_symbols_count(const struct image *image)
{
    return (uint32_t)(image->symbols.len / sizeof(Elf32_Sym));
}

Elf32_Sym image_read_symbol(const struct image *image, uint32_t number)
{
    Elf32_Sym symbol;
    memcpy(&symbol, image->symbols.data + (size_t)number * sizeof symbol, sizeof symbol);
    return symbol;
}

/* Cut to SYMBOL_NAME_MAX: names may overlap, so that a small file could have many long ones. Empty
 * where the name does not end inside the table, or has bytes that no terminal should see. */
static struct span name_at(struct span names, uint32_t at)
{
    struct span empty = span_of(NULL, 0);
    if (at >= names.len) {
        return empty;
    }
    const uint8_t *name = names.data + at;
    bool is_cut = names.len - at > SYMBOL_NAME_MAX;
    size_t len_max = is_cut ? SYMBOL_NAME_MAX : names.len - at;
    const uint8_t *end = memchr(name, 0, len_max);
    if (!end && !is_cut) {
        return empty;
    }
    end = end ? end : name + len_max;
    for (const uint8_t *c = name; c < end; c++) {
        if (*c <= ' ' || *c >= 0x7f) {
            return empty;
        }
    }
    return span_of(name, (size_t)(end - name));
}

struct span image_symbol_name(const struct image *image, const Elf32_Sym *symbol)
{
    return name_at(image->names, symbol->st_name);
}

static bool is_named(struct span names, uint32_t at, const char *name)
{
    size_t size = strlen(name) + 1;
    return at <= names.len && size <= names.len - at && memcmp(names.data + at, name, size) == 0;
}

static uint32_t find_tohost(const struct image *image)
{
    for (uint32_t i = 0; i < image_symbols_count(image); i++) {
        Elf32_Sym symbol = image_read_symbol(image, i);
        if (symbol.st_shndx == SHN_UNDEF || !is_named(image->names, symbol.st_name, "tohost")) {
            continue;
        }
        if (machine_check_tohost(image->windows, symbol.st_value, NULL) == 0) {
            return symbol.st_value;
        }
    }
    return 0;
}

/* Sections are not needed to load, so a broken table only means that there are no symbols. */
static void find_tables(struct image *image, const Elf32_Ehdr *header)
{
    if (header->e_shentsize != sizeof(Elf32_Shdr)) {
        return;
    }
    for (uint32_t i = 0; i < header->e_shnum; i++) {
        Elf32_Shdr section;
        Elf32_Shdr names;
        if (!read_section(image->file, header, i, &section)) {
            return;
        }
        if (section.sh_type == SHT_SYMTAB && section.sh_entsize == sizeof(Elf32_Sym) &&
            read_section(image->file, header, section.sh_link, &names)) {
            image->symbols = section_bytes(image->file, &section);
            image->names = section_bytes(image->file, &names);
            return;
        }
    }
}

void image_find_symbols(struct image *image, const Elf32_Ehdr *header)
{
    find_tables(image, header);
    image->tohost = find_tohost(image);
}

bool image_is_place(const struct image *image, const Elf32_Sym *symbol)
{
    int type = ELF32_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
        (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE)) {
        return false;
    }
    struct span name = image_symbol_name(image, symbol);
    return name.len > 0 && name.data[0] != '$' && name.data[0] != '.';
}

bool image_symbol_section(const struct image *image, const Elf32_Sym *symbol,
                          Elf32_Shdr *ret_section)
{
    Elf32_Ehdr header;
    return image_read_at(image->file, 0, &header, sizeof header) &&
           read_section(image->file, &header, symbol->st_shndx, ret_section);
}

uint32_t image_symbol_size(const struct image *image, const Elf32_Sym *symbol)
{
    Elf32_Shdr section;
    if (symbol->st_size > 0) {
        return symbol->st_size;
    }
    if (!image_symbol_section(image, symbol, &section) ||
        symbol->st_value - section.sh_addr >= section.sh_size) {
        return 0;
    }
    return section.sh_addr + section.sh_size - symbol->st_value;
}

/* Of two that cover an address: the one with a size, then the nearer, then the global one. */
static bool is_better(const Elf32_Sym *a, const Elf32_Sym *b)
{
    if ((a->st_size > 0) != (b->st_size > 0)) {
        return a->st_size > 0;
    }
    if (a->st_value != b->st_value) {
        return a->st_value > b->st_value;
    }
    return ELF32_ST_BIND(a->st_info) != STB_LOCAL && ELF32_ST_BIND(b->st_info) == STB_LOCAL;
}

bool image_symbol(const struct image *image, uint32_t address, struct span *ret_name,
                  uint32_t *ret_offset)
{
    bool is_found = false;
    Elf32_Sym best = {0};
    for (uint32_t i = 0; i < image_symbols_count(image); i++) {
        Elf32_Sym symbol = image_read_symbol(image, i);
        if (symbol.st_value > address ||
            address - symbol.st_value >= image_symbol_size(image, &symbol) ||
            !image_is_place(image, &symbol) || (is_found && !is_better(&symbol, &best))) {
            continue;
        }
        best = symbol;
        is_found = true;
    }
    if (is_found) {
        *ret_name = image_symbol_name(image, &best);
        *ret_offset = address - best.st_value;
    }
    return is_found;
}

/* The section table of an ELF that has a sound one. */
static bool read_sections(const struct image *image, Elf32_Ehdr *ret_header)
{
    Elf32_Shdr first;
    return image->format == IMAGE_ELF &&
           image_read_at(image->file, 0, ret_header, sizeof *ret_header) &&
           ret_header->e_shentsize == sizeof first &&
           read_section(image->file, ret_header, 0, &first);
}

static bool next_section(const struct image *image, const Elf32_Ehdr *header, uint32_t *number,
                         struct image_code *ret_code)
{
    Elf32_Shdr names = {0};
    Elf32_Shdr section;
    struct span table = span_of(NULL, 0);
    if (read_section(image->file, header, header->e_shstrndx, &names)) {
        table = section_bytes(image->file, &names);
    }
    while (read_section(image->file, header, *number, &section)) {
        struct span bytes = section_bytes(image->file, &section);
        ++*number;
        if (section.sh_type == SHT_PROGBITS && (section.sh_flags & SHF_EXECINSTR) != 0 &&
            bytes.len > 0) {
            *ret_code =
                (struct image_code){name_at(table, section.sh_name), section.sh_addr, bytes};
            return true;
        }
    }
    return false;
}

bool image_next_code(const struct image *image, uint32_t *number, struct image_code *ret_code)
{
    Elf32_Ehdr header;
    if (read_sections(image, &header)) {
        return next_section(image, &header, number, ret_code);
    }
    if (*number >= image->segments_count) {
        return false;
    }
    const struct segment *segment = &image->segments[(*number)++];
    *ret_code = (struct image_code){span_of(NULL, 0), segment->address, segment->bytes};
    return true;
}

struct span image_section(const struct image *image, const char *name, uint32_t *ret_address)
{
    Elf32_Ehdr header;
    Elf32_Shdr names;
    Elf32_Shdr section;
    if (!read_sections(image, &header) ||
        !read_section(image->file, &header, header.e_shstrndx, &names)) {
        return span_of(NULL, 0);
    }
    struct span table = section_bytes(image->file, &names);
    for (uint32_t i = 0; read_section(image->file, &header, i, &section); i++) {
        if (section.sh_type != SHT_NOBITS && (section.sh_flags & SHF_COMPRESSED) == 0 &&
            is_named(table, section.sh_name, name)) {
            if (ret_address) {
                *ret_address = section.sh_addr;
            }
            return section_bytes(image->file, &section);
        }
    }
    return span_of(NULL, 0);
}
