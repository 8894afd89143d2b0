/* kernel.c - traps of user mode, a timer tick, a scheduler by priority, and a log on the UART */
/* SPDX-License-Identifier: MIT */
#include "rtos.h"

#define REG(address)  (*(volatile uint32_t *)(address))
#define MSIP          REG(0x02000000)
#define MTIMECMP_LOW  REG(0x02004000)
#define MTIMECMP_HIGH REG(0x02004004)
#define MTIME_LOW     REG(0x0200bff8)
#define FINISHER      REG(0x00100000)
#define UART          ((volatile uint8_t *)0x10000000)

#define csr_read(name)                                    \
    ({                                                    \
        uint32_t value;                                   \
        __asm__ volatile("csrr %0, " name : "=r"(value)); \
        value;                                            \
    })
#define csr_write(name, value) __asm__ volatile("csrw " name ", %0" : : "r"(value))

enum {
    PERIOD = 2000, /* of a tick, in those of the 10 MHz clock */
    QUEUE = 2,
    MIE_SOFTWARE = 1 << 3,
    MIE_TIMER = 1 << 7,
    CAUSE_USER_CALL = 8,
    STATUS_MPP = 3 << 11,
    PMP_RX_TOR = 0x0d,
    PMP_RW_NAPOT = 0x1b,
    PRIORITY_TURNS = 9, /* tasks of this one take turns at each tick */
};

enum state { READY, ASLEEP, WAITING, OVER };

struct task {
    struct frame frame;
    const char *name;
    void (*function)(void);
    uint32_t priority;
    enum state state;
    uint32_t wake; /* tick */
};

static struct task tasks[] = {
#define TASK(function, priority) {{{0}}, #function, function, priority, READY, 0},
#include "tasks.def"
#undef TASK
};
enum { TASKS = sizeof tasks / sizeof tasks[0] };

static struct {
    uint8_t bytes[STACK_BYTES];
} stacks[TASKS] __attribute__((aligned(STACK_BYTES)));

static unsigned current;
static uint32_t now, turns_taken, yields_taken;
static uint32_t queue[QUEUE], queue_count;

struct frame *begin(void);

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(UART[5] & 0x20)) {
        }
        *UART = (uint8_t)*text;
    }
}

static void log_number(const char *text, uint32_t number)
{
    char digits[12] = "";
    char *at = digits + 10;
    do {
        *--at = (char)('0' + number % 10);
    } while (number /= 10);
    put(text);
    put(" ");
    put(at);
    put("\n");
}

static void finish(uint32_t code)
{
    FINISHER = code ? code << 16 | 0x3333 : 0x5555;
    for (;;) {
    }
}

static void wake_all(enum state from)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (tasks[i].state == from && (from != ASLEEP || tasks[i].wake <= now)) {
            tasks[i].state = READY;
        }
    }
}

/* The next tick counts from this one's time, not from when it was seen: none is lost. */
static void tick(void)
{
    uint32_t low = MTIMECMP_LOW;
    MTIMECMP_LOW = low + PERIOD; /* the run is shorter than 2^32 ticks */
    now++;
    wake_all(ASLEEP);
}

/* The first ready task of the best priority, beginning with `first`; TASKS without any. */
static unsigned best(unsigned first)
{
    unsigned found = TASKS;
    for (unsigned n = 0; n < TASKS; n++) {
        unsigned i = (first + n) % TASKS;
        if (tasks[i].state == READY &&
            (found == TASKS || tasks[i].priority < tasks[found].priority)) {
            found = i;
        }
    }
    return found;
}

static void end_when_all_are_over(void)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (tasks[i].state != OVER) {
            return;
        }
    }
    log_number("yields", yields_taken);
    log_number("turns by the timer are some:", turns_taken > 10);
    finish(0);
}

/* Chooses from `first` on, waiting for interrupts while nobody is ready, and opens its stack. */
static struct frame *schedule(unsigned first)
{
    unsigned next;
    while ((next = best(first)) == TASKS) {
        end_when_all_are_over();
        __asm__ volatile("wfi");
        if (csr_read("mip") & MIE_TIMER) {
            tick();
        }
    }
    current = next;
    csr_write("pmpaddr2", (uint32_t)(uintptr_t)&stacks[next] >> 2 | (STACK_BYTES / 8 - 1));
    return &tasks[next].frame;
}

