/* cookie.c - reads Cookie, writes Set-Cookie */
/* SPDX-License-Identifier: MIT */
#include "service/cookie.h"

static struct span trim(struct span s)
{
    while (s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t')) {
        s = span_of(s.data + 1, s.len - 1);
    }
    while (s.len > 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

static struct span unquote(struct span s)
{
    bool is_quoted = s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"';
    return is_quoted ? span_of(s.data + 1, s.len - 2) : s;
}

static void read_pair(struct span pair, struct cookies *cookies)
{
    const uint8_t *equals = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
    if (!equals) {
        return;
    }
    size_t name_len = (size_t)(equals - pair.data);
    struct span name = trim(span_of(pair.data, name_len));
    struct span value = unquote(trim(span_of(equals + 1, pair.len - name_len - 1)));
    if (span_equals_string(name, "rom") && !cookies->has_rom) {
        cookies->has_rom = id_parse(value, &cookies->rom);
    } else if (span_equals_string(name, "ram") && !cookies->has_ram) {
        cookies->has_ram = id_parse(value, &cookies->ram);
    }
}

void cookies_read(struct span value, struct cookies *cookies)
{
    while (value.len > 0) {
        const uint8_t *semicolon = memchr(value.data, ';', value.len);
        size_t len = semicolon ? (size_t)(semicolon - value.data) : value.len;
        read_pair(span_of(value.data, len), cookies);
        size_t skip = semicolon ? len + 1 : len;
        value = span_of(value.data + skip, value.len - skip);
    }
}

void cookie_put(struct buf *lines, const char *name, const struct id *id)
{
    char text[ID_TEXT_LEN + 1] = "";
    if (id) {
        id_format(id, text);
    }
    buf_print(lines, "Set-Cookie: %s=%s; Path=/mcu; HttpOnly; SameSite=Strict%s\r\n", name, text,
              id ? "" : "; Max-Age=0");
}
