/* socket_test.c - addresses as people write them, and which of them are this machine's own */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "os/socket.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static bool is_loopback(const char *text)
{
    struct os_address address;
    struct msg msg = {0};
    assert_int_equal(os_address_parse(text, &address, &msg), 0);
    return os_address_is_loopback(&address);
}

TEST(address, comes_back_as_it_was_written)
{
    static const char *const good[] = {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[::]:1"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        struct os_address address;
        struct msg msg = {0};
        char text[OS_ADDRESS_TEXT_MAX];
        assert_int_equal(os_address_parse(good[i], &address, &msg), 0);
        os_address_format(&address, text);
        assert_string_equal(text, good[i]);
    }
}

TEST(address, refuses_a_port_that_is_none_by_name)
{
    static const char *const bad[] = {
        "99999", "65536", "+80", " 80", "80 ", "-1", "http", "0x50", "18446744073709551617"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct os_address address;
        struct msg msg = {0};
        char text[64];
        snprintf(text, sizeof text, "127.0.0.1:%s", bad[i]);
        assert_int_equal(os_address_parse(text, &address, &msg), ERR_ARGUMENT);
        assert_non_null(strstr(msg.text, bad[i]));
        assert_non_null(strstr(msg.text, "65535"));
    }
}

TEST(address, refuses_what_is_no_host_and_port)
{
    static const char *const bad[] = {"",           ":",     ":80",   "127.0.0.1",
                                      "127.0.0.1:", "[]:80", "[::1]", "[fish]:80"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct os_address address;
        struct msg msg = {0};
        assert_int_equal(os_address_parse(bad[i], &address, &msg), ERR_ARGUMENT);
        assert_true(msg.text[0] != 0);
    }
}

TEST(address, wants_brackets_around_ipv6)
{
    struct os_address address;
    struct msg msg = {0};
    assert_int_equal(os_address_parse("::1:18777", &address, &msg), ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "[::1]:18777"));
}

TEST(address, knows_loopback_in_each_of_its_forms)
{
    assert_true(is_loopback("127.0.0.1:1"));
    assert_true(is_loopback("127.255.0.9:1"));
    assert_true(is_loopback("[::1]:1"));
    assert_true(is_loopback("[::ffff:127.0.0.1]:1"));
    assert_false(is_loopback("0.0.0.0:1"));
    assert_false(is_loopback("128.0.0.1:1"));
    assert_false(is_loopback("[::]:1"));
    assert_false(is_loopback("[::2]:1"));
    assert_false(is_loopback("[::ffff:10.0.0.1]:1"));
    assert_false(os_address_is_loopback(&(struct os_address){0}));
}
