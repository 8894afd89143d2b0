/* uart.c - the 16550 of the PC16550D data sheet, as far as software can see it */
/* SPDX-License-Identifier: MIT */
#include "machine/uart.h"

enum { THR, IER, FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RECEIVED = 1, IER_SENT = 2, IER_LINE = 4, IER_MODEM = 8, IER_ALL = 15 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RECEIVED = 2, FCR_TRIGGER_SHIFT = 6 };
enum { LCR_DIVISOR = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOPBACK = 16, MCR_ALL = 31 };
enum { LSR_RECEIVED = 1, LSR_OVERRUN = 2, LSR_SENT = 0x60 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };
/* Low half of IIR, highest priority first. */
enum {
    IIR_LINE = 6,
    IIR_RECEIVED = 4,
    IIR_TIMEOUT = 12,
    IIR_SENT = 2,
    IIR_MODEM = 0,
    IIR_NONE = 1,
    IIR_FIFO = 0xc0
};

void uart_reset(struct uart *u)
{
    struct uart after = {.line_first = u->line_first, .line_count = u->line_count};
    memcpy(after.line, u->line, sizeof after.line);
    *u = after;
}

static bool has_fifo(const struct uart *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned capacity(const struct uart *u)
{
    return has_fifo(u) ? UART_FIFO_MAX : 1;
}

/* Takes bytes from the line until `count` are received; in loopback it is cut off. */
static void receive(struct uart *u, unsigned count)
{
    while (u->fifo_count < count && u->line_count > 0 && !(u->mcr & MCR_LOOPBACK)) {
        u->fifo[u->fifo_count++] = u->line[u->line_first];
        u->line_first = (u->line_first + 1) % UART_LINE_MAX;
        u->line_count--;
    }
}

/* The guest looks: for one byte, or all that the interrupt for received data may tell it of. */
static void look(struct uart *u)
{
    receive(u, u->ier & IER_RECEIVED ? capacity(u) : 1);
}

static void listen(struct uart *u)
{
    receive(u, u->ier & IER_RECEIVED ? capacity(u) : 0);
}

size_t uart_send(struct uart *u, struct span bytes)
{
    size_t taken = 0;
    for (; taken < bytes.len && u->line_count < UART_LINE_MAX; taken++) {
        u->line[(u->line_first + u->line_count++) % UART_LINE_MAX] = bytes.data[taken];
    }
    listen(u);
    return taken;
}

/* A byte that the transmitter sends round. With the FIFO a byte too many is lost; without, it takes
 * the place of the one before. */
static void loop_back(struct uart *u, uint8_t byte)
{
    if (u->fifo_count < capacity(u)) {
        u->fifo[u->fifo_count++] = byte;
        return;
    }
    u->is_overrun = true;
    if (!has_fifo(u)) {
        u->fifo[0] = byte;
    }
}

static uint8_t take_received(struct uart *u)
{
    look(u);
    uint8_t byte = 0;
    if (u->fifo_count > 0) {
        byte = u->fifo[0];
        u->fifo_count--;
        memmove(&u->fifo[0], &u->fifo[1], sizeof u->fifo - 1);
    }
    listen(u);
    return byte;
}

static unsigned trigger(const struct uart *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    return has_fifo(u) ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* The interrupt of the highest priority. A count under the trigger is a character timeout straight
 * away, since no time passes here. */
static unsigned interrupt(const struct uart *u)
{
    if (u->ier & IER_LINE && u->is_overrun) {
        return IIR_LINE;
    }
    if (u->ier & IER_RECEIVED && u->fifo_count > 0) {
        return u->fifo_count >= trigger(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    }
    if (u->ier & IER_SENT && u->is_sent) {
        return IIR_SENT;
    }
    return u->ier & IER_MODEM && u->modem_delta ? IIR_MODEM : IIR_NONE;
}

bool uart_is_interrupting(const struct uart *u)
{
    return interrupt(u) != IIR_NONE;
}

bool uart_is_listening(const struct uart *u)
{
    return u->ier & IER_RECEIVED && !(u->mcr & MCR_LOOPBACK);
}

static uint8_t modem_lines(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOPBACK)) {
        return MSR_CTS | MSR_DSR | MSR_DCD;
    }
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void write_mcr(struct uart *u, uint8_t value)
{
    uint8_t before = modem_lines(u);
    u->mcr = value & MCR_ALL;
    uint8_t after = modem_lines(u);
    uint8_t changed = before ^ after;
    changed &= (uint8_t) ~(after & MSR_RI); /* of the ring indicator only its end counts */
    u->modem_delta |= changed >> 4;
    listen(u);
}

static void write_fcr(struct uart *u, uint8_t value)
{
    bool is_switched = (value ^ u->fcr) & FCR_ENABLE;
    if (is_switched || (value & FCR_ENABLE && value & FCR_CLEAR_RECEIVED)) {
        u->fifo_count = 0;
    }
    u->fcr = value & FCR_ENABLE ? value : 0;
    listen(u);
}

static void write_ier(struct uart *u, uint8_t value)
{
    value &= IER_ALL;
    u->is_sent |= (value & ~u->ier & IER_SENT) != 0;
    u->ier = value;
    listen(u);
}

static uint8_t read_iir(struct uart *u)
{
    look(u);
    unsigned told = interrupt(u);
    if (told == IIR_SENT) {
        u->is_sent = false;
    }
    return (uint8_t)(told | (has_fifo(u) ? IIR_FIFO : 0));
}

static uint8_t read_lsr(struct uart *u)
{
    look(u);
    unsigned value =
        LSR_SENT | (u->fifo_count > 0 ? LSR_RECEIVED : 0) | (u->is_overrun ? LSR_OVERRUN : 0);
    u->is_overrun = false;
    return (uint8_t)value;
}

static uint8_t read_msr(struct uart *u)
{
    uint8_t value = modem_lines(u) | u->modem_delta;
    u->modem_delta = 0;
    return value;
}

uint8_t uart_read(struct uart *u, uint32_t offset)
{
    if (offset <= IER && u->lcr & LCR_DIVISOR) {
        return u->divisor[offset];
    }
    switch (offset) {
    case THR:
        return take_received(u);
    case IER:
        return u->ier;
    case FCR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return read_lsr(u);
    case MSR:
        return read_msr(u);
    case SCR:
        return u->scr;
    }
    return 0;
}

static bool transmit(struct uart *u, uint8_t byte)
{
    u->is_sent = true;
    if (u->mcr & MCR_LOOPBACK) {
        loop_back(u, byte);
        return false;
    }
    return true;
}

bool uart_write(struct uart *u, uint32_t offset, uint8_t value)
{
    if (offset <= IER && u->lcr & LCR_DIVISOR) {
        u->divisor[offset] = value;
        return false;
    }
    switch (offset) {
    case THR:
        return transmit(u, value);
    case IER:
        write_ier(u, value);
        break;
    case FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        write_mcr(u, value);
        break;
    case SCR:
        u->scr = value;
        break;
    }
    return false;
}
