/* browser_test.c - which hosts, origins and sites are ours */
/* SPDX-License-Identifier: MIT */
#include "base/check.h"
#include "service/browser.h"
#include "test.h"

static bool is_host(const char *host)
{
    return browser_is_our_host(span_of_string(host), "mote.example,Other.Example");
}

TEST(browser, takes_loopback_and_configured_names_for_its_own)
{
    static const char *const good[] = {
        "localhost", "LocalHost:80", "127.0.0.1:8080", "[::1]:8080",
        "[::1]",     "mote.example", "localhost:",     "other.example:8443"};
    for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
        assert_true(is_host(good[i]));
    }
}

TEST(browser, refuses_every_other_host)
{
    static const char *const bad[] = {"",
                                      "evil.example",
                                      "localhost.evil.example",
                                      "127.0.0.2",
                                      "localhost:80:80",
                                      "localhost:http",
                                      "[::1",
                                      "[::1]x",
                                      "user@localhost",
                                      ",",
                                      "mote.example,other",
                                      "localhost:123456"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(is_host(bad[i]));
    }
    assert_false(browser_is_our_host(span_of_string("mote.example"), NULL));
}

static bool is_origin(const char *origin, const char *host)
{
    return browser_is_our_origin(span_of_string(origin), span_of_string(host), "mote.example");
}

TEST(browser, compares_origin_with_host)
{
    assert_true(is_origin("http://localhost:8080", "localhost:8080"));
    assert_true(is_origin("HTTP://LOCALHOST:8080", "localhost:8080"));
    static const char *const bad[] = {"null",
                                      "",
                                      "http://",
                                      "http://localhost",
                                      "http://localhost:8081",
                                      "https://localhost:8080",
                                      "ftp://localhost:8080",
                                      "http://evil.example",
                                      "http://localhost:8080/"};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        assert_false(is_origin(bad[i], "localhost:8080"));
    }
    assert_false(browser_is_our_origin(span_of_string("https://mote.example"),
                                       span_of_string("mote.example"), NULL));
}

TEST(browser, lets_a_configured_name_stand_behind_tls)
{
    assert_true(is_origin("https://mote.example", "mote.example"));
    assert_true(is_origin("http://mote.example", "mote.example"));
    assert_false(is_origin("https://mote.example:8443", "mote.example"));
    assert_false(is_origin("https://evil.example", "mote.example"));
}

TEST(browser, lets_its_own_site_and_the_address_bar_pass)
{
    assert_true(browser_is_our_site(span_of_string("same-origin")));
    assert_true(browser_is_our_site(span_of_string("none")));
    assert_false(browser_is_our_site(span_of_string("same-site")));
    assert_false(browser_is_our_site(span_of_string("cross-site")));
}
