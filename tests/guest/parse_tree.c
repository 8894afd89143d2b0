/* parse_tree.c - a guest that knows no address: finds its devices in the device tree and uses them
 */
/* SPDX-License-Identifier: MIT */
#include <stdint.h>

/* Runs on Mote and on QEMU's `virt` alike, from RAM, entered with a1 = the tree. It must come out
 * of both with the same words. Devicetree Specification 0.4, chapter 5. */
enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, END = 9 };
enum { DEPTH_MAX = 8 };
enum { MTI = 7, MEI = 11, MIE = 8 };

struct device {
    const char *compatible;
    uint32_t base;
    uint32_t interrupt;
};

static struct device uart = {.compatible = "ns16550a"};
static struct device plic = {.compatible = "riscv,plic0"};
static struct device clint = {.compatible = "riscv,clint0"};
static struct device finisher = {.compatible = "sifive,test0"};
static struct device *const devices[] = {&uart, &plic, &clint, &finisher};
static uint32_t timebase, sources, off_value, ram_base, ram_size;
static volatile uint32_t timers, externals, claimed;

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t len_of(const char *text)
{
    uint32_t len = 0;
    while (text[len]) {
        len++;
    }
    return len;
}

static int is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Is `text` one of the strings in a list of them? */
static int is_listed(const char *text, const uint8_t *list, uint32_t len)
{
    for (uint32_t at = 0; at < len; at += len_of((const char *)list + at) + 1) {
        if (is_same(text, (const char *)list + at)) {
            return 1;
        }
    }
    return 0;
}

/* What is known of the node that is being read. */
struct node {
    const char *name;
    const uint8_t *compatible;
    uint32_t compatible_len;
    uint32_t base, size, interrupt, sources, value, timebase;
};

static void take(struct node *n, const char *name, const uint8_t *data, uint32_t len)
{
    if (is_same(name, "compatible")) {
        n->compatible = data;
        n->compatible_len = len;
    } else if (is_same(name, "reg") && len >= 16) {
        n->base = word(data + 4);
        n->size = word(data + 12);
    } else if (is_same(name, "interrupts")) {
        n->interrupt = word(data);
    } else if (is_same(name, "riscv,ndev")) {
        n->sources = word(data);
    } else if (is_same(name, "value")) {
        n->value = word(data);
    } else if (is_same(name, "timebase-frequency")) {
        n->timebase = word(data);
    }
}

static void leave(const struct node *n)
{
    for (unsigned i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (is_listed(devices[i]->compatible, n->compatible, n->compatible_len)) {
            devices[i]->base = n->base;
            devices[i]->interrupt = n->interrupt;
        }
    }
    if (is_listed("syscon-poweroff", n->compatible, n->compatible_len)) {
        off_value = n->value;
    }
    if (is_listed("riscv,plic0", n->compatible, n->compatible_len)) {
        sources = n->sources;
    }
    if (n->timebase) {
        timebase = n->timebase;
    }
    if (n->name[0] == 'm' && n->name[1] == 'e' && n->name[2] == 'm' && n->name[6] == '@') {
        ram_base = n->base;
        ram_size = n->size;
    }
}

static void walk(const uint8_t *tree)
{
    struct node nodes[DEPTH_MAX];
    const uint8_t *p = tree + word(tree + 8);
    const char *strings = (const char *)tree + word(tree + 12);
    int depth = -1;
    for (;;) {
        uint32_t token = word(p);
        p += 4;
        if (token == BEGIN_NODE) {
            nodes[++depth] = (struct node){.name = (const char *)p};
            p += (len_of((const char *)p) + 4) & ~3u;
        } else if (token == PROPERTY) {
            uint32_t len = word(p);
            take(&nodes[depth], strings + word(p + 4), p + 8, len);
            p += 8 + ((len + 3) & ~3u);
        } else if (token == END_NODE) {
            leave(&nodes[depth--]);
        } else if (token == END) {
            return;
        }
    }
}

static volatile uint8_t *uart_at(uint32_t offset)
{
    return (volatile uint8_t *)(uart.base + offset);
}

static volatile uint32_t *word_at(const struct device *device, uint32_t offset)
{
    return (volatile uint32_t *)(device->base + offset);
}

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(*uart_at(5) & 0x20)) {
        }
        *uart_at(0) = (uint8_t)*text;
    }
}

static void print_number(const char *label, uint32_t value)
{
    char text[] = " 00000000\n";
    for (unsigned i = 0; i < 8; i++) {
        text[8 - i] = "0123456789abcdef"[value >> 4 * i & 15];
    }
    print(label);
    print(text);
}

__attribute__((interrupt("machine"), aligned(4))) static void on_interrupt(void)
{
    uint32_t cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    if (cause == (1u << 31 | MTI)) {
        timers++;
        *word_at(&clint, 0x4004) = ~0u; /* never again */
    } else if (cause == (1u << 31 | MEI)) {
        claimed = *word_at(&plic, 0x200004);
        externals++;
        (void)*uart_at(2);
        *uart_at(1) = 0;
        *word_at(&plic, 0x200004) = claimed;
    }
}

/* Interrupts are on between two waits only, or one could come between the look and the `wfi`. */
static void wait_for(volatile uint32_t *count)
{
    while (!*count) {
        __asm__ volatile("wfi");
        __asm__ volatile("csrs mstatus, %0" : : "r"(MIE) : "memory");
        __asm__ volatile("csrc mstatus, %0" : : "r"(MIE) : "memory");
    }
}

int start(const uint8_t *tree)
{
    walk(tree);
    print_number("uart", uart.base);
    print_number("uart interrupt", uart.interrupt);
    print_number("plic", plic.base);
    print_number("clint", clint.base);
    print_number("finisher", finisher.base);
    print_number("timebase", timebase);
    print_number("sources", sources);
    print_number("ram", ram_base);
    print_number("ram size", ram_size);

    *word_at(&clint, 0x4004) = ~0u; /* QEMU's is 0 at reset */
    uint32_t from = *word_at(&clint, 0xbff8);
    *word_at(&clint, 0x4000) = from + timebase / 1000;
    __asm__ volatile("csrw mtvec, %0" : : "r"(on_interrupt));
    __asm__ volatile("csrw mie, %0" : : "r"(1u << MTI | 1u << MEI));
    *word_at(&clint, 0x4004) = *word_at(&clint, 0xbffc);
    wait_for(&timers);
    print(*word_at(&clint, 0xbff8) - from >= timebase / 1000 ? "timer on time\n" : "too early\n");

    *word_at(&plic, 4 * uart.interrupt) = 1;
    *word_at(&plic, 0x2000 + uart.interrupt / 32 * 4) = 1u << uart.interrupt % 32;
    *word_at(&plic, 0x200000) = 0;
    *uart_at(1) = 2; /* transmitter empty */
    wait_for(&externals);
    print_number("claimed", claimed);
    print_number("interrupts", timers << 16 | externals);
    *word_at(&finisher, 0) = off_value;
    return 1;
}

__asm__(".section .start,\"ax\"\n.globl _start\n_start:\n"
        " .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
        " la sp, _end + 0x10000\n andi sp, sp, -16\n mv a0, a1\n call start\n1: j 1b\n"
        ".text\n");
