/* image.c - check a raw binary or an ELF and lay it out over the windows */
/* SPDX-License-Identifier: MIT */
#include "machine/image.h"

#include "machine/image_text.h"
#include "machine/machine.h"

#include <assert.h>
#include <elf.h>
#include <stdio.h>

/* Structs of <elf.h> are copied out of the file as they are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ELF headers would need swapping");

struct window_row {
    const char *name;
    uint32_t base;
    uint32_t size;
    int access;
};

enum { R = 1, W = 2, X = 4 };

static const struct window_row windows[] = {
#define WINDOW(name, base, size, access, text) {#name, base, size, access},
#include "abi/mem.def"
#undef WINDOW
};

const char *image_format_text(enum image_format format)
{
    switch (format) {
    case IMAGE_RAW:
        return "raw";
    case IMAGE_ELF:
        return "elf";
    case IMAGE_AUTO:
        break;
    }
    return "auto";
}

/* The window with `address` in it, NULL outside all. */
static const struct window_row *find_window(uint32_t address)
{
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        if (address - windows[i].base < windows[i].size) {
            return &windows[i];
        }
    }
    return NULL;
}

/* Bytes from `address` to the end of `window`, which holds it. */
static uint32_t room(const struct window_row *window, uint32_t address)
{
    return window->size - (address - window->base);
}

/* `ROM 0x20000000-0x21ffffff, RAM ...`: the windows that an image may fill. */
struct list {
    char text[120];
};

static struct list loadable_windows(void)
{
    struct list list = {""};
    size_t len = 0;
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        if ((windows[i].access & X) == 0 || len >= sizeof list.text) {
            continue;
        }
        int added = snprintf(list.text + len, sizeof list.text - len, "%s%s 0x%08x-0x%08x",
                             len > 0 ? ", " : "", windows[i].name, windows[i].base,
                             windows[i].base + windows[i].size - 1);
        len += (size_t)added;
    }
    return list;
}

static int check_entry(uint32_t entry, struct msg *msg)
{
    const struct window_row *window = find_window(entry);
    if (!window || (window->access & X) == 0) {
        return fail(msg, ERR_BAD_IMAGE, "the entry 0x%08x lies outside the executable windows (%s)",
                    entry, loadable_windows().text);
    }
    if (entry % 2 != 0) {
        return fail(msg, ERR_BAD_IMAGE, "the entry 0x%08x is odd: no instruction starts there",
                    entry);
    }
    return 0;
}

/* Raw binary */

static int parse_raw(struct image *image, struct msg *msg)
{
    const struct window_row *rom = &windows[WINDOW_ROM];
    if (image->file.len == 0) {
        return fail(msg, ERR_BAD_IMAGE, "the image is empty");
    }
    if (image->file.len > rom->size) {
        return fail(msg, ERR_TOO_BIG, "a raw image of %zu bytes is over the ROM window's %u",
                    image->file.len, rom->size);
    }
    image->format = IMAGE_RAW;
    image->entry = rom->base;
    image->segments[0] = (struct segment){rom->base, image->file};
    image->segments_count = 1;
    return 0;
}

/* ELF */

/* Copies `size` bytes at `at` of `file`; false where the file does not hold them all. */
static bool read_at(struct span file, uint64_t at, void *ret_data, size_t size)
{
    if (at > file.len || size > file.len - at) {
        return false;
    }
    memcpy(ret_data, file.data + at, size);
    return true;
}

static int check_ident(const unsigned char ident[EI_NIDENT], struct msg *msg)
{
    if (ident[EI_CLASS] != ELFCLASS32) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is %s; it must be 32-bit (-mabi=ilp32)",
                    ident[EI_CLASS] == ELFCLASS64 ? "64-bit" : "of an unknown class");
    }
    if (ident[EI_DATA] != ELFDATA2LSB) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is %s; it must be little-endian",
                    ident[EI_DATA] == ELFDATA2MSB ? "big-endian" : "of an unknown byte order");
    }
    if (ident[EI_VERSION] != EV_CURRENT) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is of version %d; only 1 is known",
                    ident[EI_VERSION]);
    }
    return 0;
}

/* A linker emits ET_EXEC, or ET_DYN for an executable that relocates itself. */
static int check_type(const Elf32_Ehdr *header, struct msg *msg)
{
    if (header->e_machine != EM_RISCV) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is for machine %d; it must be RISC-V (%d)",
                    header->e_machine, EM_RISCV);
    }
    if (header->e_type == ET_REL) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is an object file; link it first");
    }
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF is of type %d; it must be an executable (%d)",
                    header->e_type, ET_EXEC);
    }
    return 0;
}

