/* mandelbrot.c - a picture of the Mandelbrot set as PNG; the query string says how large and where
 */
/* SPDX-License-Identifier: MIT */
/* ?width=320&height=240&x=-500&y=0&zoom=1: x and y are the centre in thousandths. */
#include <mote.h>
#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 96, WIDTH_MAX = 1024, HEIGHT_MAX = 1024, STORED_MAX = 65535 };

/* Numbers are fixed point with 28 bits behind the point: the MCU has no floating-point unit. */
enum { POINT = 28 };

static int32_t multiply(int32_t a, int32_t b)
{
    return (int32_t)((int64_t)a * b >> POINT);
}

/* Steps until z = z * z + c leaves the circle of radius 2; STEPS_MAX where it never seems to. */
static int steps_at(int32_t cx, int32_t cy)
{
    const int32_t one = 1 << POINT;
    if (cx < -2 * one - one / 2 || cx > 2 * one || cy < -2 * one || cy > 2 * one) {
        return 0;
    }
    int32_t x = 0, y = 0;
    for (int step = 0; step < STEPS_MAX; step++) {
        int64_t xx = (int64_t)x * x >> POINT, yy = (int64_t)y * y >> POINT;
        if (xx + yy > 4 * (int64_t)one || x > 2 * one || x < -2 * one || y > 2 * one ||
            y < -2 * one) {
            return step;
        }
        int64_t next_y = 2 * (int64_t)multiply(x, y) + cy;
        int64_t next_x = xx - yy + cx;
        if (next_x != (int32_t)next_x || next_y != (int32_t)next_y) {
            return step;
        }
        x = (int32_t)next_x, y = (int32_t)next_y;
    }
    return STEPS_MAX;
}

static void put_be32(uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        putchar((int)(value >> shift & 0xff));
    }
}

static uint32_t crc32(const unsigned char *data, size_t len)
{
    static uint32_t table[256];
    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) {
            c = c & 1 ? 0xedb88320 ^ c >> 1 : c >> 1;
        }
        table[i] = c;
    }
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc = table[(crc ^ data[i]) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}

/* A PNG chunk: length, type, data, and the checksum of the last two. OUT is memory, so the
 * checksum is taken over what was just written. */
static void put_chunk(const char *type, const unsigned char *data, size_t len)
{
    put_be32((uint32_t)len);
    size_t start = mote_out_len();
    fwrite(type, 1, 4, stdout);
    fwrite(data, 1, len, stdout);
    put_be32(crc32(mote_out() + start, len + 4));
}

/* zlib's stream of stored blocks: a frame around the bytes as they are. Gives its length. */
static size_t pack(unsigned char *to, const unsigned char *from, size_t len)
{
    unsigned char *at = to;
    uint32_t a = 1, b = 0; /* Adler-32 */
    *at++ = 0x78, *at++ = 0x01;
    for (size_t done = 0; done < len;) {
        size_t size = len - done < STORED_MAX ? len - done : STORED_MAX;
        *at++ = done + size == len; /* the last block's flag */
        *at++ = size & 0xff, *at++ = (unsigned char)(size >> 8);
        *at++ = ~size & 0xff, *at++ = (unsigned char)(~size >> 8);
        memcpy(at, from + done, size);
        at += size, done += size;
    }
    for (size_t i = 0; i < len; i++) {
        a += from[i];
        a -= a >= 65521 ? 65521 : 0;
        b += a;
        b -= b >= 65521 ? 65521 : 0;
    }
    *at++ = (unsigned char)(b >> 8), *at++ = (unsigned char)b;
    *at++ = (unsigned char)(a >> 8), *at++ = (unsigned char)a;
    return (size_t)(at - to);
}

static unsigned char pixels[HEIGHT_MAX * (WIDTH_MAX + 1)];
static unsigned char packed[sizeof pixels + sizeof pixels / STORED_MAX * 5 + 64];

/* One byte a pixel, an index into the palette; each line begins with its filter, 0 for none. */
static void draw(int width, int height)
{
    const int32_t thousandth = (1 << POINT) / 1000;
    int32_t centre_x = (int32_t)mote_query_number("x", -500, -2000, 2000) * thousandth;
    int32_t centre_y = (int32_t)mote_query_number("y", 0, -2000, 2000) * thousandth;
    int32_t zoom = (int32_t)mote_query_number("zoom", 1, 1, 100000);
    int32_t step = (int32_t)((3LL << POINT) / width / zoom);
    for (int row = 0; row < height; row++) {
        unsigned char *line = pixels + row * (width + 1);
        *line++ = 0;
        for (int column = 0; column < width; column++) {
            int64_t x = centre_x + (int64_t)(column - width / 2) * step;
            int64_t y = centre_y + (int64_t)(row - height / 2) * step;
            bool is_far = x != (int32_t)x || y != (int32_t)y;
            line[column] = (unsigned char)(is_far ? 0 : steps_at((int32_t)x, (int32_t)y));
        }
    }
}

int main(void)
{
    int width = (int)mote_query_number("width", 320, 16, WIDTH_MAX);
    int height = (int)mote_query_number("height", 240, 16, HEIGHT_MAX);
    unsigned char palette[3 * (STEPS_MAX + 1)] = {0};
    for (int i = 0; i < STEPS_MAX; i++) { /* the last colour, of the set itself, stays black */
        palette[3 * i] = (unsigned char)(i * 255 / STEPS_MAX);
        palette[3 * i + 1] = (unsigned char)(i * i * 255 / (STEPS_MAX * STEPS_MAX));
        palette[3 * i + 2] = (unsigned char)(80 + i * 175 / STEPS_MAX);
    }
    unsigned char head[13] = {0,
                              0,
                              (unsigned char)(width >> 8),
                              (unsigned char)width,
                              0,
                              0,
                              (unsigned char)(height >> 8),
                              (unsigned char)height,
                              8,
                              3,
                              0,
                              0,
                              0}; /* 8 bits a pixel, with a palette */

    mote_reply_header("Content-Type", "image/png");
    draw(width, height);
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, stdout);
    put_chunk("IHDR", head, sizeof head);
    put_chunk("PLTE", palette, sizeof palette);
    put_chunk("IDAT", packed, pack(packed, pixels, (size_t)height * (size_t)(width + 1)));
    put_chunk("IEND", NULL, 0);
    return 0;
}
