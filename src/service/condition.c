/* condition.c - reads lists of entity tags */
/* SPDX-License-Identifier: MIT */
#include "service/condition.h"

static bool is_tag_byte(uint8_t c)
{
    return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

/* Takes `"text"` or `W/"text"` off the front; false where there is none. */
static bool take_tag(struct span *rest, struct span *ret_text, bool *ret_is_weak)
{
    bool is_weak = rest->len >= 2 && memcmp(rest->data, "W/", 2) == 0;
    size_t first = is_weak ? 3 : 1;
    if (rest->len < first || rest->data[first - 1] != '"') {
        return false;
    }
    size_t end = first;
    while (end < rest->len && is_tag_byte(rest->data[end])) {
        end++;
    }
    if (end == rest->len || rest->data[end] != '"') {
        return false;
    }
    *ret_text = span_of(rest->data + first, end - first);
    *ret_is_weak = is_weak;
    *rest = span_of(rest->data + end + 1, rest->len - end - 1);
    return true;
}

static bool take_comma(struct span *rest)
{
    *rest = span_trim(*rest);
    if (rest->len == 0 || rest->data[0] != ',') {
        return false;
    }
    *rest = span_trim(span_of(rest->data + 1, rest->len - 1));
    return true;
}

void tags_read(struct tags *tags, struct span value, const char *etag)
{
    struct span rest = span_trim(value);
    bool is_first = !tags->is_given;
    tags->is_given = true;
    if (span_equals_string(rest, "*")) {
        tags->is_any = true;
        tags->is_bad |= !is_first;
        return;
    }
    tags->is_bad |= tags->is_any;
    do {
        struct span text;
        bool is_weak;
        if (take_tag(&rest, &text, &is_weak)) {
            bool is_it = etag && span_equals_string(text, etag);
            tags->is_listed = true;
            tags->is_alike |= is_it;
            tags->is_same |= is_it && !is_weak;
        }
    } while (take_comma(&rest)); /* empty elements are legal (RFC 9110, 5.6.1.2) */
    tags->is_bad |= rest.len > 0;
}

bool tag_is(struct span value, const char *etag)
{
    struct span rest = span_trim(value);
    struct span text;
    bool is_weak;
    return take_tag(&rest, &text, &is_weak) && !is_weak && rest.len == 0 &&
           span_equals_string(text, etag);
}

static bool read_all(const struct http_request *http, const char *name, const char *etag,
                     struct tags *ret_tags)
{
    *ret_tags = (struct tags){0};
    for (size_t i = 0; i < http_fields_count(http); i++) {
        struct http_field field = http_field_at(http, i);
        if (span_equals_nocase(field.name, name)) {
            tags_read(ret_tags, field.value, etag);
        }
    }
    return !ret_tags->is_given || (!ret_tags->is_bad && (ret_tags->is_any || ret_tags->is_listed));
}

enum condition condition_of(const struct http_request *http, const char *etag)
{
    struct tags match;
    struct tags none;
    if (!read_all(http, "If-Match", etag, &match) ||
        !read_all(http, "If-None-Match", etag, &none)) {
        return CONDITION_MALFORMED;
    }
    if (match.is_given && !(match.is_any ? etag != NULL : match.is_same)) {
        return CONDITION_MATCH;
    }
    bool is_there = none.is_any ? etag != NULL : none.is_alike;
    return none.is_given && is_there ? CONDITION_NONE_MATCH : CONDITION_HOLDS;
}