struct frame *begin(void)
{
    extern char text_start[], text_end[];
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].frame.x[0] = (uint32_t)(uintptr_t)tasks[i].function;
        tasks[i].frame.x[2] = (uint32_t)(uintptr_t)&stacks[i + 1];
    }
    csr_write("pmpaddr0", (uint32_t)(uintptr_t)text_start >> 2);
    csr_write("pmpaddr1", (uint32_t)(uintptr_t)text_end >> 2);
    csr_write("pmpcfg0", PMP_RX_TOR << 8 | PMP_RW_NAPOT << 16);
    MTIMECMP_HIGH = 0;
    MTIMECMP_LOW = MTIME_LOW + PERIOD;
    csr_write("mie", MIE_SOFTWARE | MIE_TIMER);
    __asm__ volatile("csrc mstatus, %0" : : "r"(STATUS_MPP)); /* to user mode */
    return schedule(0);
}

static void kill_task(void)
{
    put(tasks[current].name);
    log_number(" is killed, cause", csr_read("mcause"));
    tasks[current].state = OVER;
}

/* Text of a task lies among the constants, ended by a zero. */
static int is_text(uint32_t at)
{
    extern char text_start[], text_end[];
    return at >= (uint32_t)(uintptr_t)text_start && at < (uint32_t)(uintptr_t)text_end;
}

/* Waits where the call must be made again: the pc stays on it. */
static void wait_and_retry(struct frame *frame)
{
    tasks[current].state = WAITING;
    frame->x[0] -= 4;
}

static void call_send(struct frame *frame)
{
    if (queue_count == QUEUE) {
        wait_and_retry(frame);
        return;
    }
    queue[queue_count++] = frame->x[10];
    wake_all(WAITING);
}

static void call_receive(struct frame *frame)
{
    if (queue_count == 0) {
        wait_and_retry(frame);
        return;
    }
    frame->x[10] = queue[0];
    queue[0] = queue[1];
    queue_count--;
    wake_all(WAITING);
}

static void call_log(struct frame *frame)
{
    const char *text = (const char *)(uintptr_t)frame->x[10];
    if (is_text(frame->x[10])) {
        log_number(text, frame->x[11]);
        frame->x[10] = 0;
    } else {
        frame->x[10] = 14;
    }
}

static void answer(struct frame *frame)
{
    frame->x[0] += 4;
    switch (frame->x[17]) {
    case CALL_YIELD:
        MSIP = 1; /* taken at once, since user mode cannot mask it */
        break;
    case CALL_SLEEP_UNTIL:
        tasks[current].state = ASLEEP;
        tasks[current].wake = frame->x[10];
        break;
    case CALL_SEND:
        call_send(frame);
        break;
    case CALL_RECEIVE:
        call_receive(frame);
        break;
    case CALL_LOG:
        call_log(frame);
        break;
    case CALL_EXIT:
        tasks[current].state = OVER;
        break;
    default:
        kill_task();
    }
}

struct frame *on_exception(void)
{
    if (csr_read("mstatus") & STATUS_MPP) {
        log_number("the kernel trapped, cause", csr_read("mcause"));
        finish(100);
    }
    if (csr_read("mcause") == CAUSE_USER_CALL) {
        answer(&tasks[current].frame);
    } else {
        kill_task();
    }
    return schedule(current);
}

struct frame *on_software(void)
{
    if (csr_read("mcause") != 0x80000003) {
        return on_stray();
    }
    MSIP = 0;
    yields_taken++;
    return schedule(current + 1);
}

struct frame *on_timer(void)
{
    if (csr_read("mcause") != 0x80000007) {
        return on_stray();
    }
    tick();
    int is_turn = tasks[current].priority == PRIORITY_TURNS;
    unsigned before = current;
    struct frame *frame = schedule(current + (unsigned)is_turn);
    turns_taken += is_turn && current != before;
    return frame;
}

struct frame *on_stray(void)
{
    log_number("a trap at the wrong vector, cause", csr_read("mcause"));
    finish(101);
    return &tasks[current].frame;
}
