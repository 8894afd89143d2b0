/* uart.h - a 16550: registers, FIFO, loopback, interrupts; the machine carries its bytes */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: zeroed -> uart_reset -> uart_read, uart_write, uart_send ... No time passes in it: a
 * byte written is sent at once, and one that waits on the line (uart_send) is received when the
 * guest looks for it: where it reads the line status, the interrupt or the data with nothing
 * received, a byte; with the interrupt for received data enabled, as many as there is room for. So
 * none is ever lost on the way, and a FIFO that is cleared while nobody looks loses none either. */
#include "base/span.h"
#include <stdbool.h>

enum { UART_FIFO_MAX = 16, UART_LINE_MAX = 256 };

struct uart {
    uint8_t ier, fcr, lcr, mcr, scr;
    uint8_t divisor[2];
    uint8_t modem_delta; /* low half of MSR: what changed since it was read */
    bool is_overrun;
    bool is_sent; /* the transmitter has become empty: interrupt by IER bit 1, until IIR tells it */
    uint8_t fifo[UART_FIFO_MAX];
    unsigned fifo_count;
    uint8_t line[UART_LINE_MAX]; /* a ring: sent by the other end, not received yet */
    unsigned line_first;
    unsigned line_count;
};

/* The reset pin: what is on the line stays there. */
void uart_reset(struct uart *u);
/* Puts bytes on the line, as many as it takes; the number of these. */
size_t uart_send(struct uart *u, struct span bytes);
/* Reads the register at `offset`, 0 to 7. */
uint8_t uart_read(struct uart *u, uint32_t offset);
/* Writes it; true where `value` goes out to the console. */
bool uart_write(struct uart *u, uint32_t offset, uint8_t value);
/* Is its interrupt line up? */
bool uart_is_interrupting(const struct uart *u);
/* Would a byte from the line raise it? Then there is something to wait for. */
bool uart_is_listening(const struct uart *u);
