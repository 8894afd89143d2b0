/* upper-picolibc.c - the same as upper.c with Debian's picolibc alone, no SDK */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <unistd.h>

/* read() and write() become semihosting calls, which are a trap each: so a large buffer. (Debian's
 * picolibc 1.8 cannot see the end of its input through getchar, hence not stdio.) */
static char buffer[65536];

int main(void)
{
    ssize_t count;
    while ((count = read(0, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            buffer[i] = (char)toupper((unsigned char)buffer[i]);
        }
        if (write(1, buffer, (size_t)count) != count) {
            return 1;
        }
    }
    return count < 0;
}