static int check_header(struct span file, Elf32_Ehdr *ret_header, struct msg *msg)
{
    unsigned char ident[EI_NIDENT];
    if (!read_at(file, 0, ident, sizeof ident)) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF ends inside its header, after %zu bytes",
                    file.len);
    }
    int err = check_ident(ident, msg);
    if (err) {
        return err;
    }
    Elf32_Ehdr header;
    if (!read_at(file, 0, &header, sizeof header)) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF ends inside its header, after %zu bytes",
                    file.len);
    }
    err = check_type(&header, msg);
    if (err) {
        return err;
    }
    if (header.e_phnum == 0) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF has no segments, so there is nothing to load");
    }
    if (header.e_phentsize != sizeof(Elf32_Phdr)) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF has program headers of %d bytes; they have %zu",
                    header.e_phentsize, sizeof(Elf32_Phdr));
    }
    *ret_header = header;
    return 0;
}

/* The part of a segment that starts at file offset 0 and lies outside every window is dropped:
 * linkers map the ELF's own headers there, one page below the text. */
static void drop_headers(Elf32_Phdr *ph)
{
    if (ph->p_offset != 0 || find_window(ph->p_paddr)) {
        return;
    }
    uint32_t dropped = ph->p_filesz;
    for (size_t i = 0; i < ARRAY_COUNT(windows); i++) {
        /* For a window below, this wraps to more than the segment can have: check_span saw to
         * it that the segment does not pass the end of the address space. */
        uint32_t distance = windows[i].base - ph->p_paddr;
        if (distance < dropped) {
            dropped = distance;
        }
    }
    ph->p_offset = dropped;
    ph->p_paddr += dropped;
    ph->p_vaddr += dropped;
    ph->p_filesz -= dropped;
    ph->p_memsz -= dropped;
}

/* No part of a segment may be outside the file or pass the end of the address space. */
static int check_span(struct span file, const Elf32_Phdr *ph, uint32_t number, struct msg *msg)
{
    if (ph->p_filesz > ph->p_memsz) {
        return fail(msg, ERR_BAD_IMAGE, "segment %u has %u bytes in the file and only %u in memory",
                    number, ph->p_filesz, ph->p_memsz);
    }
    if (ph->p_offset > file.len || ph->p_filesz > file.len - ph->p_offset) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes at offset %u pass the end of the file's %zu", number,
                    ph->p_filesz, ph->p_offset, file.len);
    }
    uint32_t last = ph->p_memsz > 0 ? ph->p_memsz - 1 : 0;
    uint32_t last_of_file = ph->p_filesz > 0 ? ph->p_filesz - 1 : 0;
    if (last > UINT32_MAX - ph->p_vaddr || last_of_file > UINT32_MAX - ph->p_paddr) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes at 0x%08x (physical 0x%08x) pass the end of the address "
                    "space",
                    number, ph->p_memsz, ph->p_vaddr, ph->p_paddr);
    }
    return 0;
}

/* The file's bytes, at their physical address, are what is written: into ROM or RAM, whole. */
static int check_file_bytes(const Elf32_Phdr *ph, uint32_t number, struct msg *msg)
{
    const struct window_row *window = find_window(ph->p_paddr);
    if (!window) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes at physical address 0x%08x lie outside the windows (%s)",
                    number, ph->p_filesz, ph->p_paddr, loadable_windows().text);
    }
    if ((window->access & X) == 0) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes at physical address 0x%08x lie in %s, which no image "
                    "may fill (%s)",
                    number, ph->p_filesz, ph->p_paddr, window->name, loadable_windows().text);
    }
    if (ph->p_filesz > room(window, ph->p_paddr)) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes at physical address 0x%08x pass the end of %s, which "
                    "has %u from there",
                    number, ph->p_filesz, ph->p_paddr, window->name, room(window, ph->p_paddr));
    }
    return 0;
}

/* The rest of a segment's memory, at its virtual address, is only named, never written. So it may
 * also be a program's view of IN or OUT. */
