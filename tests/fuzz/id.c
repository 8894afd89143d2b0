/* id.c - whatever reads as an id is written back as the same id */
/* SPDX-License-Identifier: MIT */
#include "base/id.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct id id;
    if (id_parse(span_of(data, size), &id)) {
        char text[ID_TEXT_LEN + 1];
        struct id again;
        id_format(&id, text);
        check(id_parse(span_of_string(text), &again));
        check(id_equals(&id, &again));
        check(span_equals_nocase(span_of(data, size), text));
    }
    return 0;
}
