/* json.c - prints JSON with indentation, or says where it is wrong (RFC 8259) */
/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <mote.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 200 };

/* The text lies in IN, with zeros after it, so looking at *at is safe at the end too. */
static const unsigned char *at;
static const unsigned char *end;

static _Noreturn void fail(const char *expected)
{
    unsigned line = 1, column = 1;
    for (const unsigned char *p = mote_in(); p < at; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    mote_out_len_set(0); /* no half-printed JSON before the message */
    memset(mote_out(), 0, 1);
    mote_reply_status(422);
    mote_reply_header("Content-Type", "text/plain; charset=utf-8");
    printf("line %u, column %u: expected %s, found ", line, column, expected);
    if (at >= end) {
        printf("the end of the text\n");
    } else if (*at > ' ' && *at < 0x7f) {
        printf("'%c'\n", *at);
    } else {
        printf("byte 0x%02x\n", *at);
    }
    exit(1);
}

static void skip_space(void)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
        at++;
    }
}

static void copy(void)
{
    putchar(*at++);
}

static void new_line(int depth)
{
    printf("\n%*s", 2 * depth, "");
}

static void copy_escape(void)
{
    copy();
    if (*at == 'u') {
        copy();
        for (int i = 0; i < 4; i++) {
            if (at >= end || !isxdigit(*at)) {
                fail("four hexadecimal digits after \\u");
            }
            copy();
        }
    } else if (at < end && *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL) {
        copy();
    } else {
        fail("one of \" \\ / b f n r t u after a \\");
    }
}

static void copy_string(void)
{
    copy();
    while (at < end && *at != '"') {
        if (*at < ' ') {
            fail("a string without raw control characters");
        } else if (*at == '\\') {
            copy_escape();
        } else {
            copy();
        }
    }
    if (at >= end) {
        fail("a closing \"");
    }
    copy();
}

static void copy_digits(void)
{
    if (at >= end || !isdigit(*at)) {
        fail("a digit");
    }
    while (at < end && isdigit(*at)) {
        copy();
    }
}

static void copy_number(void)
{
    if (*at == '-') {
        copy();
    }
    if (*at == '0') {
        copy(); /* nothing may follow a leading zero but the point */
    } else {
        copy_digits();
    }
    if (at < end && *at == '.') {
        copy();
        copy_digits();
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        copy();
        if (at < end && (*at == '+' || *at == '-')) {
            copy();
        }
        copy_digits();
    }
}

static bool copy_word(const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(end - at) < len || memcmp(at, word, len) != 0) {
        return false;
    }
    fwrite(word, 1, len, stdout);
    at += len;
    return true;
}

static void copy_value(int depth);

/* An object or an array: `is_object` members have a name before them. */
static void copy_members(int depth, bool is_object)
{
    unsigned char close = is_object ? '}' : ']';
    if (depth >= DEPTH_MAX) {
        fail("no more than 200 levels");
    }
    copy();
    skip_space();
    if (at < end && *at == close) {
        copy();
        return;
    }
    for (;;) {
        skip_space();
        new_line(depth + 1);
        if (is_object) {
            if (at >= end || *at != '"') {
                fail("a name in \"\"");
            }
            copy_string();
            skip_space();
            if (at >= end || *at != ':') {
                fail("':' after the name");
            }
            copy();
            putchar(' ');
        }
        copy_value(depth + 1);
        skip_space();
        if (at >= end || *at != ',') {
            break;
        }
        copy();
    }
    if (at >= end || *at != close) {
        fail(is_object ? "',' or '}'" : "',' or ']'");
    }
    new_line(depth);
    copy();
}

static void copy_value(int depth)
{
    skip_space();
    if (at < end && (*at == '{' || *at == '[')) {
        copy_members(depth, *at == '{');
    } else if (at < end && *at == '"') {
        copy_string();
    } else if (at < end && (*at == '-' || isdigit(*at))) {
        copy_number();
    } else if (!copy_word("true") && !copy_word("false") && !copy_word("null")) {
        fail("a value");
    }
}

int main(void)
{
    at = mote_in();
    end = at + mote_in_len();
    mote_reply_header("Content-Type", "application/json");
    copy_value(0);
    putchar('\n');
    skip_space();
    if (at < end) {
        fail("nothing after the value");
    }
    return 0;
}