static int check_rest(const Elf32_Phdr *ph, uint32_t number, struct msg *msg)
{
    uint32_t address = ph->p_vaddr + ph->p_filesz;
    uint32_t size = ph->p_memsz - ph->p_filesz;
    if (size == 0) {
        return 0;
    }
    const struct window_row *window = find_window(address);
    if (!window) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes of memory at 0x%08x lie outside the windows (%s)", number,
                    size, address, loadable_windows().text);
    }
    if (size > room(window, address)) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes of memory at 0x%08x pass the end of %s, which has %u "
                    "from there",
                    number, size, address, window->name, room(window, address));
    }
    return 0;
}

static int check_overlap(const struct image *image, struct segment new, uint32_t number,
                         struct msg *msg)
{
    for (uint32_t i = 0; i < image->segments_count; i++) {
        const struct segment *old = &image->segments[i];
        /* Neither wraps, so the later one starts inside the other if they overlap. */
        if (new.address - old->address < old->bytes.len ||
            old->address - new.address < new.bytes.len) {
            return fail(msg, ERR_BAD_IMAGE,
                        "segment %u: %zu bytes at 0x%08x overlap the %zu at 0x%08x of another",
                        number, new.bytes.len, new.address, old->bytes.len, old->address);
        }
    }
    return 0;
}

static int add_segment(struct image *image, Elf32_Phdr ph, uint32_t number, struct msg *msg)
{
    int err = check_span(image->file, &ph, number, msg);
    if (err) {
        return err;
    }
    drop_headers(&ph);
    err = check_rest(&ph, number, msg);
    if (err || ph.p_filesz == 0) {
        return err;
    }
    err = check_file_bytes(&ph, number, msg);
    if (err) {
        return err;
    }
    struct segment segment = {ph.p_paddr, span_of(image->file.data + ph.p_offset, ph.p_filesz)};
    err = check_overlap(image, segment, number, msg);
    if (err) {
        return err;
    }
    if (image->segments_count == IMAGE_SEGMENTS_MAX) {
        return fail(msg, ERR_BAD_IMAGE, "segment %u: an image has at most %d with bytes in them",
                    number, IMAGE_SEGMENTS_MAX);
    }
    image->segments[image->segments_count++] = segment;
    return 0;
}

static int add_segments(struct image *image, const Elf32_Ehdr *header, struct msg *msg)
{
    for (uint32_t i = 0; i < header->e_phnum; i++) {
        Elf32_Phdr ph;
        if (!read_at(image->file, header->e_phoff + (uint64_t)i * sizeof ph, &ph, sizeof ph)) {
            return fail(msg, ERR_BAD_IMAGE, "program header %u lies outside the file's %zu bytes",
                        i, image->file.len);
        }
        if (ph.p_type == PT_INTERP) {
            return fail(msg, ERR_BAD_IMAGE,
                        "segment %u names a dynamic loader; link with -static -no-pie", i);
        }
        if (ph.p_type != PT_LOAD) {
            continue;
        }
        int err = add_segment(image, ph, i, msg);
        if (err) {
            return err;
        }
    }
    if (image->segments_count == 0) {
        return fail(msg, ERR_BAD_IMAGE, "none of the ELF's %d segments has bytes to load (%s)",
                    header->e_phnum, loadable_windows().text);
    }
    return 0;
}

/* Symbols */

static bool read_section(struct span file, const Elf32_Ehdr *header, uint32_t number,
                         Elf32_Shdr *ret_section)
{
    return number < header->e_shnum &&
           read_at(file, header->e_shoff + (uint64_t)number * sizeof *ret_section, ret_section,
                   sizeof *ret_section);
}

/* A section's bytes; empty where the file does not hold them. */
static struct span section_bytes(struct span file, const Elf32_Shdr *section)
{
    if (section->sh_offset > file.len || section->sh_size > file.len - section->sh_offset) {
        return span_of(NULL, 0);
    }
    return span_of(file.data + section->sh_offset, section->sh_size);
}

/* Sections are not needed to load, so a broken table only means that there are no symbols. */
static void find_symbols(struct image *image, const Elf32_Ehdr *header)
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

static uint32_t symbols_count(const struct image *image)
{
    return (uint32_t)(image->symbols.len / sizeof(Elf32_Sym));
}

static Elf32_Sym read_symbol(const struct image *image, uint32_t number)
{
    Elf32_Sym symbol;
    memcpy(&symbol, image->symbols.data + (size_t)number * sizeof symbol, sizeof symbol);
    return symbol;
}

/* Longer names are none: each is looked through whenever it is met, and a stranger made them. */
enum { NAME_BYTES_MAX = 4096 };

