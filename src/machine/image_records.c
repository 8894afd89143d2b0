/* image_records.c - images as records, each with its own address, in whatever order they come */
/* SPDX-License-Identifier: MIT */
#include "machine/image_format.h"

#include <stdlib.h>

/* How many stretches without a record between them may be open at once, while a file that is not in
 * the order of its addresses is read; at its end IMAGE_SEGMENTS_MAX may be. */
enum { RUNS_MAX = 1024 };

struct run {
    uint32_t address;
    uint32_t len;
};

/* The stretches filled so far, by address; no two touch. */
struct layout {
    struct run runs[RUNS_MAX];
    uint32_t count;
};

/* The number of runs that begin at or below `address`. */
static uint32_t runs_below(const struct layout *l, uint32_t address)
{
    uint32_t low = 0;
    uint32_t high = l->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (l->runs[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int insert(struct layout *l, uint32_t at, struct run run, const struct placement *place,
                  struct msg *msg)
{
    if (l->count == RUNS_MAX) {
        return fail(msg, ERR_BAD_IMAGE,
                    "%s %u: what came so far lies in more than %d pieces; sort it by address",
                    place->unit, place->number, RUNS_MAX);
    }
    memmove(&l->runs[at + 1], &l->runs[at], (l->count - at) * sizeof run);
    l->runs[at] = run;
    l->count++;
    return 0;
}

/* Adds a run that is known to lie in one window, joining it with what it touches. */
static int add(struct layout *l, const struct placement *place, struct msg *msg)
{
    struct run new = {place->address, place->len};
    uint32_t at = runs_below(l, new.address);
    struct run *before = at > 0 ? &l->runs[at - 1] : NULL;
    struct run *after = at < l->count ? &l->runs[at] : NULL;
    if ((before && new.address - before->address < before->len) ||
        (after && after->address - new.address < new.len)) {
        return fail(msg, ERR_BAD_IMAGE, "%s %u: %u bytes at 0x%08x overlap those of an earlier %s",
                    place->unit, place->number, new.len, new.address, place->unit);
    }
    bool joins_before = before && new.address - before->address == before->len;
    bool joins_after = after && after->address - new.address == new.len;
    if (joins_before && joins_after) {
        before->len += new.len + after->len;
        l->count--;
        memmove(after, after + 1, (l->count - at) * sizeof *after);
    } else if (joins_before) {
        before->len += new.len;
    } else if (joins_after) {
        *after = (struct run){new.address, new.len + after->len};
    } else {
        return insert(l, at, new, place, msg);
    }
    return 0;
}

/* The first walk: where all bytes go, and the entry. */
static int lay_out(struct image *image, const struct record_format *format, struct layout *l,
                   struct msg *msg)
{
    struct records r = {.rest = image->file};
    struct piece piece;
    int more;
    while ((more = format->next(&r, &piece, msg)) > 0) {
        const struct placement place = {format->unit, r.number, "", piece.address,
                                        (uint32_t)piece.bytes.len};
        if (place.len == 0) {
            continue;
        }
        int err = image_check_place(image, &place, msg);
        err = err ? err : add(l, &place, msg);
        if (err) {
            return err;
        }
    }
    if (more < 0) {
        return more;
    }
    if (l->count == 0) {
        return fail(msg, ERR_BAD_IMAGE, "none of the %s's %u %ss has bytes to load", format->text,
                    r.number, format->unit);
    }
    if (l->count > IMAGE_SEGMENTS_MAX) {
        return fail(msg, ERR_BAD_IMAGE, "the %s fills %u stretches of memory; at most %d may be",
                    format->text, l->count, IMAGE_SEGMENTS_MAX);
    }
    image->entry = r.entry ? r.entry : l->runs[0].address;
    return image_check_entry(image, image->entry, msg);
}

/* A segment for each run, one behind another in what is decoded. */
static int make_segments(struct image *image, const struct layout *l, struct msg *msg)
{
    size_t total = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        total += l->runs[i].len;
    }
    image->decoded = calloc(total, 1); /* zero, should the second walk leave a byte out */
    if (!image->decoded) {
        return fail(msg, ERR_NO_MEMORY, "no memory for the image's %zu bytes", total);
    }
    uint8_t *at = image->decoded;
    for (uint32_t i = 0; i < l->count; i++) {
        image->segments[i] = (struct segment){l->runs[i].address, span_of(at, l->runs[i].len)};
        at += l->runs[i].len;
    }
    image->segments_count = l->count;
    return 0;
}

/* Where a piece belongs in what is decoded, NULL where no run of the first walk holds it. */
static uint8_t *place_of(const struct image *image, const struct layout *l,
                         const struct piece *piece)
{
    uint32_t before = runs_below(l, piece->address);
    if (before == 0) {
        return NULL;
    }
    const struct segment *s = &image->segments[before - 1];
    uint32_t offset = piece->address - s->address;
    bool is_inside = offset <= s->bytes.len && piece->bytes.len <= s->bytes.len - offset;
    return is_inside ? image->decoded + (s->bytes.data - image->decoded) + offset : NULL;
}

/* The second walk. A file that others write to may be another one by now, so it is trusted no more
 * than at first. */
static int fill(struct image *image, const struct record_format *format, const struct layout *l,
                struct msg *msg)
{
    struct records r = {.rest = image->file};
    struct piece piece;
    int more;
    while ((more = format->next(&r, &piece, NULL)) > 0) {
        uint8_t *place = piece.bytes.len > 0 ? place_of(image, l, &piece) : NULL;
        if (place) {
            memcpy(place, piece.bytes.data, piece.bytes.len);
        } else if (piece.bytes.len > 0) {
            more = ERR_BAD_IMAGE;
            break;
        }
    }
    return more < 0 ? fail(msg, ERR_BAD_IMAGE, "%s %u: the file changed while it was read",
                           format->unit, r.number)
                    : 0;
}

int image_parse_records(struct image *image, const struct record_format *format, struct msg *msg)
{
    struct layout layout;
    layout.count = 0;
    int err = lay_out(image, format, &layout, msg);
    err = err ? err : make_segments(image, &layout, msg);
    err = err ? err : fill(image, format, &layout, msg);
    if (!err) {
        image->format = format->format;
    }
    return err;
}

/* Lines of text */

/* Cuts the next line that is not blank off; false where there is none. */
static bool take_line(struct records *r, struct span *ret_line)
{
    while (r->rest.len > 0) {
        *ret_line = span_trim(span_take_line(&r->rest));
        r->number++;
        if (ret_line->len > 0) {
            return true;
        }
    }
    return false;
}

static bool are_digits(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (hex_digit(text.data[i]) < 0) {
            return false;
        }
    }
    return true;
}

bool image_begins_with_record(struct span file, const struct record_text *text)
{
    struct records r = {.rest = file};
    struct span line;
    size_t shown = text->mark_len + 2 * text->bytes_min;
    return take_line(&r, &line) && line.len >= shown && text->is_mark(line) &&
           are_digits(span_of(line.data + text->mark_len, 2 * text->bytes_min));
}

static int read_digits(struct records *r, struct span digits, const struct record_text *text,
                       struct msg *msg)
{
    if (!are_digits(digits) || digits.len % 2 != 0 || digits.len / 2 < text->bytes_min ||
        digits.len / 2 > RECORD_BYTES_MAX) {
        return fail(msg, ERR_BAD_IMAGE,
                    "line %u: %zu characters after the mark, which are not %zu to %d pairs of "
                    "hexadecimal digits",
                    r->number, digits.len, text->bytes_min, RECORD_BYTES_MAX);
    }
    for (size_t i = 0; i < digits.len; i += 2) {
        r->bytes[i / 2] = (uint8_t)(hex_digit(digits.data[i]) << 4 | hex_digit(digits.data[i + 1]));
    }
    r->len = digits.len / 2;
    return 0;
}

static int check_record(const struct records *r, const struct record_text *text, struct msg *msg)
{
    if (r->len != (size_t)r->bytes[0] + text->overhead) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: it counts %d bytes and has %zu", r->number,
                    r->bytes[0], r->len - text->overhead);
    }
    uint8_t sum = 0;
    for (size_t i = 0; i + 1 < r->len; i++) {
        sum = (uint8_t)(sum + r->bytes[i]);
    }
    uint8_t wanted = (uint8_t)(text->sum - sum);
    if (r->bytes[r->len - 1] != wanted) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: its checksum is %02X, its bytes have %02X",
                    r->number, r->bytes[r->len - 1], wanted);
    }
    return 0;
}

int image_next_line(struct records *r, const struct record_text *text, struct span *ret_mark,
                    struct msg *msg)
{
    struct span line;
    if (!take_line(r, &line)) {
        return r->is_ended ? 0
                           : fail(msg, ERR_BAD_IMAGE,
                                  "the %s ends after line %u without an end record (%s)",
                                  text->text, r->number, text->end);
    }
    if (r->is_ended) {
        return fail(msg, ERR_BAD_IMAGE, "line %u: %zu characters follow the end record", r->number,
                    line.len);
    }
    if (line.len < text->mark_len || !text->is_mark(line)) {
        return fail(msg, ERR_BAD_IMAGE, "line %u is no record of %s, such as %s", r->number,
                    text->text, text->end);
    }
    struct span digits = span_of(line.data + text->mark_len, line.len - text->mark_len);
    int err = read_digits(r, digits, text, msg);
    err = err ? err : check_record(r, text, msg);
    if (err) {
        return err;
    }
    *ret_mark = span_of(line.data, text->mark_len);
    return 1;
}

uint32_t image_record_number(const struct records *r, size_t at, size_t len)
{
    uint32_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | r->bytes[at + i];
    }
    return number;
}
