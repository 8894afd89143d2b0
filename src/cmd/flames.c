/* flames.c - a profile's stacks as an SVG that needs nothing beside itself */
/* SPDX-License-Identifier: MIT */
#include "cmd/costs_tree.h"

#include <inttypes.h>
#include <stdlib.h>

/* All in pixels, before whoever shows it scales them. */
enum {
    WIDTH = 1200,
    MARGIN = 10,
    TITLE_HEIGHT = 46,
    ROW = 18,
    TEXT_BASE = 13,   /* of a row, below its top */
    LETTER = 7,       /* the width of one, rather more than less */
    LETTERS_MIN = 3,  /* fewer tell nothing */
    LETTERS_MAX = 170 /* all that fit into the width */
};

/* Boxes below this width are left out with all that stands on them. */
static const double width_min = 0.2;

struct drawing {
    const struct costs *costs;
    FILE *to;
    uint64_t *begins; /* of each node: where its box begins, in cycles from the left */
    uint32_t height;
};

/* Names are printable ASCII (image.h); these five mean something in XML. */
static void put_escaped(FILE *to, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.data[i]) {
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        case '\'':
            fputs("&apos;", to);
            break;
        default:
            fputc(text.data[i], to);
            break;
        }
    }
}

/* The same name has the same warm colour in every graph. */
static void put_colour(FILE *to, struct span name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ name.data[i]) * 16777619u;
    }
    fprintf(to, "rgb(%u,%u,%u)", 205 + hash % 50, 80 + hash / 50 % 130, hash / 6500 % 60);
}

static double scaled(const struct drawing *d, uint64_t cycles)
{
    double all = d->costs->cycles ? (double)d->costs->cycles : 1.0;
    return (double)cycles / all * (WIDTH - 2 * MARGIN);
}

static struct span name_of(const struct costs *p, uint32_t number)
{
    return number ? p->functions[p->nodes[number].function].name : span_of_string("the run");
}

static void put_label(const struct drawing *d, struct span name, double x, double width)
{
    size_t room = (size_t)(width / LETTER);
    room = room < LETTERS_MAX ? room : LETTERS_MAX;
    bool is_cut = name.len > room;
    if (room < LETTERS_MIN) {
        return;
    }
    fprintf(d->to, "<text x=\"%.1f\" y=\"%d\">", x + 3, TEXT_BASE);
    put_escaped(d->to, is_cut ? span_of(name.data, room - 2) : name);
    fprintf(d->to, "%s</text>", is_cut ? ".." : "");
}

static void put_box(const struct drawing *d, uint32_t number)
{
    const struct node *node = &d->costs->nodes[number];
    double x = MARGIN + scaled(d, d->begins[number]);
    double width = scaled(d, node->total);
    struct span name = name_of(d->costs, number);
    if (width < width_min) {
        return;
    }
    fprintf(d->to, "<g transform=\"translate(0,%u)\"><title>",
            d->height - MARGIN - (node->depth + 1) * ROW);
    put_escaped(d->to, name);
    fprintf(d->to, ": %" PRIu64 " cycles, %.2f%%; %" PRIu64 " in itself", node->total,
            d->costs->cycles ? 100.0 * (double)node->total / (double)d->costs->cycles : 0.0,
            node->self);
    if (number) {
        fprintf(d->to, "; called %" PRIu64 " times", node->calls);
    }
    fprintf(d->to, "</title><rect x=\"%.2f\" width=\"%.2f\" height=\"%d\" fill=\"", x, width,
            ROW - 1);
    put_colour(d->to, name);
    fputs("\"/>", d->to);
    put_label(d, name, x, width);
    fputs("</g>\n", d->to);
}

static void put_head(const struct drawing *d)
{
    fprintf(d->to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" "
            "height=\"%u\">\n"
            "<style>text{font:11px monospace;fill:#000;pointer-events:none}"
            ".head{font:bold 15px sans-serif}.note{font:11px sans-serif}"
            "g:hover rect{stroke:#000;stroke-width:1}</style>\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fffdf5\"/>\n",
            WIDTH, d->height, WIDTH, d->height);
    fprintf(d->to,
            "<text class=\"head\" x=\"%d\" y=\"20\">%" PRIu64 " cycles by call stack</text>\n"
            "<text class=\"note\" x=\"%d\" y=\"38\">A box is as wide as the cycles of its function "
            "and all that it called; hover over it to read them.%s</text>\n",
            MARGIN, d->costs->cycles, MARGIN,
            d->costs->has_folded ? " Some stacks were too deep or too many: they are part of "
                                   "their callers' boxes."
                                 : "");
}

/* Where the boxes begin: siblings side by side, in the order of their first calls. Returns the
 * depth of the highest that is wide enough. */
static uint32_t lay_out(struct drawing *d, uint64_t *ends)
{
    const struct costs *p = d->costs;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < p->nodes_count; i++) {
        const struct node *node = &p->nodes[i];
        d->begins[i] = i ? ends[node->parent] : 0;
        ends[i] = d->begins[i];
        if (i) {
            ends[node->parent] += node->total;
        }
        if (scaled(d, node->total) >= width_min && node->depth > depth) {
            depth = node->depth;
        }
    }
    return depth;
}

int costs_print_flames(const struct costs *p, FILE *to, struct msg *msg)
{
    uint64_t *places = malloc(2 * (size_t)p->nodes_count * sizeof *places);
    if (!places) {
        return fail(msg, ERR_NO_MEMORY, "--profile: no memory to draw %u boxes", p->nodes_count);
    }
    struct drawing d = {.costs = p, .to = to, .begins = places};
    d.height = TITLE_HEIGHT + (lay_out(&d, places + p->nodes_count) + 1) * ROW + MARGIN;
    put_head(&d);
    for (uint32_t i = 0; i < p->nodes_count; i++) {
        put_box(&d, i);
    }
    fputs("</svg>\n", to);
    free(places);
    return 0;
}
