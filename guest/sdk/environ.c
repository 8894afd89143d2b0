/* environ.c - the request's NAME=value strings as environ, so that getenv() works */
/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static char *nothing[] = {NULL};
char **environ = nothing;

char *_findenv(const char *name, int *ret_index);

/* Calls `with` for each string of META's request half; gives their count. */
static size_t each_string(void (*with)(char *string, size_t i))
{
    char *at = (char *)MOTE_META_REQUEST;
    const char *end = at + MOTE_REG(MOTE_LAMBDA_META_IN_LEN);
    size_t count = 0;
    while (at < end && *at != '\0') {
        if (with != NULL) {
            with(at, count);
        }
        count++;
        at += strnlen(at, (size_t)(end - at)) + 1;
    }
    return count;
}

static void set(char *string, size_t i)
{
    environ[i] = string;
}

/* Only programs that use environ link this file, so no other pays for it. It runs before the
 * constructors of programs. */
__attribute__((constructor(101))) static void read_environ(void)
{
    char **list = calloc(each_string(NULL) + 1, sizeof *list);
    if (list != NULL) {
        environ = list;
        each_string(set);
    }
}

/* getenv and picolibc's _findenv stand here too: the linker takes a symbol that picolibc's own
 * functions ask for from picolibc, and with its getenv would come its empty environ. */
char *_findenv(const char *name, int *ret_index)
{
    size_t len = strcspn(name, "=");
    for (int i = 0; name[len] == '\0' && environ[i] != NULL; i++) {
        if (strncmp(environ[i], name, len) == 0 && environ[i][len] == '=') {
            *ret_index = i;
            return environ[i] + len + 1;
        }
    }
    return NULL;
}

char *getenv(const char *name)
{
    int index;
    return _findenv(name, &index);
}