/* Empty where the name does not end inside the table, or has bytes that no terminal should see. */
static struct span name_at(struct span names, uint32_t at)
{
    struct span empty = span_of(NULL, 0);
    if (at >= names.len) {
        return empty;
    }
    const uint8_t *name = names.data + at;
    size_t room = names.len - at < NAME_BYTES_MAX ? names.len - at : NAME_BYTES_MAX;
    const uint8_t *end = memchr(name, 0, room);
    if (!end) {
        return empty;
    }
    for (const uint8_t *c = name; c < end; c++) {
        if (*c <= ' ' || *c >= 0x7f) {
            return empty;
        }
    }
    return span_of(name, (size_t)(end - name));
}

static struct span symbol_name(const struct image *image, const Elf32_Sym *symbol)
{
    return name_at(image->names, symbol->st_name);
}

static uint32_t find_tohost(const struct image *image)
{
    for (uint32_t i = 0; i < symbols_count(image); i++) {
        Elf32_Sym symbol = read_symbol(image, i);
        if (symbol.st_shndx == SHN_UNDEF ||
            !span_equals_string(symbol_name(image, &symbol), "tohost")) {
            continue;
        }
        if (machine_check_tohost(symbol.st_value, NULL) == 0) {
            return symbol.st_value;
        }
    }
    return 0;
}

/* Names of places in the program, not of files, sections, constants, or the assembler's own marks
 * (`$x`, `.L1`). */
static bool is_place(const struct image *image, const Elf32_Sym *symbol)
{
    int type = ELF32_ST_TYPE(symbol->st_info);
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
        (type != STT_FUNC && type != STT_OBJECT && type != STT_NOTYPE)) {
        return false;
    }
    struct span name = symbol_name(image, symbol);
    return name.len > 0 && name.data[0] != '$' && name.data[0] != '.';
}

/* Where the section that holds `symbol` ends; its own value without a sound section table. */
static uint32_t section_end(const struct image *image, const Elf32_Sym *symbol)
{
    Elf32_Ehdr header;
    Elf32_Shdr section;
    if (!read_at(image->file, 0, &header, sizeof header) ||
        !read_section(image->file, &header, symbol->st_shndx, &section) ||
        symbol->st_value - section.sh_addr >= section.sh_size) {
        return symbol->st_value;
    }
    return section.sh_addr + section.sh_size;
}

static bool covers(const struct image *image, const Elf32_Sym *symbol, uint32_t address)
{
    if (symbol->st_size > 0) {
        return address - symbol->st_value < symbol->st_size;
    }
    return address - symbol->st_value < section_end(image, symbol) - symbol->st_value;
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
    for (uint32_t i = 0; i < symbols_count(image); i++) {
        Elf32_Sym symbol = read_symbol(image, i);
        if (symbol.st_value > address || !covers(image, &symbol, address) ||
            !is_place(image, &symbol) || (is_found && !is_better(&symbol, &best))) {
            continue;
        }
        best = symbol;
        is_found = true;
    }
    if (is_found) {
        *ret_name = symbol_name(image, &best);
        *ret_offset = address - best.st_value;
    }
    return is_found;
}

bool image_next_symbol(const struct image *image, uint32_t address, uint32_t *ret_address)
{
    bool is_found = false;
    for (uint32_t i = 0; i < symbols_count(image); i++) {
        Elf32_Sym symbol = read_symbol(image, i);
        if (symbol.st_value < address || (is_found && symbol.st_value >= *ret_address) ||
            !is_place(image, &symbol)) {
            continue;
        }
        *ret_address = symbol.st_value;
        is_found = true;
    }
    return is_found;
}

static bool is_among_code(const struct image *image, const Elf32_Sym *symbol)
{
    Elf32_Ehdr header;
    Elf32_Shdr section;
    return ELF32_ST_TYPE(symbol->st_info) == STT_NOTYPE &&
           read_at(image->file, 0, &header, sizeof header) &&
           read_section(image->file, &header, symbol->st_shndx, &section) &&
           (section.sh_flags & SHF_EXECINSTR) != 0;
}

/* How far a symbol without a size reaches: its section's end, where no other name begins before. */
static uint32_t reach(const struct image *image, const Elf32_Sym *symbol)
{
    uint32_t size = section_end(image, symbol) - symbol->st_value;
    uint32_t next;
    if (symbol->st_value < UINT32_MAX && image_next_symbol(image, symbol->st_value + 1, &next) &&
        next - symbol->st_value < size) {
        size = next - symbol->st_value;
    }
    return size ? size : 1;
}

