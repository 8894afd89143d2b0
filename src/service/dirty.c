/* dirty.c - dirty pages in a memory file */
/* SPDX-License-Identifier: MIT */
#include "service/dirty.h"

#include "os/process.h"
#include "service/worker.h"

int dirty_write(int fd, const uint8_t *dirty, const uint8_t *ram)
{
    uint8_t marks[RAM_PAGES];
    for (uint32_t first = 0; first < RAM_PAGES; first++) {
        marks[first] = dirty[first] ? 1 : 0;
    }
    for (uint32_t first = 0; first < RAM_PAGES;) {
        uint32_t end = first;
        while (end < RAM_PAGES && marks[end]) {
            end++;
        }
        uint64_t at = (uint64_t)first * PAGE_SIZE;
        int err = os_memfd_write(fd, span_of(ram + at, (size_t)(end - first) * PAGE_SIZE), at);
        if (err) {
            return err;
        }
        first = end + 1;
    }
    return os_memfd_write(fd, span_of(marks, sizeof marks), DELTA_MARKS_AT);
}

int dirty_read_marks(int fd, uint8_t *ret_marks)
{
    return os_memfd_read(fd, ret_marks, RAM_PAGES, DELTA_MARKS_AT);
}
