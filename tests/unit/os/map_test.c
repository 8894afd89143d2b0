/* map_test.c - the host's pages are looked at before anything relies on them */
/* SPDX-License-Identifier: MIT */
#include "os/map.h"
#include "test.h"

#include <string.h>
#include <unistd.h>

long __real_sysconf(int name);
long __wrap_sysconf(int name);

static long page_size; /* what the test says that the host has */

long __wrap_sysconf(int name)
{
    return name == _SC_PAGESIZE && page_size ? page_size : __real_sysconf(name);
}

TEST(map, refuses_a_host_of_other_pages)
{
    struct msg msg = {{0}};
    page_size = 4096;
    assert_int_equal(os_check_page_size(&msg), 0);
    static const long others[] = {16384, 65536, 2048};
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        page_size = others[i];
        assert_int_equal(os_check_page_size(&msg), ERR_NOT_BUILT);
        assert_non_null(strstr(msg.text, "pages of "));
    }
    page_size = 0;
}
