/* service.c - fuzzes what the service reads of a request: target, cookies, Host, Origin */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "service/accept.h"
#include "service/browser.h"
#include "service/cookie.h"
#include "service/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size);
    struct cookies cookies = {0};
    cookies_read(all, &cookies);
    const struct route *route = NULL;
    struct route_ids ids;
    if (route_find(span_of_string("GET"), all, &route, &ids) == ROUTE_OK) {
        check(size > 0 && data[0] == '/');
        check(route != NULL);
    }
    struct buf allow;
    buf_init(&allow, 256);
    route_allow(all, &allow);
    check(!allow.failed);
    buf_deinit(&allow);
    struct span half = span_of(data, size / 2);
    struct span rest = span_of(data + size / 2, size - size / 2);
    UNUSED bool host = browser_is_our_host(all, "mote.example,b");
    UNUSED bool origin = browser_is_our_origin(half, rest, "mote.example,b");
    UNUSED bool site = browser_is_our_site(all);
    struct accept accept = {0};
    accept_read(&accept, half, "application/octet-stream");
    accept_read(&accept, rest, "application/octet-stream");
    int quality = accept_quality(&accept);
    check(quality >= 0 && quality <= 1000);
    return 0;
}
