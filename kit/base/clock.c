/* kit/base/clock.c - time, chance, deadlines, waiting. */
#include "kit/base/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock_ns(clockid_t id)
{
    struct timespec ts = {0};

    /* Cannot fail: both clocks exist on every kernel that runs this. */
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * KIT_NS_PER_S + ts.tv_nsec;
}

static int64_t real_now_ns(void *self)
{
    (void)self;
    return read_clock_ns(CLOCK_MONOTONIC);
}

static int64_t real_wall_ns(void *self)
{
    (void)self;
    return read_clock_ns(CLOCK_REALTIME);
}

static void real_sleep_ns(void *self, int64_t ns)
{
    (void)self;
    if (ns <= 0)
        return;
    struct timespec ts = {.tv_sec = (time_t)(ns / KIT_NS_PER_S),
                          .tv_nsec = (long)(ns % KIT_NS_PER_S)};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static double real_random(void *self)
{
    uint64_t bits;

    (void)self;
    /* Early in boot the kernel may have no chance to give yet; waiting for it would be worse than
     * jitter taken from the clock (splitmix64's finalizer), which guards no secret. */
    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != (ssize_t)sizeof(bits)) {
        bits = (uint64_t)read_clock_ns(CLOCK_REALTIME) + UINT64_C(0x9e3779b97f4a7c15);
        bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
        bits ^= bits >> 31;
    }
    return (double)(bits >> 11) * 0x1p-53; /* a double holds 53 bits: never 1.0 */
}

const struct kit_clock kit_clock_real = {
    .now_ns = real_now_ns,
    .wall_ns = real_wall_ns,
    .sleep_ns = real_sleep_ns,
    .random = real_random,
};

int64_t kit_clock_now_ns(const struct kit_clock *clock)
{
    return clock->now_ns(clock->self);
}

int64_t kit_clock_wall_ns(const struct kit_clock *clock)
{
    return clock->wall_ns(clock->self);
}

struct kit_deadline kit_deadline_in_ms(const struct kit_clock *clock, int64_t ms)
{
    struct kit_deadline by;
    int64_t ns;

    if (__builtin_mul_overflow(ms, KIT_NS_PER_MS, &ns) ||
        __builtin_add_overflow(kit_clock_now_ns(clock), ns, &by.at_ns))
        by.at_ns = ms < 0 ? INT64_MIN : INT64_MAX;
    return by;
}

struct kit_deadline kit_deadline_earlier(struct kit_deadline a, struct kit_deadline b)
{
    return a.at_ns <= b.at_ns ? a : b;
}

static int64_t left_ns(const struct kit_clock *clock, struct kit_deadline by)
{
    int64_t now = kit_clock_now_ns(clock), left;

    if (now >= by.at_ns)
        return 0;
    return __builtin_sub_overflow(by.at_ns, now, &left) ? INT64_MAX : left;
}

int64_t kit_deadline_left_ms(const struct kit_clock *clock, struct kit_deadline by)
{
    int64_t left = left_ns(clock, by);

    return left / KIT_NS_PER_MS + (left % KIT_NS_PER_MS != 0);
}

bool kit_deadline_passed(const struct kit_clock *clock, struct kit_deadline by)
{
    return kit_clock_now_ns(clock) >= by.at_ns;
}

int64_t kit_backoff_ns(const struct kit_backoff *policy, unsigned failed_tries,
                       const struct kit_clock *clock)
{
    int64_t top = policy->base_ns;

    if (failed_tries == 0)
        return 0;
    for (unsigned n = 1; n < failed_tries && top > 0 && top < policy->cap_ns; n++)
        top = top > INT64_MAX / 2 ? INT64_MAX : top * 2;
    if (top > policy->cap_ns)
        top = policy->cap_ns;
    return (int64_t)(clock->random(clock->self) * (double)top);
}

int kit_poll_until(const struct kit_poll *policy, const struct kit_clock *clock,
                   struct kit_deadline by, kit_poll_fn fn, void *arg, struct kit_err *err)
{
    /* At least 1 ms: doubling zero would never stop asking. */
    int64_t cap_ms = policy->cap_ms > 1 ? policy->cap_ms : 1;
    int64_t wait_ms = policy->first_ms > 1 ? policy->first_ms : 1;

    for (;;) {
        int done = fn(arg, err);
        if (done != 0)
            return done > 0 ? 0 : -1;

        int64_t left = left_ns(clock, by);
        if (left == 0)
            return kit_err_set(err, KIT_ERR_TIMEOUT, "the deadline came first");
        if (wait_ms > cap_ms)
            wait_ms = cap_ms;
        int64_t wait = wait_ms > INT64_MAX / KIT_NS_PER_MS ? INT64_MAX : wait_ms * KIT_NS_PER_MS;
        clock->sleep_ns(clock->self, wait < left ? wait : left);
        wait_ms = wait_ms > INT64_MAX / 2 ? INT64_MAX : wait_ms * 2;
    }
}
