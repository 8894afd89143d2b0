/* interpreter.c - a small stack machine: one switch, hard to predict */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum opcode { PUSH, ADD, SUB, XOR, DUP, SWAP, LOOP, END };

struct command {
    uint8_t opcode;
    uint8_t operand;
};

static const struct command program[] = {
    {PUSH, 1}, {PUSH, 200}, {SWAP, 0}, {DUP, 0},  {PUSH, 13}, {ADD, 0}, {XOR, 0}, {PUSH, 3},
    {SUB, 0},  {DUP, 0},    {ADD, 0},  {SWAP, 0}, {LOOP, 2},  {ADD, 0}, {END, 0},
};

static uint32_t run(uint32_t seed)
{
    uint32_t stack[16] = {seed};
    uint32_t top = 0;
    uint32_t pc = 0;
    for (;;) {
        struct command c = program[pc++];
        uint32_t word = stack[top];
        switch ((enum opcode)c.opcode) {
        case PUSH:
            stack[++top] = c.operand;
            break;
        case ADD:
            stack[--top] += word;
            break;
        case SUB:
            stack[--top] -= word;
            break;
        case XOR:
            stack[--top] ^= word;
            break;
        case DUP:
            stack[++top] = word;
            break;
        case SWAP:
            stack[top] = stack[top - 1];
            stack[top - 1] = word;
            break;
        case LOOP:
            stack[top] = word - 1;
            pc = word > 1 ? c.operand : pc;
            break;
        case END:
            return stack[top];
        }
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = sum * 5 + run(round);
    }
    return sum;
}
