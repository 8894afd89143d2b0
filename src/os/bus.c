/* bus.c - SIGBUS as the end of a guarded call */
/* SPDX-License-Identifier: MIT */
#include "os/bus.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

struct guard {
    sigjmp_buf way_out;
    const void *address;
};

/* The one pointer through which the handler finds its thread's guard. */
static _Thread_local struct guard *current;

/* The signal is synchronous (an access of this thread), so that leaving by a jump is safe. A
 * SIGBUS that somebody sent, or one outside of a guarded call, kills as it would by default. */
static void on_bus(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!current || info->si_code <= 0) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    current->address = info->si_addr;
    siglongjmp(current->way_out, 1);
}

int os_bus_guard(int (*body)(void *context), void *context, const void **ret_address)
{
    struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    struct sigaction before;
    struct guard guard = {.address = NULL};
    volatile int result = ERR_IO;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, &before)) {
        return ERR_IO;
    }
    current = &guard;
    if (sigsetjmp(guard.way_out, 1) == 0) {
        result = body(context);
    }
    current = NULL;
    sigaction(SIGBUS, &before, NULL);
    *ret_address = guard.address;
    return result;
}
