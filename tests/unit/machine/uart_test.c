/* uart_test.c - the 16550 as drivers probe and use it */
/* SPDX-License-Identifier: MIT */
#include "machine/uart.h"

#include "test.h"

enum { THR, IER, FCR, LCR, MCR, LSR, MSR, SCR };
enum { RBR = THR, IIR = FCR };

static void send(struct uart *u, const char *text)
{
    assert_int_equal(uart_send(u, span_of_string(text)), strlen(text));
}

static void write(struct uart *u, uint32_t offset, uint8_t value)
{
    assert_false(uart_write(u, offset, value));
}

TEST(uart, after_reset)
{
    struct uart u = {.line_count = 0};
    uart_reset(&u);
    static const uint8_t expected[] = {0, 0, 1, 0, 0, 0x60, 0xb0, 0};
    for (uint32_t offset = 0; offset < 8; offset++) {
        assert_int_equal(uart_read(&u, offset), expected[offset]);
    }
    assert_false(uart_is_interrupting(&u));
    assert_false(uart_is_listening(&u));
}

/* What drivers write to find out what chip it is. */
TEST(uart, keeps_the_bits_it_has)
{
    struct uart u = {.line_count = 0};
    static const uint8_t kept[] = {0, 0x0f, 0, 0xff, 0x1f, 0, 0, 0xff};
    for (uint32_t offset = IER; offset < 8; offset++) {
        if (kept[offset]) {
            write(&u, offset, 0xff);
            assert_int_equal(uart_read(&u, offset), kept[offset]);
            write(&u, offset, 0);
            assert_int_equal(uart_read(&u, offset), 0);
        }
    }
    write(&u, LCR, 0x80);
    write(&u, THR, 0x34);
    write(&u, IER, 0x12);
    assert_int_equal(uart_read(&u, THR), 0x34);
    assert_int_equal(uart_read(&u, IER), 0x12);
    write(&u, LCR, 3);
    assert_int_equal(uart_read(&u, THR), 0);
    assert_int_equal(uart_read(&u, IER), 0);
    write(&u, FCR, 0xc0); /* without bit 0 the others do nothing */
    assert_int_equal(uart_read(&u, IIR), 1);
    write(&u, FCR, 0xc1);
    assert_int_equal(uart_read(&u, IIR), 0xc1);
}

TEST(uart, sends_what_is_written)
{
    struct uart u = {.line_count = 0};
    assert_true(uart_write(&u, THR, 'x'));
    write(&u, LCR, 0x80);
    write(&u, THR, 'x'); /* the divisor */
    write(&u, LCR, 0);
    write(&u, MCR, 0x10);
    write(&u, THR, 'y'); /* goes round */
    assert_int_equal(uart_read(&u, RBR), 'y');
}

TEST(uart, receives_when_it_is_looked_at)
{
    struct uart u = {.line_count = 0};
    send(&u, "abc");
    write(&u, FCR, 0x07); /* clears what was received: nobody has looked, so nothing was */
    assert_int_equal(uart_read(&u, LSR), 0x61);
    assert_int_equal(uart_read(&u, LSR), 0x61);
    assert_int_equal(uart_read(&u, RBR), 'a');
    assert_int_equal(uart_read(&u, RBR), 'b'); /* without asking the status */
    assert_int_equal(uart_read(&u, LSR), 0x61);
    write(&u, FCR, 0x03);
    assert_int_equal(uart_read(&u, LSR), 0x60); /* `c` was received, and cleared */
    assert_int_equal(uart_read(&u, RBR), 0);
}

TEST(uart, takes_no_more_than_its_line_holds)
{
    struct uart u = {.line_count = 0};
    uint8_t bytes[UART_LINE_MAX + 10];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(uart_send(&u, span_of(bytes, sizeof bytes)), UART_LINE_MAX);
    assert_int_equal(uart_send(&u, span_of(bytes, 1)), 0);
    for (size_t i = 0; i < UART_LINE_MAX; i++) {
        assert_int_equal(uart_read(&u, RBR), (uint8_t)i);
    }
    assert_int_equal(uart_read(&u, LSR), 0x60);
    assert_int_equal(uart_send(&u, span_of("z", 1)), 1); /* round the ring's end */
    assert_int_equal(uart_read(&u, RBR), 'z');
}

