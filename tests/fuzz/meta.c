/* meta.c - reply headers hold no byte that could forge a reply; a request fits its half or not */
/* SPDX-License-Identifier: MIT */
#include "machine/meta.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_reply(struct span rest)
{
    size_t before = rest.len;
    struct meta_header header;
    struct msg msg = {""};
    int more;
    while ((more = meta_next(&rest, &header, &msg)) == 1) {
        check(rest.len < before);
        before = rest.len;
        check(header.name.len > 0);
        for (size_t i = 0; i < header.name.len; i++) {
            check(header.name.data[i] > ' ' && header.name.data[i] < 0x7f);
            check(header.name.data[i] != ':');
        }
        for (size_t i = 0; i < header.value.len; i++) {
            check(header.value.data[i] >= ' ' || header.value.data[i] == '\t');
        }
    }
    check(more == 0 ? rest.len == 0 : msg.text[0] != 0);
}

/* Puts the same variable until the half is full: what was put before must stay. */
static void write_request(struct span name, struct span value)
{
    static uint8_t meta[META_REQUEST_MAX + 1];
    uint32_t len = 0;
    uint32_t before;
    meta[META_REQUEST_MAX] = 0xee;
    do {
        before = len;
        if (meta_put(meta, &len, name, value, NULL)) {
            check(len == before);
        }
    } while (len > before);
    check(meta_end(meta, len) == len + 1);
    check(meta[len] == 0);
    check(len == 0 || meta[len - 1] == 0);
    check(meta[META_REQUEST_MAX] == 0xee);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_reply(span_of(data, size));
    size_t cut = size > 0 ? data[0] % size : 0;
    write_request(span_of(data, cut), span_of(data + cut, size - cut));
    return 0;
}
