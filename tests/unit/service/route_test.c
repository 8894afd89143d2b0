/* route_test.c - paths and methods against route.def */
/* SPDX-License-Identifier: MIT */
#include "service/route.h"
#include "test.h"

#define ROM "/mcu/0f0e0d0c-0b0a-4908-8706-050403020100"
#define RAM ROM "/11111111-2222-4333-8444-555555555555"

static enum route_found find(const char *method, const char *path, const struct route **route,
                             struct route_ids *ids)
{
    return route_find(span_of_string(method), span_of_string(path), route, ids);
}

TEST(route, finds_each_method_of_each_path)
{
    static const struct {
        const char *method;
        const char *path;
        enum handler handler;
    } good[] = {
        {"GET", "/", HANDLER_front_page},       {"PUT", "/mcu", HANDLER_put_rom},
        {"HEAD", "/mcu", HANDLER_get_rom},      {"POST", "/mcu", HANDLER_post_run},
        {"POST", ROM, HANDLER_post_run},        {"DELETE", ROM, HANDLER_delete_rom},
        {"PUT", RAM, HANDLER_put_ram},          {"GET", RAM, HANDLER_get_ram},
        {"DELETE", RAM, HANDLER_delete_ram},    {"GET", "/roms", HANDLER_list_roms},
        {"GET", "/metrics", HANDLER_not_built}, {"GET", "/healthz", HANDLER_healthz},
    };
    const struct route *route;
    struct route_ids ids;
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_int_equal(find(good[i].method, good[i].path, &route, &ids), ROUTE_OK);
        assert_int_equal(route->handler, good[i].handler);
        assert_false(ids.is_bad);
    }
}

TEST(route, gives_the_ids_in_order)
{
    const struct route *route;
    struct route_ids ids;
    assert_int_equal(find("POST", RAM, &route, &ids), ROUTE_OK);
    assert_true(ids.has_first && ids.has_second);
    assert_int_equal(ids.first.bytes[0], 0x0f);
    assert_int_equal(ids.second.bytes[0], 0x11);
}

TEST(route, tells_a_bad_id_from_a_missing_path)
{
    const struct route *route;
    struct route_ids ids;
    assert_int_equal(find("GET", "/mcu/fish", &route, &ids), ROUTE_OK);
    assert_true(ids.is_bad);
    assert_true(span_equals_string(ids.bad, "fish"));
    assert_true(span_equals_string(ids.bad_name, "{rom}"));
    assert_int_equal(find("GET", ROM "/x", &route, &ids), ROUTE_OK);
    assert_true(span_equals_string(ids.bad, "x"));
    assert_true(span_equals_string(ids.bad_name, "{ram}"));
    assert_int_equal(find("GET", "/mcu/..%2f..%2fetc", &route, &ids), ROUTE_OK);
    assert_true(ids.is_bad);
    static const char *const none[] = {
        "/mcu/", "/mcu/../../etc/passwd", "/fish", "//", "/roms/", "/MCU", RAM "/",
        "*",     "/runs//console"};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        assert_int_equal(find("GET", none[i], &route, &ids), ROUTE_NO_PATH);
    }
}

TEST(route, tells_a_method_that_is_none_from_one_that_is_not_here)
{
    const struct route *route;
    struct route_ids ids;
    static const char *const none[] = {"get", "SOURCE", "BREW", "GETT", ""};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        assert_int_equal(find(none[i], "/mcu", &route, &ids), ROUTE_UNKNOWN_METHOD);
        assert_int_equal(find(none[i], "/fish", &route, &ids), ROUTE_UNKNOWN_METHOD);
    }
    assert_int_equal(find("TRACE", "/mcu", &route, &ids), ROUTE_NO_METHOD);
    assert_int_equal(find("DELETE", "/fish", &route, &ids), ROUTE_NO_PATH);
}

TEST(route, lists_the_methods_that_a_path_has)
{
    const struct route *route;
    struct route_ids ids;
    assert_int_equal(find("DELETE", "/mcu", &route, &ids), ROUTE_NO_METHOD);
    assert_int_equal(find("PATCH", "/mcu", &route, &ids), ROUTE_NO_METHOD);
    assert_int_equal(find("OPTIONS", "/roms", &route, &ids), ROUTE_OPTIONS);
    assert_int_equal(find("OPTIONS", "*", &route, &ids), ROUTE_OPTIONS);
    struct buf b;
    buf_init(&b, 200);
    route_allow(span_of_string("/mcu"), &b);
    assert_true(span_equals_string(buf_span(&b), "OPTIONS, PUT, GET, HEAD, POST"));
    buf_clear(&b);
    route_allow(span_of_string("*"), &b);
    assert_true(span_equals_string(buf_span(&b), "OPTIONS, GET, HEAD, PUT, POST, DELETE"));
    buf_clear(&b);
    route_allow(span_of_string("/healthz"), &b);
    assert_true(span_equals_string(buf_span(&b), "OPTIONS, GET, HEAD"));
    buf_deinit(&b);
}
