/* cookie.c - reads Cookie, writes Set-Cookie */
/* SPDX-License-Identifier: MIT */
#include "service/cookie.h"

static struct span unquote(struct span s)
{
    bool is_quoted = s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"';
    return is_quoted ? span_of(s.data + 1, s.len - 2) : s;
}

static void read_pair(struct span pair, struct cookies *cookies)
{
    struct span value = pair;
    struct span name = span_trim(span_cut(&value, '='));
    value = unquote(span_trim(value));
    if (span_equals_string(name, "rom") && !cookies->has_rom) {
        cookies->has_rom = id_parse(value, &cookies->rom);
    } else if (span_equals_string(name, "ram") && !cookies->has_ram) {
        cookies->has_ram = id_parse(value, &cookies->ram);
    }
}

void cookies_read(struct span value, struct cookies *cookies)
{
    while (value.data) {
        read_pair(span_cut(&value, ';'), cookies);
    }
}

void cookie_put(struct buf *lines, const char *name, const struct id *id)
{
    buf_print(lines, "Set-Cookie: %s=%s; Path=/mcu; HttpOnly; SameSite=Strict%s\r\n", name,
              id ? id_text(id).text : "", id ? "" : "; Max-Age=0");
}