/* Received data by each trigger; what stays below it is a timeout. */
TEST(uart, interrupts_by_trigger)
{
    static const unsigned triggers[] = {1, 4, 8, 14};
    for (unsigned t = 0; t < 4; t++) {
        struct uart u = {.line_count = 0};
        write(&u, FCR, (uint8_t)(t << 6 | 1));
        write(&u, IER, 1);
        assert_true(uart_is_listening(&u));
        assert_false(uart_is_interrupting(&u));
        send(&u, "0123456789abcdefXY");
        assert_int_equal(u.fifo_count, 16);
        for (unsigned taken = 0; taken < 18; taken++) {
            unsigned count = 18 - taken < 16 ? 18 - taken : 16;
            assert_true(uart_is_interrupting(&u));
            assert_int_equal(uart_read(&u, IIR), count >= triggers[t] ? 0xc4 : 0xcc);
            assert_int_equal(uart_read(&u, LSR), 0x61);
            assert_int_equal(uart_read(&u, RBR), "0123456789abcdefXY"[taken]);
        }
        assert_false(uart_is_interrupting(&u));
        assert_int_equal(uart_read(&u, IIR), 0xc1);
    }
    struct uart u = {.line_count = 0}; /* no FIFO: one byte, and no timeout */
    write(&u, IER, 1);
    send(&u, "ab");
    assert_int_equal(u.fifo_count, 1);
    assert_int_equal(uart_read(&u, IIR), 4);
    assert_int_equal(uart_read(&u, RBR), 'a');
    assert_int_equal(uart_read(&u, IIR), 4);
    write(&u, IER, 0);
    assert_false(uart_is_interrupting(&u));
}

/* Pending from the moment it is enabled, and after each byte; IIR takes it away, and only where it
 * tells of it. */
TEST(uart, tells_that_the_transmitter_is_empty)
{
    struct uart u = {.line_count = 0};
    write(&u, IER, 2);
    assert_true(uart_is_interrupting(&u));
    assert_int_equal(uart_read(&u, IIR), 2);
    assert_false(uart_is_interrupting(&u));
    assert_int_equal(uart_read(&u, IIR), 1);
    write(&u, IER, 2); /* it was on */
    assert_false(uart_is_interrupting(&u));
    assert_true(uart_write(&u, THR, 'x'));
    assert_true(uart_is_interrupting(&u));
    send(&u, "a");
    write(&u, IER, 3);
    assert_int_equal(uart_read(&u, IIR), 4); /* received data goes first */
    assert_int_equal(uart_read(&u, RBR), 'a');
    assert_int_equal(uart_read(&u, IIR), 2);
    write(&u, IER, 0);
    write(&u, IER, 2);
    assert_int_equal(uart_read(&u, IIR), 2);
}

TEST(uart, loops_back)
{
    struct uart u = {.line_count = 0};
    write(&u, FCR, 1);
    write(&u, MCR, 0x10);
    for (unsigned i = 0; i < 16; i++) {
        write(&u, THR, (uint8_t)i);
    }
    assert_int_equal(uart_read(&u, LSR), 0x61);
    write(&u, THR, 99);
    write(&u, IER, 4);
    assert_true(uart_is_interrupting(&u));
    assert_int_equal(uart_read(&u, IIR), 0xc6);
    assert_int_equal(uart_read(&u, LSR), 0x63); /* one was lost; reading says so once */
    assert_int_equal(uart_read(&u, LSR), 0x61);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(uart_read(&u, RBR), i);
    }
    assert_int_equal(uart_read(&u, LSR), 0x60);
    write(&u, FCR, 0);
    write(&u, THR, 1);
    write(&u, THR, 2);
    assert_int_equal(uart_read(&u, LSR), 0x63);
    assert_int_equal(uart_read(&u, RBR), 2); /* without the FIFO the last one stays */
    send(&u, "x");
    assert_false(uart_is_listening(&u));
    write(&u, IER, 1);
    assert_false(uart_is_interrupting(&u)); /* the line is cut off */
    write(&u, MCR, 0);
    assert_true(uart_is_interrupting(&u));
    assert_int_equal(uart_read(&u, RBR), 'x');
}

/* The test of the modem lines that drivers make. */
TEST(uart, shows_the_modem_lines)
{
    struct uart u = {.line_count = 0};
    static const struct {
        uint8_t mcr, msr;
    } rows[] = {{0x10, 0x0b}, {0x11, 0x22}, {0x12, 0x13}, {0x14, 0x41},
                {0x18, 0x8c}, {0x1f, 0xf3}, {0x1a, 0x96}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write(&u, MCR, rows[i].mcr);
        assert_int_equal(uart_read(&u, MSR), rows[i].msr);
        assert_int_equal(uart_read(&u, MSR), rows[i].msr & 0xf0);
    }
    write(&u, IER, 8);
    assert_false(uart_is_interrupting(&u));
    write(&u, MCR, 0);
    assert_true(uart_is_interrupting(&u));
    assert_int_equal(uart_read(&u, IIR), 0);
    assert_int_equal(uart_read(&u, MSR), 0xb2);
    assert_false(uart_is_interrupting(&u));
}

TEST(uart, tells_the_highest_interrupt_first)
{
    struct uart u = {.line_count = 0};
    write(&u, MCR, 0x10);
    write(&u, THR, 'a');
    write(&u, THR, 'b');
    write(&u, IER, 15);
    assert_int_equal(uart_read(&u, IIR), 6);
    assert_int_equal(uart_read(&u, LSR), 0x63);
    assert_int_equal(uart_read(&u, IIR), 4);
    assert_int_equal(uart_read(&u, RBR), 'b');
    assert_int_equal(uart_read(&u, IIR), 2);
    assert_int_equal(uart_read(&u, IIR), 0);
    assert_int_equal(uart_read(&u, MSR), 0x0b);
    assert_int_equal(uart_read(&u, IIR), 1);
}
