/* rows.h - what the lockstep test's programs ask of a row of the instruction table */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "isa/isa.h"

static const struct {
    enum kind kind;
    uint8_t bytes; /* of an access to memory */
} rows[OP_COUNT] = {
#define BYTES_LOAD(type)     sizeof(type)
#define BYTES_STORE(type)    sizeof(type)
#define BYTES_ALU(unused)    0
#define BYTES_BRANCH(unused) 0
#define BYTES_JUMP(unused)   0
#define BYTES_AMO(unused)    4
#define BYTES_CSR(unused)    0
#define BYTES_SYSTEM(unused) 0
#define INSN(name, extension, format, kind, match, mask, semantics, text) \
    [OP_##name] = {KIND_##kind, BYTES_##kind(semantics)},
#include "isa/rv32.def"
#undef INSN
};
