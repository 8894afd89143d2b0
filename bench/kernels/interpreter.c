/* interpreter.c - kernel: a small stack machine that runs a program of nested loops */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum op { PUSH, LOAD, STORE, ADD, MUL, XOR, LESS, JUMP_IF, JUMP, GET, PUT, HALT };
enum { STACK = 16, VARIABLES = 4, HEAP = 64 };
enum { N, I, J, SUM };

struct step {
    uint8_t op;
    int8_t argument;
};

static uint32_t heap[HEAP];

static const struct step program[] = {
    {PUSH, 0},   {STORE, I},                                         /*  0 i = 0 */
    {LOAD, I},   {LOAD, N},  {LESS, 0}, {JUMP_IF, 7},  {HALT, 0},    /*  2 while i < n */
    {PUSH, 0},   {STORE, J},                                         /*  7 j = 0 */
    {LOAD, J},   {LOAD, I},  {LESS, 0}, {JUMP_IF, 14}, {JUMP, 29},   /*  9 while j < i */
    {LOAD, J},   {GET, 0},   {LOAD, I}, {LOAD, J},     {MUL, 0},     /* 14 */
    {LOAD, SUM}, {ADD, 0},   {XOR, 0},  {LOAD, J},     {PUT, 0},     /* 19 h[j] ^= i*j + sum */
    {LOAD, J},   {PUSH, 1},  {ADD, 0},  {STORE, J},    {JUMP, 9},    /* 24 j = j + 1 */
    {LOAD, SUM}, {LOAD, I},  {GET, 0},  {ADD, 0},      {STORE, SUM}, /* 29 sum = sum + h[i] */
    {LOAD, I},   {PUSH, 1},  {ADD, 0},  {STORE, I},    {JUMP, 2},    /* 34 i = i + 1 */
};

__attribute__((noinline)) static uint32_t run(uint32_t n)
{
    uint32_t stack[STACK], variables[VARIABLES] = {n};
    uint32_t *top = stack;
    for (const struct step *at = program;; at++) {
        switch ((enum op)at->op) {
        case PUSH:
            *top++ = (uint32_t)at->argument;
            break;
        case LOAD:
            *top++ = variables[at->argument];
            break;
        case STORE:
            variables[at->argument] = *--top;
            break;
        case ADD:
            top--;
            top[-1] += top[0];
            break;
        case MUL:
            top--;
            top[-1] *= top[0];
            break;
        case XOR:
            top--;
            top[-1] ^= top[0];
            break;
        case LESS:
            top--;
            top[-1] = top[-1] < top[0];
            break;
        case JUMP_IF:
            at = *--top ? program + at->argument - 1 : at;
            break;
        case JUMP:
            at = program + at->argument - 1;
            break;
        case GET:
            top[-1] = heap[top[-1] % HEAP];
            break;
        case PUT:
            top -= 2;
            heap[top[1] % HEAP] = top[0];
            break;
        case HALT:
            return variables[SUM];
        }
    }
}

uint32_t kernel(uint32_t rounds)
{
    uint32_t sum = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        sum = mix(sum, run(100 + round % 8));
    }
    return sum;
}
