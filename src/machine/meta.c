/* meta.c - write the request half of META, read the reply half */
/* SPDX-License-Identifier: MIT */
#include "machine/meta.h"

enum { SECRET_BYTES_MAX = 32 };

static bool has_byte(struct span s, uint8_t byte)
{
    return s.len > 0 && memchr(s.data, byte, s.len) != NULL;
}

int meta_put(uint8_t *meta, uint32_t *len, struct span name, struct span value, struct msg *msg)
{
    if (name.len == 0 || has_byte(name, '=') || has_byte(name, 0)) {
        return fail(msg, ERR_ARGUMENT,
                    "a request variable's name is empty or has a `=` or NUL inside");
    }
    int shown = name.len < 64 ? (int)name.len : 64;
    if (has_byte(value, 0)) {
        return fail(msg, ERR_ARGUMENT, "the request variable %.*s has a NUL inside", shown,
                    (const char *)name.data);
    }
    check(*len < META_REQUEST_MAX);
    /* `=`, the NUL of this string, and the empty string that ends the list. */
    size_t room = META_REQUEST_MAX - *len;
    if (room < 3 || name.len > room - 3 || value.len > room - 3 - name.len) {
        return fail(msg, ERR_TOO_BIG,
                    "the request variable %.*s brings META to %zu bytes, over its limit of %d",
                    shown, (const char *)name.data, *len + name.len + value.len + 3,
                    META_REQUEST_MAX);
    }
    uint8_t *at = meta + *len;
    memcpy(at, name.data, name.len);
    at += name.len;
    *at++ = '=';
    if (value.len > 0) {
        memcpy(at, value.data, value.len);
    }
    at[value.len] = 0;
    *len += (uint32_t)(name.len + value.len + 2);
    return 0;
}

bool meta_is_secret(struct span name)
{
    static const char *const secrets[] = {
#define SECRET(field, text) field,
#include "machine/secret.def"
#undef SECRET
    };
    char field[SECRET_BYTES_MAX];
    if (name.len >= sizeof field) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        field[i] = (char)(name.data[i] == '_' ? '-' : name.data[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        if (span_equals_nocase(span_of(field, name.len), secrets[i])) {
            return true;
        }
    }
    return false;
}

uint32_t meta_end(uint8_t *meta, uint32_t len)
{
    check(len < META_REQUEST_MAX);
    meta[len] = 0;
    return len + 1;
}

static int read_header(struct span line, struct meta_header *ret_header, struct msg *msg)
{
    const uint8_t *colon = memchr(line.data, ':', line.len);
    if (!colon) {
        return fail(msg, ERR_ARGUMENT, "a reply header line of %zu bytes has no colon", line.len);
    }
    struct span name = span_of(line.data, (size_t)(colon - line.data));
    if (name.len == 0) {
        return fail(msg, ERR_ARGUMENT, "a reply header line has no name before its colon");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!span_is_token(span_of(name.data + i, 1))) {
            return fail(msg, ERR_ARGUMENT,
                        "a reply header's name has byte 0x%02x at %zu, which is none of a name's",
                        name.data[i], i);
        }
    }
    struct span value = span_of(colon + 1, line.len - name.len - 1);
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return fail(msg, ERR_ARGUMENT, "the reply header %.*s has control byte 0x%02x inside",
                        name.len < 64 ? (int)name.len : 64, (const char *)name.data, c);
        }
    }
    *ret_header = (struct meta_header){name, span_trim(value)};
    return 0;
}

int meta_next(struct span *rest, struct meta_header *ret_header, struct msg *msg)
{
    if (rest->len == 0) {
        return 0;
    }
    struct span after = *rest;
    struct span line = span_take_line(&after);
    if (line.len == 0) {
        if (after.len > 0) {
            return fail(msg, ERR_ARGUMENT,
                        "%zu bytes follow the blank line that ends the reply headers", after.len);
        }
        *rest = after;
        return 0;
    }
    int err = read_header(line, ret_header, msg);
    if (err) {
        return err;
    }
    *rest = after;
    return 1;
}
