/* record.c - records as lines of key and value, led by kind and version, closed by a checksum */
/* SPDX-License-Identifier: MIT */
#include "store/record.h"
#include "store/hash.h"

#include <inttypes.h>

/* How a field stands in the struct, and so in the text. */
enum type { DECIMAL, HEX, ID, ID_OR_NONE, SHA256, WORD };

struct field {
    const char *key;
    enum type type;
    size_t at;      /* in the struct */
    size_t flag_at; /* of ID_OR_NONE: the bool that says whether the id counts */
};

struct kind {
    const char *name;
    const struct field *fields;
    size_t fields_count;
};

#define RAM(member) offsetof(struct ram_record, member)
static const struct field ram_fields[] = {
    {"id", ID, RAM(info.id), 0},
    {"stamp", HEX, RAM(info.version.stamp), 0},
    {"count", DECIMAL, RAM(info.version.count), 0},
    {"file", DECIMAL, RAM(file), 0},
    {"size", DECIMAL, RAM(info.size), 0},
    {"rom", ID_OR_NONE, RAM(info.rom), RAM(info.has_rom)},
    {"created", DECIMAL, RAM(info.created_ms), 0},
    {"used", DECIMAL, RAM(info.used_ms), 0},
};
static const struct kind ram_kind = {"mote-session", ram_fields, ARRAY_COUNT(ram_fields)};

#define ROM(member) offsetof(struct rom_info, member)
static const struct field rom_fields[] = {
    {"id", ID, ROM(id), 0},
    {"sha256", SHA256, ROM(sha256), 0},
    {"size", DECIMAL, ROM(size), 0},
    {"format", WORD, ROM(format), 0},
    {"created", DECIMAL, ROM(created_ms), 0},
};
static const struct kind rom_kind = {"mote-rom", rom_fields, ARRAY_COUNT(rom_fields)};

static uint64_t number_at(const uint8_t *from)
{
    uint64_t number;
    memcpy(&number, from, sizeof number);
    return number;
}

static void write_id(struct buf *text, const uint8_t *from)
{
    struct id id;
    char id_text[ID_TEXT_LEN + 1];
    memcpy(&id, from, sizeof id);
    id_format(&id, id_text);
    buf_puts(text, id_text);
}

static void write_value(struct buf *text, const struct field *field, const uint8_t *record)
{
    const uint8_t *from = record + field->at;
    char hash_text[SHA256_TEXT_SIZE];
    switch (field->type) {
    case DECIMAL:
        buf_print(text, "%" PRIu64, number_at(from));
        break;
    case HEX:
        buf_print(text, "%016" PRIx64, number_at(from));
        break;
    case ID_OR_NONE:
        if (!record[field->flag_at]) {
            buf_puts(text, "none");
            break;
        }
        write_id(text, from);
        break;
    case ID:
        write_id(text, from);
        break;
    case SHA256:
        hash_format(from, hash_text);
        buf_puts(text, hash_text);
        break;
    case WORD:
        buf_puts(text, (const char *)from);
        break;
    }
}

static void write_record(const struct kind *kind, const void *record, struct buf *text)
{
    size_t start = text->len;
    buf_print(text, "%s %d\n", kind->name, RECORD_VERSION);
    for (size_t i = 0; i < kind->fields_count; i++) {
        buf_print(text, "%s ", kind->fields[i].key);
        write_value(text, &kind->fields[i], record);
        buf_puts(text, "\n");
    }
    if (text->failed) {
        return;
    }
    uint8_t sum[SHA256_SIZE];
    char sum_text[SHA256_TEXT_SIZE];
    hash_span(span_of(text->data + start, text->len - start), sum);
    hash_format(sum, sum_text);
    buf_print(text, "sum %s\n", sum_text);
}

/* Takes the next line off `*rest`, without its end; false where no whole line is left. */
static bool take_line(struct span *rest, struct span *ret_line)
{
    const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    if (!end) {
        return false;
    }
    *ret_line = span_of(rest->data, (size_t)(end - rest->data));
    *rest = span_of(end + 1, rest->len - ret_line->len - 1);
    return true;
}

/* Cuts `key` and a space off the front of a line. */
static bool take_key(struct span *line, const char *key)
{
    size_t len = strlen(key);
    if (line->len <= len || memcmp(line->data, key, len) != 0 || line->data[len] != ' ') {
        return false;
    }
    *line = span_of(line->data + len + 1, line->len - len - 1);
    return true;
}

