/* store_meta.c - any bytes as a record of a session or ROM: what is read must write itself again */
/* SPDX-License-Identifier: MIT */
#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    struct ram_record ram;
    struct rom_info rom;
    struct msg msg;
    struct buf again;
    buf_init(&again, RECORD_BYTES_MAX);
    if (ram_record_read(text, &ram, &msg) == 0) {
        ram_record_write(&ram, &again);
        check(span_equals(buf_span(&again), text));
    }
    buf_clear(&again);
    if (rom_record_read(text, &rom, &msg) == 0) {
        rom_record_write(&rom, &again);
        check(span_equals(buf_span(&again), text));
    }
    buf_deinit(&again);
    return 0;
}
