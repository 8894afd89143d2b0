/* route.c - matches paths and methods against route.def */
/* SPDX-License-Identifier: MIT */
#include "service/route.h"

static const struct route routes[] = {
#define ROUTE(handler, method, path, answers, text) {HANDLER_##handler, #method, path},
#include "service/route.def"
#undef ROUTE
};

/* Takes the next '/'-led segment off `*rest`; false where there is none. */
static bool next_segment(struct span *rest, struct span *ret_segment)
{
    if (rest->len == 0 || rest->data[0] != '/') {
        return false;
    }
    size_t len = 1;
    while (len < rest->len && rest->data[len] != '/') {
        len++;
    }
    *ret_segment = span_of(rest->data + 1, len - 1);
    *rest = span_of(rest->data + len, rest->len - len);
    return true;
}

static void take_id(struct span name, struct span segment, struct route_ids *ids)
{
    struct id id;
    if (!id_parse(segment, &id)) {
        if (!ids->is_bad) {
            ids->is_bad = true;
            ids->bad = segment;
            ids->bad_name = name;
        }
        return;
    }
    if (!ids->has_first) {
        ids->first = id;
        ids->has_first = true;
    } else {
        ids->second = id;
        ids->has_second = true;
    }
}

static bool matches(const char *pattern, struct span path, struct route_ids *ids)
{
    struct span want = span_of_string(pattern);
    struct span have = path;
    *ids = (struct route_ids){0};
    struct span segment;
    struct span expected;
    while (next_segment(&want, &expected)) {
        if (!next_segment(&have, &segment)) {
            return false;
        }
        if (expected.len > 0 && expected.data[0] == '{') {
            if (segment.len == 0) {
                return false;
            }
            take_id(expected, segment, ids);
        } else if (!span_equals(expected, segment)) {
            return false;
        }
    }
    return have.len == 0;
}

/* Whether HTTP has such a method at all: those of the rows, and what RFC 9110 and 5789 add. */
static bool is_method(struct span method)
{
    static const char *const others[] = {"HEAD", "OPTIONS", "PATCH", "TRACE"};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        if (span_equals_string(method, others[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        if (span_equals_string(method, routes[i].method)) {
            return true;
        }
    }
    return false;
}

enum route_found route_find(struct span method, struct span path, const struct route **ret_route,
                            struct route_ids *ret_ids)
{
    if (!is_method(method)) {
        return ROUTE_UNKNOWN_METHOD;
    }
    bool has_path = false;
    struct span wanted = span_equals_string(method, "HEAD") ? span_of_string("GET") : method;
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        struct route_ids ids;
        if (!matches(routes[i].path, path, &ids)) {
            continue;
        }
        has_path = true;
        if (span_equals_string(wanted, routes[i].method)) {
            *ret_route = &routes[i];
            *ret_ids = ids;
            return ROUTE_OK;
        }
    }
    if (span_equals_string(method, "OPTIONS") && (has_path || span_equals_string(path, "*"))) {
        return ROUTE_OPTIONS;
    }
    return has_path ? ROUTE_NO_METHOD : ROUTE_NO_PATH;
}

/* Whether a row of this path, but not one before it, has the method of row `index`. */
static bool is_first_of_method(size_t index, struct span path)
{
    bool is_any = span_equals_string(path, "*");
    struct route_ids ids;
    for (size_t i = 0; i <= index; i++) {
        if (strcmp(routes[i].method, routes[index].method) == 0 &&
            (is_any || matches(routes[i].path, path, &ids))) {
            return i == index;
        }
    }
    return false;
}

void route_allow(struct span path, struct buf *b)
{
    buf_puts(b, "OPTIONS");
    for (size_t i = 0; i < ARRAY_COUNT(routes); i++) {
        if (is_first_of_method(i, path)) {
            buf_print(b, ", %s%s", routes[i].method,
                      strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
        }
    }
}
