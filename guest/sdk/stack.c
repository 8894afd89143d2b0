/* stack.c - notice a stack that has grown into the heap */
/* SPDX-License-Identifier: MIT */
/* There is no guard page below the stack. So the lowest bytes of its space are looked at when the
 * run starts and when it ends: they only change where the stack has used all of it. Nothing is
 * written there, since a page that nobody stores to need not be saved with the session. */
#include "internal.h"

#include <string.h>

extern const unsigned char __heap_end[];

static unsigned char lowest[64];

void mote_stack_watch(void)
{
    memcpy(lowest, __heap_end, sizeof lowest);
}

void mote_stack_check(void)
{
    static const char words[] = "the stack has grown into the heap: link with "
                                "-Wl,--defsym=__stack_size=N, a larger N\n";
    if (memcmp(lowest, __heap_end, sizeof lowest) != 0) {
        mote_console(words, sizeof words - 1);
        __asm__ volatile("ebreak");
    }
}
