/* error.c - what errno means */
/* SPDX-License-Identifier: MIT */
#include "os/error.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

int os_error(int number)
{
    switch (number) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case EROFS:
        return ERR_READ_ONLY;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EMFILE:
    case ENFILE:
        return ERR_FILES;
    case ENOMEM:
    case EAGAIN:
        return ERR_NO_MEMORY;
    case EPIPE:
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOTCONN:
        return ERR_CLOSED;
    default:
        return ERR_IO;
    }
}

static int fail_limit(struct msg *msg, int err, const char *what, int resource)
{
    const char *name = resource == RLIMIT_NOFILE ? "-n" : "-f";
    const char *unit = resource == RLIMIT_NOFILE ? "" : " bytes";
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) || limit.rlim_cur == RLIM_INFINITY) {
        return fail(msg, err, "%s: %s", what, err_text(err));
    }
    return fail(msg, err, "%s: %s, the limit of this process (ulimit %s) is %llu%s", what,
                resource == RLIMIT_NOFILE ? "too many open files" : "a file would be too large",
                name, (unsigned long long)limit.rlim_cur, unit);
}

int os_fail(struct msg *msg, int err, const char *what)
{
    int number = errno;
    if (os_error(number) != err) {
        return fail(msg, err, "%s: %s", what, err_text(err));
    }
    if (number == EMFILE) {
        return fail_limit(msg, err, what, RLIMIT_NOFILE);
    }
    if (number == EFBIG) {
        return fail_limit(msg, err, what, RLIMIT_FSIZE);
    }
    const char *reason = strerrordesc_np(number);
    return fail(msg, err, "%s: %s", what, reason ? reason : err_text(err));
}