bool image_next_place(const struct image *image, uint32_t *number, struct image_place *ret_place)
{
    while (*number < symbols_count(image)) {
        Elf32_Sym symbol = read_symbol(image, (*number)++);
        if (is_place(image, &symbol)) {
            *ret_place = (struct image_place){
                .name = symbol_name(image, &symbol),
                .address = symbol.st_value,
                .size = symbol.st_size ? symbol.st_size : reach(image, &symbol),
                .is_code =
                    ELF32_ST_TYPE(symbol.st_info) == STT_FUNC || is_among_code(image, &symbol),
            };
            return true;
        }
    }
    return false;
}

/* `$d` (data) or `$x` (code, with a suffix that names extensions); 0 for other names. */
static char mark_of(const struct image *image, const Elf32_Sym *symbol)
{
    struct span name = symbol_name(image, symbol);
    bool is_mark = symbol->st_size == 0 && symbol->st_shndx != SHN_UNDEF && name.len >= 2 &&
                   name.data[0] == '$' && (name.data[1] == 'd' || name.data[1] == 'x');
    return is_mark ? (char)name.data[1] : 0;
}

bool image_is_data(const struct image *image, uint32_t address, uint32_t *ret_len)
{
    Elf32_Sym last = {0}; /* the mark at or before `address` */
    char last_mark = 0;
    uint32_t next = UINT32_MAX; /* where another object or mark begins */
    for (uint32_t i = 0; i < symbols_count(image); i++) {
        Elf32_Sym symbol = read_symbol(image, i);
        bool is_object = ELF32_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_size > 0 &&
                         is_place(image, &symbol);
        char mark = is_object ? 0 : mark_of(image, &symbol);
        uint32_t into = address - symbol.st_value;
        if (is_object && into < symbol.st_size) {
            *ret_len = symbol.st_size - into;
            return true;
        }
        if (symbol.st_value > address) {
            bool is_nearer = (is_object || mark) && symbol.st_value < next;
            next = is_nearer ? symbol.st_value : next;
        } else if (mark && (!last_mark || symbol.st_value >= last.st_value)) {
            last = symbol;
            last_mark = mark;
        }
    }
    uint32_t end = last_mark == 'd' ? section_end(image, &last) : 0;
    bool is_data = address < end;
    uint32_t len = (is_data && end < next ? end : next) - address;
    *ret_len = len > 0 ? len : 1; /* the address space's last byte */
    return is_data;
}

/* Code */

/* The section table of an ELF that has a sound one. */
static bool read_sections(const struct image *image, Elf32_Ehdr *ret_header)
{
    Elf32_Shdr first;
    return image->format == IMAGE_ELF && read_at(image->file, 0, ret_header, sizeof *ret_header) &&
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

static int parse_elf(struct image *image, struct msg *msg)
{
    Elf32_Ehdr header = {0};
    int err = check_header(image->file, &header, msg);
    if (err) {
        return err;
    }
    image->format = IMAGE_ELF;
    image->entry = header.e_entry;
    err = add_segments(image, &header, msg);
    if (err) {
        return err;
    }
    err = check_entry(image->entry, msg);
    if (err) {
        return err;
    }
    find_symbols(image, &header);
    image->tohost = find_tohost(image);
    return 0;
}

static bool is_elf(struct span file)
{
    return file.len >= SELFMAG && memcmp(file.data, ELFMAG, SELFMAG) == 0;
}

static bool is_named(struct span names, uint32_t at, const char *name)
{
    size_t size = strlen(name) + 1;
    return at <= names.len && size <= names.len - at && memcmp(names.data + at, name, size) == 0;
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

int image_parse(struct span file, enum image_format wanted, struct image *ret_image,
                struct msg *msg)
{
    struct image image = {.file = file};
    int err = 0;
    if (wanted != IMAGE_RAW && is_elf(file)) {
        err = parse_elf(&image, msg);
    } else if (wanted == IMAGE_ELF) {
        err = fail(msg, ERR_BAD_IMAGE, "the file of %zu bytes is no ELF", file.len);
    } else {
        const char *records = wanted == IMAGE_RAW ? NULL : image_records_format(file);
        err = records ? fail(msg, ERR_NOT_BUILT,
                             "the file is %s, which cannot be loaded yet; make an ELF or a raw "
                             "binary of it (objcopy), or ask for format raw",
                             records)
                      : parse_raw(&image, msg);
    }
    if (!err) {
        *ret_image = image;
    }
    return err;
}
