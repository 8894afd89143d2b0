/* accept.c - reads media ranges and their q values */
/* SPDX-License-Identifier: MIT */
#include "service/accept.h"

enum { QUALITY_MAX = 1000 };

/* How closely `range` covers `type`: 3 the type itself, 2 its family, 1 any type, 0 not at all. */
static int specificity_of(struct span range, const char *type)
{
    if (span_equals_nocase(range, type)) {
        return 3;
    }
    if (span_equals_string(range, "*/*")) {
        return 1;
    }
    size_t family_len = strcspn(type, "/") + 1;
    bool is_family = range.len == family_len + 1 && range.data[family_len] == '*';
    return is_family && span_same_nocase(span_of(range.data, family_len), span_of(type, family_len))
               ? 2
               : 0;
}

/* "1", "0.25": at most three digits behind the point; -1 for what is no quality. */
static int quality_of(struct span text)
{
    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.')) {
        return -1;
    }
    int quality = (text.data[0] - '0') * QUALITY_MAX;
    int weight = QUALITY_MAX / 10;
    for (size_t i = 2; i < text.len; i++, weight /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        quality += (text.data[i] - '0') * weight;
    }
    return quality <= QUALITY_MAX ? quality : -1;
}

static void read_range(struct accept *accept, struct span item, const char *type)
{
    int specificity = specificity_of(span_trim(span_cut(&item, ';')), type);
    int quality = QUALITY_MAX;
    while (item.data) {
        struct span value = span_cut(&item, ';');
        struct span name = span_trim(span_cut(&value, '='));
        if (span_equals_nocase(name, "q")) {
            quality = quality_of(span_trim(value));
        }
    }
    if (quality >= 0 && specificity > accept->specificity) {
        accept->specificity = specificity;
        accept->quality = quality;
    }
}

void accept_read(struct accept *accept, struct span value, const char *type)
{
    accept->is_given = true;
    while (value.data) {
        read_range(accept, span_cut(&value, ','), type);
    }
}

int accept_quality(const struct accept *accept)
{
    return accept->is_given ? accept->quality : QUALITY_MAX;
}
