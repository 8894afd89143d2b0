/* tasks.c - what runs in user mode: code and constants are shared, the stack is all a task writes
 */
/* SPDX-License-Identifier: MIT */
#include "rtos.h"

enum { ITEMS = 6 };

static inline uint32_t call(enum call number, uint32_t first, uint32_t second)
{
    register uint32_t a0 __asm__("a0") = first, a1 __asm__("a1") = second;
    register uint32_t a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a7) : "memory");
    return a0;
}

static void log_line(const char *text, uint32_t number)
{
    call(CALL_LOG, (uint32_t)(uintptr_t)text, number);
}

void ping(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        log_line("ping", i);
        call(CALL_YIELD, 0, 0);
    }
    call(CALL_EXIT, 0, 0);
}

void pong(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        log_line("pong", i);
        call(CALL_YIELD, 0, 0);
    }
    call(CALL_EXIT, 0, 0);
}

void clock_task(void)
{
    for (uint32_t tick = 3; tick <= 12; tick += 3) {
        log_line("clock woke at tick", call(CALL_SLEEP_UNTIL, tick, 0));
    }
    call(CALL_EXIT, 0, 0);
}

void producer(void)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        call(CALL_SEND, i * i, 0);
        log_line("sent", i * i);
        if (i == 3) {
            call(CALL_SLEEP_UNTIL, 5, 0);
        }
    }
    call(CALL_EXIT, 0, 0);
}

void consumer(void)
{
    call(CALL_SLEEP_UNTIL, 2, 0); /* until then the queue is full and producer waits */
    for (uint32_t i = 0; i < ITEMS; i++) {
        log_line("received", call(CALL_RECEIVE, 0, 0));
    }
    call(CALL_EXIT, 0, 0);
}

void intruder(void)
{
    call(CALL_SLEEP_UNTIL, 4, 0);
    volatile uint32_t local = 1;
    log_line("intruder's own word", local);
    *(volatile uint32_t *)((uintptr_t)&local - STACK_BYTES) = 2; /* in the stack below */
    log_line("intruder got away", local);
}

void runaway(void)
{
    call(CALL_SLEEP_UNTIL, 4, 0);
    volatile uint32_t code[2] = {0x00000513, 0x00008067}; /* li a0, 0; ret */
    ((void (*)(void))(uintptr_t)code)();
    log_line("runaway ran its stack", code[0]);
}

void decoder(void)
{
    call(CALL_SLEEP_UNTIL, 4, 0);
    log_line("no such address", call(CALL_LOG, 0x80400000, 0));
    __asm__ volatile("csrw mtvec, zero");
    log_line("decoder has changed mtvec", 0);
}
