/* route.h - from a request's path and method to the row of route.def that answers it */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/buf.h"
#include "base/id.h"

/* The functions that answer; each name of route.def once. */
enum handler {
    HANDLER_front_page,
    HANDLER_put_rom,
    HANDLER_get_rom,
    HANDLER_post_run,
    HANDLER_delete_rom,
    HANDLER_put_ram,
    HANDLER_get_ram,
    HANDLER_delete_ram,
    HANDLER_list_roms,
    HANDLER_list_rams,
    HANDLER_get_run,
    HANDLER_get_console,
    HANDLER_healthz,
    HANDLER_not_built,
    HANDLER_COUNT
};

struct route {
    enum handler handler;
    const char *method;
    const char *path;
};

/* What the path names. `{rom}` and `{run}` share the first place: no path has both. */
struct route_ids {
    struct id first;
    struct id second;
    bool has_first;
    bool has_second;
    bool is_bad;          /* a segment that must be a UUID is none */
    struct span bad;      /* that segment */
    struct span bad_name; /* and what it should name: "{rom}" */
};

enum route_found {
    ROUTE_OK,
    ROUTE_NO_PATH,
    ROUTE_NO_METHOD,
    ROUTE_UNKNOWN_METHOD, /* HTTP has none of that name, in just these capitals */
    ROUTE_OPTIONS,        /* answered from the table, with route_allow */
};

/* Looks the request up; *ret_route and *ret_ids only with ROUTE_OK, HEAD gives GET's row. */
enum route_found route_find(struct span method, struct span path, const struct route **ret_route,
                            struct route_ids *ret_ids);
/* Appends the methods of a path as the value of Allow; for "*" those of the whole server. */
void route_allow(struct span path, struct buf *b);
