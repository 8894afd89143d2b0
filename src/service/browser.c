/* browser.c - checks of Host, Origin and Sec-Fetch-Site */
/* SPDX-License-Identifier: MIT */
#include "service/browser.h"

#include "base/check.h"

static bool is_port(struct span s)
{
    if (s.len > 5) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
    }
    return true;
}

/* Cuts ":port" off; false for what is no host and port. The port may be empty (RFC 3986, 3.2.3). */
static bool name_of(struct span host, struct span *ret_name)
{
    size_t len = 0;
    if (host.len > 0 && host.data[0] == '[') {
        while (len < host.len && host.data[len] != ']') {
            len++;
        }
        len++;
    } else {
        while (len < host.len && host.data[len] != ':') {
            len++;
        }
    }
    if (len > host.len) {
        return false;
    }
    struct span rest = span_of(host.data + len, host.len - len);
    if (rest.len > 0 && (rest.data[0] != ':' || !is_port(span_of(rest.data + 1, rest.len - 1)))) {
        return false;
    }
    *ret_name = span_of(host.data, len);
    return true;
}

static bool is_listed(struct span name, const char *list)
{
    while (list && *list) {
        size_t len = strcspn(list, ",");
        if (len > 0 && span_same_nocase(name, span_of(list, len))) {
            return true;
        }
        list += len + (list[len] == ',');
    }
    return false;
}

bool browser_is_our_host(struct span host, const char *allowed)
{
    static const char *const own[] = {"localhost", "127.0.0.1", "[::1]"};
    struct span name;
    if (!name_of(host, &name) || name.len == 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
        if (span_equals_nocase(name, own[i])) {
            return true;
        }
    }
    return is_listed(name, allowed);
}

/* Cuts `scheme` off the front of an origin. */
static bool take_scheme(struct span *origin, const char *scheme)
{
    size_t len = strlen(scheme);
    if (origin->len <= len || !span_equals_nocase(span_of(origin->data, len), scheme)) {
        return false;
    }
    *origin = span_of(origin->data + len, origin->len - len);
    return true;
}

bool browser_is_our_origin(struct span origin, struct span host, const char *allowed)
{
    struct span name;
    bool is_listed_host = name_of(host, &name) && is_listed(name, allowed);
    bool is_ours =
        take_scheme(&origin, "http://") || (is_listed_host && take_scheme(&origin, "https://"));
    return is_ours && span_same_nocase(origin, host);
}

bool browser_is_our_site(struct span site)
{
    return span_equals_string(site, "same-origin") || span_equals_string(site, "none");
}
