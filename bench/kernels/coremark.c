/* coremark.c - kernel: what CoreMark measures, written anew: list, matrix, state machine, CRC */
/* SPDX-License-Identifier: MIT */
#include "kernel.h"

enum { NODES = 128, SIDE = 12, TEXT = 512, STATES = 8 };

struct node {
    struct node *next;
    int16_t key;
    uint16_t index;
};

static struct node nodes[NODES];
static int16_t matrix_a[SIDE][SIDE], matrix_b[SIDE][SIDE];
static int32_t matrix_c[SIDE][SIDE];
static char text[TEXT];

static uint16_t crc16(uint32_t value, unsigned bits, uint16_t crc)
{
    for (unsigned i = 0; i < bits; i++) {
        uint16_t carry = (uint16_t)((value ^ crc) & 1);
        value >>= 1;
        crc >>= 1;
        if (carry) {
            crc ^= 0xa001;
        }
    }
    return crc;
}

static struct node *merge(struct node *a, struct node *b, int by_index)
{
    struct node head = {0};
    struct node *tail = &head;
    while (a && b) {
        int is_a_first = by_index ? a->index <= b->index : a->key <= b->key;
        struct node **from = is_a_first ? &a : &b;
        tail->next = *from;
        tail = *from;
        *from = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *sort(struct node *list, int by_index)
{
    if (!list || !list->next) {
        return list;
    }
    struct node *slow = list;
    for (struct node *fast = list->next; fast && fast->next; fast = fast->next->next) {
        slow = slow->next;
    }
    struct node *half = slow->next;
    slow->next = NULL;
    return merge(sort(list, by_index), sort(half, by_index), by_index);
}

static const struct node *find(const struct node *list, int16_t key)
{
    while (list && list->key != key) {
        list = list->next;
    }
    return list;
}

static struct node *reverse(struct node *list)
{
    struct node *done = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static uint16_t run_list(uint32_t seed, uint16_t crc)
{
    for (unsigned i = 0; i < NODES; i++) {
        uint32_t value = next_random(&seed);
        nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, (int16_t)value, (uint16_t)i};
    }
    struct node *list = nodes;
    for (unsigned i = 0; i < 16; i++) {
        const struct node *found = find(list, nodes[i * 7 % NODES].key);
        crc = crc16(found ? found->index : 0, 16, crc);
        list = reverse(list);
    }
    list = sort(list, 0);
    crc = crc16((uint16_t)list->key, 16, crc);
    list = sort(list, 1);
    return crc16((uint16_t)list->next->key, 16, crc);
}

static uint16_t run_matrix(int16_t seed, uint16_t crc)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            matrix_a[i][j] = (int16_t)(seed + i * j);
            matrix_b[i][j] = (int16_t)(seed ^ (i + 3 * j));
        }
    }
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < SIDE; k++) {
                uint32_t product = (uint32_t)(matrix_a[i][k] * matrix_b[k][j]);
                sum += (product >> 2 & 15) * (product >> 5 & 127);
            }
            matrix_c[i][j] = (int32_t)sum;
        }
    }
    int32_t clipped = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            clipped += matrix_c[i][j] > 1000 ? 10 : matrix_c[i][j] & 7;
        }
    }
    return crc16((uint32_t)clipped, 16, crc);
}

/* Classifies comma-separated words: integer, decimal, exponent, anything else. */
static uint16_t run_states(uint16_t crc)
{
    enum { START, SIGN, INTEGER, POINT, DECIMAL, EXPONENT, POWER, INVALID };
    uint32_t counts[STATES] = {0};
    unsigned state = START;
    for (unsigned i = 0; i < TEXT; i++) {
        char c = text[i];
        int is_digit = c >= '0' && c <= '9';
        if (c == ',') {
            counts[state]++;
            state = START;
            continue;
        }
        switch (state) {
        case START:
            state = is_digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
            break;
        case SIGN:
        case INTEGER:
            state = is_digit ? INTEGER : c == '.' ? POINT : c == 'e' ? EXPONENT : INVALID;
            break;
        case POINT:
        case DECIMAL:
            state = is_digit ? DECIMAL : c == 'e' ? EXPONENT : INVALID;
            break;
        case EXPONENT:
        case POWER:
            state = is_digit ? POWER : INVALID;
            break;
        default:
            break;
        }
    }
    for (unsigned i = 0; i < STATES; i++) {
        crc = crc16(counts[i], 32, crc);
    }
    return crc;
}

uint32_t kernel(uint32_t rounds)
{
    static const char letters[] = "0123456789.,e+-5,7.1,x";
    uint32_t seed = 0x2545f491;
    uint16_t crc = 0;
    for (uint32_t round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < TEXT; i++) {
            text[i] = letters[next_random(&seed) % (sizeof letters - 1)];
        }
        crc = run_list(seed, crc);
        crc = run_matrix((int16_t)seed, crc);
        crc = run_states(crc);
    }
    return crc;
}
