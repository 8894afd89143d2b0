/* bus.h - work on mapped files that may lose their pages meanwhile */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/err.h"

/* Calls body(context) and returns its result. Where it touches a page of a mapping that the file
 * cannot give (somebody cut it, the disk is full or broken: SIGBUS), body ends at that access,
 * without running what comes after, and the call returns ERR_IO with the address; what body held
 * stays held, so the process should say why and end. *ret_address is NULL otherwise. Calls do not
 * nest in one thread. */
MUST_CHECK int os_bus_guard(int (*body)(void *context), void *context, const void **ret_address);
