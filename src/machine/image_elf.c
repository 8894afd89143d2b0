/* image_elf.c - check an ELF and lay its segments out over the windows */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"
#include "machine/machine.h"

#include <assert.h>

/* Structs of <elf.h> are copied out of the file as they are. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ELF headers would need swapping");

bool image_is_elf(struct span file)
{
    return file.len >= SELFMAG && memcmp(file.data, ELFMAG, SELFMAG) == 0;
}

bool image_read_at(struct span file, uint64_t at, void *ret_data, size_t size)
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

/* Code for floating-point registers would end at its first use of them, far from the reason. */
static int check_float_abi(const Elf32_Ehdr *header, struct msg *msg)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } rows[] = {{EF_RISCV_FLOAT_ABI_SINGLE, "single-float (ilp32f)"},
                {EF_RISCV_FLOAT_ABI_DOUBLE, "double-float (ilp32d)"},
                {EF_RISCV_FLOAT_ABI_QUAD, "quad-float"}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if ((header->e_flags & EF_RISCV_FLOAT_ABI) == rows[i].flag) {
            return fail(msg, ERR_BAD_IMAGE,
                        "the ELF is for the %s ABI, and there are no floating-point registers; "
                        "compile it for ilp32 (or ilp32e), e.g. -march=rv32imac -mabi=ilp32",
                        rows[i].name);
        }
    }
    return 0;
}

static int check_header(struct span file, Elf32_Ehdr *ret_header, struct msg *msg)
{
    unsigned char ident[EI_NIDENT];
    if (!image_read_at(file, 0, ident, sizeof ident)) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF ends inside its header, after %zu bytes",
                    file.len);
    }
    int err = check_ident(ident, msg);
    if (err) {
        return err;
    }
    Elf32_Ehdr header;
    if (!image_read_at(file, 0, &header, sizeof header)) {
        return fail(msg, ERR_BAD_IMAGE, "the ELF ends inside its header, after %zu bytes",
                    file.len);
    }
    err = check_type(&header, msg);
    err = err ? err : check_float_abi(&header, msg);
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
static void drop_headers(const struct image *image, Elf32_Phdr *ph)
{
    if (ph->p_offset != 0 || window_at(image->windows, ph->p_paddr)) {
        return;
    }
    /* check_span saw to it that the segment does not pass the end of the address space. */
    uint32_t gap = image_gap(image, ph->p_paddr);
    uint32_t dropped = gap < ph->p_filesz ? gap : ph->p_filesz;
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
static int check_file_bytes(const struct image *image, const Elf32_Phdr *ph, uint32_t number,
                            struct msg *msg)
{
    const struct placement place = {"segment", number, "physical address ", ph->p_paddr,
                                    ph->p_filesz};
    return image_check_place(image, &place, msg);
}

/* The rest of a segment's memory, at its virtual address, is only named, never written. So it may
 * also be a program's view of IN or OUT. */
static int check_rest(const struct image *image, const Elf32_Phdr *ph, uint32_t number,
                      struct msg *msg)
{
    uint32_t address = ph->p_vaddr + ph->p_filesz;
    uint32_t size = ph->p_memsz - ph->p_filesz;
    if (size == 0) {
        return 0;
    }
    const struct window_row *window = window_at(image->windows, address);
    if (!window) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes of memory at 0x%08x lie outside the windows (%s)", number,
                    size, address, image_loadable_windows(image).text);
    }
    uint32_t room = window->size - (address - window->base);
    if (size > room) {
        return fail(msg, ERR_BAD_IMAGE,
                    "segment %u: %u bytes of memory at 0x%08x pass the end of %s, which has %u "
                    "from there",
                    number, size, address, window->name, room);
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

/* Memory that the program has for itself ends no sooner than this part of it, where it is RAM. */
static void raise_heap(struct image *image, uint32_t address, uint32_t size)
{
    uint32_t end = address + size;
    const struct window_row *ram = &image->windows[WINDOW_RAM];
    if (address - ram->base < ram->size && end > image->heap) {
        image->heap = end;
    }
}

static int add_segment(struct image *image, Elf32_Phdr ph, uint32_t number, struct msg *msg)
{
    int err = check_span(image->file, &ph, number, msg);
    if (err) {
        return err;
    }
    drop_headers(image, &ph);
    err = check_rest(image, &ph, number, msg);
    if (err) {
        return err;
    }
    raise_heap(image, ph.p_vaddr, ph.p_memsz);
    raise_heap(image, ph.p_paddr, ph.p_filesz);
    if (ph.p_filesz == 0) {
        return 0;
    }
    err = check_file_bytes(image, &ph, number, msg);
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
        if (!image_read_at(image->file, header->e_phoff + (uint64_t)i * sizeof ph, &ph,
                           sizeof ph)) {
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
                    header->e_phnum, image_loadable_windows(image).text);
    }
    return 0;
}

int image_parse_elf(struct image *image, struct msg *msg)
{
    Elf32_Ehdr header = {0};
    int err = check_header(image->file, &header, msg);
    if (err) {
        return err;
    }
    image->format = IMAGE_ELF;
    image->entry = header.e_entry;
    image->heap = image->windows[WINDOW_RAM].base;
    err = add_segments(image, &header, msg);
    if (err) {
        return err;
    }
    err = image_check_entry(image, image->entry, msg);
    if (err) {
        return err;
    }
    image_find_symbols(image, &header);
    return 0;
}
