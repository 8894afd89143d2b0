/* tree.c - print the flattened device tree of profile `virt`, from the tables, as a C source */
/* SPDX-License-Identifier: MIT */
#include "machine/internal.h"

#include <ctype.h>
#include <libfdt.h>
#include <stdio.h>

/* It prints to standard output. The build runs it, so that a machine has no more to do than copy.
 */

/* Devicetree Specification 0.4, with the bindings that drivers for QEMU's `virt` know. */
enum { CPU_INTERRUPTS = 1, PLIC_INTERRUPTS, FINISHER }; /* phandles */
enum { MSI = 3, MTI = 7, MEI = 11 };                    /* of the hart, by their bits in mip */
enum { TIMEBASE_HZ = 10000000, UART_CLOCK_HZ = 3686400 };
enum { ISA_BYTES_MAX = 256, NAME_BYTES_MAX = 64 };

/* A tree being written. The tables are fixed, so an error is a bug: it is looked at once. */
struct writer {
    void *tree;
    int err;
};

static void begin(struct writer *w, const char *name)
{
    w->err |= fdt_begin_node(w->tree, name);
}

static void begin_at(struct writer *w, const char *name, uint32_t address)
{
    char full[NAME_BYTES_MAX];
    snprintf(full, sizeof full, "%s@%x", name, address);
    begin(w, full);
}

static void end(struct writer *w)
{
    w->err |= fdt_end_node(w->tree);
}

static void put(struct writer *w, const char *name, const void *bytes, size_t len)
{
    w->err |= fdt_property(w->tree, name, bytes, (int)len);
}

static void put_text(struct writer *w, const char *name, const char *text)
{
    put(w, name, text, strlen(text) + 1);
}

static void put_cell(struct writer *w, const char *name, uint32_t value)
{
    w->err |= fdt_property_u32(w->tree, name, value);
}

static void put_cells(struct writer *w, const char *name, const uint32_t *cells, size_t count)
{
    void *place;
    w->err |= fdt_property_placeholder(w->tree, name, (int)(4 * count), &place);
    for (size_t i = 0; i < count && !w->err; i++) {
        fdt32_st((uint8_t *)place + 4 * i, cells[i]);
    }
}

static void put_flag(struct writer *w, const char *name)
{
    put(w, name, NULL, 0);
}

/* Addresses and sizes of two cells, as in QEMU's tree. */
static void put_reg(struct writer *w, uint32_t base, uint32_t size)
{
    put_cells(w, "reg", (const uint32_t[]){0, base, 0, size}, 4);
}

static void put_widths(struct writer *w, uint32_t address_cells, uint32_t size_cells)
{
    put_cell(w, "#address-cells", address_cells);
    put_cell(w, "#size-cells", size_cells);
}

