/* cgi.c - which variables of a CGI environment a guest gets to see */
/* SPDX-License-Identifier: MIT */
#include "cmd/cgi.h"
#include "machine/meta.h"

#include <string.h>

static const char *const names[] = {
#define CGI(name) name,
#include "cmd/cgi.def"
#undef CGI
};

bool cgi_is_handed_on(const char *name, size_t len)
{
    if (len > 5 && memcmp(name, "HTTP_", 5) == 0) {
        return !meta_is_secret(span_of(name + 5, len - 5));
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (span_equals_string(span_of(name, len), names[i])) {
            return true;
        }
    }
    return false;
}

int cgi_fill(char *const environment[], uint8_t *meta, uint32_t *ret_len, struct msg *msg)
{
    uint32_t len = 0;
    for (size_t i = 0; environment[i]; i++) {
        const char *name = environment[i];
        const char *equals = strchr(name, '=');
        if (!equals || !cgi_is_handed_on(name, (size_t)(equals - name))) {
            continue;
        }
        int err = meta_put(meta, &len, span_of(name, (size_t)(equals - name)),
                           span_of_string(equals + 1), msg);
        if (err) {
            return err;
        }
    }
    *ret_len = meta_end(meta, len);
    return 0;
}
