/* reply.c - the reply's headers, in META's second half */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define REPLY      ((char *)MOTE_META_REPLY)
#define REPLY_SIZE MOTE_META_REPLY_SIZE

static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~"; /* RFC 9110, 5.6.2 */
    const char *at = text;
    while (isalnum((unsigned char)*at) || (*at != '\0' && strchr(others, *at) != NULL)) {
        at++;
    }
    return at != text && *at == '\0';
}

static bool is_value(const char *text)
{
    while (*text == '\t' || ((unsigned char)*text >= ' ' && *text != 0x7f)) {
        text++;
    }
    return *text == '\0';
}

/* Takes the line of `name` out of the `len` bytes of headers; gives the new length. */
static size_t without(const char *name, size_t len)
{
    size_t name_len = strlen(name);
    for (char *line = REPLY; line < REPLY + len;) {
        char *end = memchr(line, '\n', (size_t)(REPLY + len - line));
        char *next = end != NULL ? end + 1 : REPLY + len;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            memmove(line, next, (size_t)(REPLY + len - next));
            return len - (size_t)(next - line);
        }
        line = next;
    }
    return len;
}

int mote_reply_header(const char *name, const char *value)
{
    if (!is_token(name) || !is_value(value)) {
        errno = EINVAL;
        return -1;
    }
    size_t name_len = strlen(name);
    size_t value_len = strlen(value);
    size_t len = without(name, MOTE_REG(MOTE_LAMBDA_META_OUT_LEN));
    MOTE_REG(MOTE_LAMBDA_META_OUT_LEN) = len;
    if (name_len >= REPLY_SIZE || value_len >= REPLY_SIZE ||
        name_len + value_len + 3 > REPLY_SIZE - len) {
        errno = ENOSPC;
        return -1;
    }
    char *at = REPLY + len;
    memcpy(at, name, name_len);
    memcpy(at + name_len, ": ", 2);
    memcpy(at + name_len + 2, value, value_len);
    at[name_len + 2 + value_len] = '\n';
    MOTE_REG(MOTE_LAMBDA_META_OUT_LEN) = len + name_len + value_len + 3;
    return 0;
}

int mote_reply_status(int status)
{
    if (status < 200 || status > 599) {
        errno = EINVAL;
        return -1;
    }
    char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                     (char)('0' + status % 10), '\0'};
    return mote_reply_header("Status", digits);
}
