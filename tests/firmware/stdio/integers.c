/* integers.c - stdio without a real number, for every kind of picolibc's printf and scanf */
/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void formats(void)
{
    printf("%d|%5d|%-5d|%05d|%+d|% d|%u|%i\n", -42, 42, 42, 42, 42, 42, 4000000000u, INT_MIN);
    printf("%x|%X|%#x|%o|%#o|%08x|%.3d|%8.3d|%c|%%\n", 48879, 48879, 255, 8, 8, 0xabc, 7, 7, 'c');
    printf("%s|%10s|%-10s|%.2s|%*d|%-*d|\n", "text", "right", "left", "cut", 6, 12, 6, 34);
    printf("%hd|%hhu|%ld|%lu|%zu|%hx\n", (short)-5, (unsigned char)200, (long)INT_MIN, 4294967295ul,
           sizeof(uint64_t), (unsigned short)65535);
}

static void strings(void)
{
    char text[16];
    int length = snprintf(text, sizeof text, "%s-%d-%s", "longer", 12345, "than that");
    printf("%d %s %d\n", length, text, snprintf(NULL, 0, "%d", 123456));
    int first = 0, count = 0;
    unsigned second = 0;
    char word[8] = "";
    count = sscanf(" 17 ff  word rest", "%d %x %7s", &first, &second, word);
    printf("%d %d %u %s\n", count, first, second, word);
    count = sscanf("k=v;12", "%*[^=]=%7[^;];%2d", word, &first);
    printf("%d %s %d %d\n", count, word, first, sscanf("none", "%d", &first));
    printf("%ld %lu %d\n", strtol("-0x7f", NULL, 0), strtoul("777", NULL, 8), abs(-3));
}

static void streams(void)
{
    puts("a line");
    putchar('x');
    putchar('\n');
    fputs("fputs\n", stdout);
    printf("%u\n", (unsigned)fwrite("fwrite\n", 1, 7, stdout));
    fflush(stdout);
    for (int i = 0; i < 40; i++) {
        printf("%d,", i * i);
    }
    printf("\n");
}

static void at_exit(void)
{
    printf("at exit\n");
}

int main(void)
{
    atexit(at_exit);
    formats();
    strings();
    streams();
    return 0;
}