static bool read_number(struct span text, unsigned base, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        unsigned digit = c >= 'a' && c <= 'f' ? c - 'a' + 10u : (unsigned)(c - '0');
        if (digit >= base || __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, digit, &number)) {
            return false;
        }
    }
    *ret_number = number;
    return text.len > 0;
}

static bool read_word(struct span text, uint8_t *to)
{
    bool is_good = text.len > 0 && text.len < FORMAT_WORD_SIZE;
    for (size_t i = 0; is_good && i < text.len; i++) {
        uint8_t c = text.data[i];
        is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (is_good) {
        memcpy(to, text.data, text.len);
        to[text.len] = '\0';
    }
    return is_good;
}

/* The record was zeroed before. */
static bool read_value(struct span text, const struct field *field, uint8_t *record)
{
    uint8_t *to = record + field->at;
    uint64_t number;
    struct id id;
    switch (field->type) {
    case DECIMAL:
    case HEX:
        if (!read_number(text, field->type == HEX ? 16 : 10, &number)) {
            return false;
        }
        memcpy(to, &number, sizeof number);
        return true;
    case ID_OR_NONE:
        if (span_equals_string(text, "none")) {
            return true;
        }
        record[field->flag_at] = true;
        /* fallthrough */
    case ID:
        if (!id_parse(text, &id)) {
            return false;
        }
        memcpy(to, &id, sizeof id);
        return true;
    case SHA256:
        return hash_parse(text, to);
    case WORD:
        return read_word(text, to);
    }
    return false;
}

static int read_head(const struct kind *kind, struct span *rest, struct msg *msg)
{
    struct span line;
    uint64_t version;
    if (!take_line(rest, &line) || !take_key(&line, kind->name) ||
        !read_number(line, 10, &version)) {
        return fail(msg, ERR_CORRUPT, "it does not begin with `%s` and a version", kind->name);
    }
    if (version > RECORD_VERSION) {
        return fail(msg, ERR_BAD_FILE,
                    "its format is version %" PRIu64 ", known are versions to %d", version,
                    RECORD_VERSION);
    }
    return 0;
}

static int read_record(const struct kind *kind, struct span text, void *record, struct msg *msg)
{
    struct span rest = text;
    struct span line;
    int err = read_head(kind, &rest, msg);
    if (err) {
        return err;
    }
    for (size_t i = 0; i < kind->fields_count; i++) {
        const struct field *field = &kind->fields[i];
        if (!take_line(&rest, &line) || !take_key(&line, field->key) ||
            !read_value(line, field, record)) {
            return fail(msg, ERR_CORRUPT, "its line `%s` is missing or malformed", field->key);
        }
    }
    /* One form only: what was read must write itself the same, checksum included. */
    struct buf again;
    buf_init(&again, RECORD_BYTES_MAX);
    write_record(kind, record, &again);
    bool is_same = span_equals(buf_span(&again), text);
    bool failed = again.failed;
    buf_deinit(&again);
    if (failed) {
        return fail(msg, ERR_NO_MEMORY, "no memory to check it");
    }
    return is_same ? 0 : fail(msg, ERR_CORRUPT, "its checksum does not match its content");
}

/* A checksum proves who wrote a record, not that the rest of Mote can bear it. */
static int check_size(uint64_t size, struct msg *msg)
{
    if (size > OBJECT_BYTES_MAX) {
        return fail(msg, ERR_CORRUPT, "its size is %" PRIu64 " bytes, the limit is %" PRIu64, size,
                    OBJECT_BYTES_MAX);
    }
    return 0;
}

void ram_record_write(const struct ram_record *record, struct buf *text)
{
    write_record(&ram_kind, record, text);
}

int ram_record_read(struct span text, struct ram_record *ret_record, struct msg *msg)
{
    struct ram_record record = {0};
    int err = read_record(&ram_kind, text, &record, msg);
    err = err ? err : check_size(record.info.size, msg);
    if (err == 0) {
        *ret_record = record;
    }
    return err;
}

void rom_record_write(const struct rom_info *rom, struct buf *text)
{
    write_record(&rom_kind, rom, text);
}

int rom_record_read(struct span text, struct rom_info *ret_rom, struct msg *msg)
{
    struct rom_info rom = {0};
    int err = read_record(&rom_kind, text, &rom, msg);
    err = err ? err : check_size(rom.size, msg);
    if (err == 0) {
        *ret_rom = rom;
    }
    return err;
}
