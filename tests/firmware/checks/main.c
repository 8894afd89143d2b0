/* main.c - runs each row of checks.def and prints its checksum, on the host and on RV32 alike */
/* SPDX-License-Identifier: MIT */
#include "print.h"

#define CHECK(name, rounds) uint32_t check_##name(uint32_t rounds_count);
#include "checks.def"
#undef CHECK

static const struct {
    const char *name;
    uint32_t (*run)(uint32_t rounds);
    uint32_t rounds;
} rows[] = {
#define CHECK(name, rounds) {#name, check_##name, rounds},
#include "checks.def"
#undef CHECK
};

int main(void)
{
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        volatile uint32_t rounds = rows[i].rounds; /* or the compiler would compute it all */
        print_sum(rows[i].name, rows[i].run(rounds));
    }
    return 0;
}
