/* rtos.h - a small kernel: tasks in user mode, each with a stack of its own behind PMP */
/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

enum { REGISTERS = 32, STACK_BYTES = 1024 };

/* What the calls are: the number goes in a7, arguments and result in a0 and a1. */
enum call { CALL_YIELD, CALL_SLEEP_UNTIL, CALL_SEND, CALL_RECEIVE, CALL_LOG, CALL_EXIT, CALLS };

/* A task's registers as vectors.S saves them: x0's place holds the pc. */
struct frame {
    uint32_t x[REGISTERS];
};

/* One call of each vector; they return the frame to go on with. */
struct frame *on_exception(void);
struct frame *on_software(void);
struct frame *on_timer(void);
struct frame *on_stray(void);

/* The tasks, in tasks.c and registers.S. */
void ping(void);
void pong(void);
void clock_task(void);
void producer(void);
void consumer(void);
void intruder(void);
void runaway(void);
void decoder(void);
void keeper_a(void);
void keeper_b(void);