/* `rv32imac_zicsr_...`: letters first, then the names that begin with Z or S. */
static void isa_string(char ret_text[ISA_BYTES_MAX])
{
    static const char *const names[] = {
#define EXTENSION(name, text) #name,
#include "isa/extension.def"
#undef EXTENSION
    };
    int len = snprintf(ret_text, ISA_BYTES_MAX, "rv32");
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (!names[i][1]) {
            len += snprintf(ret_text + len, (size_t)(ISA_BYTES_MAX - len), "%s", names[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        bool is_long = names[i][1] && !strchr(names[i], '_');
        if (is_long && (names[i][0] == 'Z' || names[i][0] == 'S')) {
            len += snprintf(ret_text + len, (size_t)(ISA_BYTES_MAX - len), "_%s", names[i]);
        }
    }
    for (char *c = ret_text; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
}

static void put_cpus(struct writer *w)
{
    char isa[ISA_BYTES_MAX];
    isa_string(isa);
    begin(w, "cpus");
    put_widths(w, 1, 0);
    put_cell(w, "timebase-frequency", TIMEBASE_HZ);
    begin_at(w, "cpu", 0);
    put_text(w, "device_type", "cpu");
    put_cell(w, "reg", 0);
    put_text(w, "status", "okay");
    put_text(w, "compatible", "riscv");
    put_text(w, "riscv,isa", isa);
    put_text(w, "mmu-type", "riscv,none");
    begin(w, "interrupt-controller");
    put_text(w, "compatible", "riscv,cpu-intc");
    put_cell(w, "#address-cells", 0);
    put_cell(w, "#interrupt-cells", 1);
    put_flag(w, "interrupt-controller");
    put_cell(w, "phandle", CPU_INTERRUPTS);
    end(w);
    end(w);
    end(w);
}

/* A window that holds no RAM for everybody: to a driver, memory that can be read, or written. */
static void put_window(struct writer *w, const struct window_row *window)
{
    char name[NAME_BYTES_MAX] = {0};
    for (size_t i = 0; window->name[i] && i < sizeof name - 1; i++) {
        name[i] = (char)tolower((unsigned char)window->name[i]);
    }
    bool is_written = window->access & WINDOW_WRITE;
    begin_at(w, name, window->base);
    put_text(w, "compatible", is_written ? "mtd-ram" : "mtd-rom");
    put_reg(w, window->base, window->size);
    put_cell(w, "bank-width", 4);
    put_text(w, "label", window->name);
    end(w);
}

static void put_windows(struct writer *w, const struct window_row *windows)
{
    const struct window_row *ram = &windows[WINDOW_RAM];
    begin_at(w, "memory", ram->base);
    put_text(w, "device_type", "memory");
    put_reg(w, ram->base, ram->size);
    end(w);
    for (const struct window_row *row = windows; row < windows + WINDOW_COUNT; row++) {
        if (row != ram) {
            put_window(w, row);
        }
    }
}

/* A way to end the run: a value for the finisher's first register. */
static void put_switch(struct writer *w, const char *name, const char *compatible, uint32_t value)
{
    begin(w, name);
    put_text(w, "compatible", compatible);
    put_cell(w, "regmap", FINISHER);
    put_cell(w, "offset", 0);
    put_cell(w, "value", value);
    end(w);
}

struct node_row {
    const char *name;
    uint32_t base;
    uint32_t size; /* of one node */
    uint32_t count;
    const char *compatible;
    size_t compatible_len;
    uint32_t interrupt; /* the first node's, 0 for none */
};

enum {
#define DEVICE(name, base, size, widths, text) name##_AT = (base), name##_BYTES = (size),
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
};

/* The rows of these three tables lie at their device's number. */
enum {
#define DEVICE(name, base, size, widths, text) NODE_##name,
#define REGISTER(device, name, offset, count, stride, access, text)
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
    NODES_COUNT
};

static const struct node_row nodes[NODES_COUNT] = {
#define DEVICE(name, base, size, widths, text)
#define REGISTER(device, name, offset, count, stride, access, text)
#define NODE(device, node, times, stride, words, text)                           \
    [NODE_##device].name = (node), [NODE_##device].base = (uint32_t)device##_AT, \
    [NODE_##device].size = (times) > 1 ? (stride) : device##_BYTES,              \
    [NODE_##device].count = (times), [NODE_##device].compatible = (words),       \
    [NODE_##device].compatible_len = sizeof(words),
#define SOURCE(device, first, times, text) [NODE_##device].interrupt = (first),
#include "abi/dev.def"
#undef DEVICE
#undef REGISTER
#undef NODE
#undef SOURCE
};

/* What only one device has. */
static void put_particulars(struct writer *w, size_t device)
{
    switch (device) {
    case NODE_POWER:
        put_cell(w, "phandle", FINISHER);
        break;
    case NODE_CLINT:
        put_cells(w, "interrupts-extended",
                  (const uint32_t[]){CPU_INTERRUPTS, MSI, CPU_INTERRUPTS, MTI}, 4);
        break;
    case NODE_PLIC:
        put_cells(w, "interrupts-extended", (const uint32_t[]){CPU_INTERRUPTS, MEI}, 2);
        put_cell(w, "riscv,ndev", PLIC_SOURCES_MAX);
        put_cell(w, "#address-cells", 0);
        put_cell(w, "#interrupt-cells", 1);
        put_flag(w, "interrupt-controller");
        put_cell(w, "phandle", PLIC_INTERRUPTS);
        break;
    case NODE_UART:
        put_cell(w, "clock-frequency", UART_CLOCK_HZ);
        break;
    default:
        break;
    }
}

static void put_node(struct writer *w, size_t device, uint32_t number)
{
    const struct node_row *row = &nodes[device];
    uint32_t base = row->base + number * row->size;
    begin_at(w, row->name, base);
    put(w, "compatible", row->compatible, row->compatible_len);
    put_reg(w, base, row->size);
    if (row->interrupt) {
        put_cell(w, "interrupt-parent", PLIC_INTERRUPTS);
        put_cell(w, "interrupts", row->interrupt + number);
    }
    put_particulars(w, device);
    end(w);
}

static void put_devices(struct writer *w)
{
    begin(w, "soc");
    put_widths(w, 2, 2);
    put_text(w, "compatible", "simple-bus");
    put_flag(w, "ranges");
    for (size_t device = 0; device < NODES_COUNT; device++) {
        for (uint32_t number = 0; number < nodes[device].count; number++) {
            put_node(w, device, number);
        }
    }
    end(w);
}

static void put_chosen(struct writer *w)
{
    char path[NAME_BYTES_MAX];
    snprintf(path, sizeof path, "/soc/%s@%x", nodes[NODE_UART].name, nodes[NODE_UART].base);
    begin(w, "chosen");
    put_text(w, "stdout-path", path);
    end(w);
}

static int write_tree(void *place)
{
    struct writer w = {.tree = place};
    w.err |= fdt_create(w.tree, DTB_SIZE);
    w.err |= fdt_finish_reservemap(w.tree);
    begin(&w, "");
    put_widths(&w, 2, 2);
    put(&w, "compatible", "mote,virt\0riscv-virtio", sizeof "mote,virt\0riscv-virtio");
    put_text(&w, "model", "mote,virt");
    put_chosen(&w);
    put_cpus(&w);
    put_windows(&w, machine_profile(PROFILE_VIRT)->windows);
    put_devices(&w);
    put_switch(&w, "poweroff", "syscon-poweroff", POWER_OFF);
    put_switch(&w, "reboot", "syscon-reboot", POWER_RESET);
    end(&w);
    return w.err | fdt_finish(w.tree);
}

int main(void)
{
    static uint8_t tree[DTB_SIZE] __attribute__((aligned(8)));
    if (write_tree(tree)) {
        fputs("tree: the tables make no tree that fits into its window\n", stderr);
        return 1;
    }
    puts("/* Written by tools/tree.c from the tables. */\n"
         "#include \"machine/internal.h\"\n\n"
         "static const uint8_t bytes[] = {");
    for (uint32_t i = 0; i < fdt_totalsize(tree); i++) {
        printf("%u,%s", tree[i], i % 24 == 23 ? "\n" : "");
    }
    puts("};\n\nconst struct span machine_tree = {bytes, sizeof bytes};");
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
