/* cookie_test.c - the two cookies in, and out */
/* SPDX-License-Identifier: MIT */
#include "service/cookie.h"
#include "test.h"

#define ROM "0f0e0d0c-0b0a-4908-8706-050403020100"
#define RAM "11111111-2222-4333-8444-555555555555"

static struct cookies read(const char *text)
{
    struct cookies cookies = {0};
    cookies_read(span_of_string(text), &cookies);
    return cookies;
}

TEST(cookie, reads_both_among_others)
{
    struct cookies c = read("a=b; rom=" ROM ";x;ram=\"" RAM "\"; rom2=zzz");
    assert_true(c.has_rom && c.has_ram);
    assert_int_equal(c.rom.bytes[0], 0x0f);
    assert_int_equal(c.ram.bytes[0], 0x11);
}

TEST(cookie, takes_a_malformed_value_for_none)
{
    static const char *const bad[] = {"rom=",     "rom",       "=" ROM,        "rom=../x",
                                      "ROM=" ROM, "xrom=" ROM, "rom=" ROM "0", "rom=\"" ROM,
                                      ";;;",      ""};
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        struct cookies c = read(bad[i]);
        assert_false(c.has_rom || c.has_ram);
    }
}

TEST(cookie, keeps_the_first_good_one)
{
    struct cookies c = read("rom=fish; rom=" ROM "; rom=" RAM);
    assert_true(c.has_rom);
    assert_int_equal(c.rom.bytes[0], 0x0f);
}

TEST(cookie, writes_what_a_browser_keeps_to_itself)
{
    struct buf lines;
    buf_init(&lines, 1000);
    struct cookies c = read("rom=" ROM);
    cookie_put(&lines, "rom", &c.rom);
    cookie_put(&lines, "ram", NULL);
    assert_true(span_equals_string(
        buf_span(&lines), "Set-Cookie: rom=" ROM "; Path=/mcu; HttpOnly; SameSite=Strict\r\n"
                          "Set-Cookie: ram=; Path=/mcu; HttpOnly; SameSite=Strict; Max-Age=0\r\n"));
    buf_deinit(&lines);
}
