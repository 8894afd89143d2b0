/* lua_port.c - what Lua calls and Debian's picolibc 1.8 does not have */
/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <semihost.h>
#include <stdio.h>

int rename(const char *from, const char *to)
{
    if (sys_semihost_rename(from, to)) {
        errno = sys_semihost_errno();
        return -1;
    }
    return 0;
}
