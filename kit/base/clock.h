/* kit/base/clock.h - time and chance as parameters, deadlines, and the two ways to wait.
 *
 * Production passes &kit_clock_real; tests pass a clock of their own and take microseconds. */
#ifndef KIT_BASE_CLOCK_H
#define KIT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "kit/base/err.h"

#define KIT_NS_PER_MS INT64_C(1000000)
#define KIT_NS_PER_S  INT64_C(1000000000)

struct kit_clock {
    int64_t (*now_ns)(void *self);            /* monotonic */
    int64_t (*wall_ns)(void *self);           /* since 1970-01-01 UTC */
    void (*sleep_ns)(void *self, int64_t ns); /* returns early on a signal */
    double (*random)(void *self);             /* in [0, 1) */
    void *self;
};
extern const struct kit_clock kit_clock_real;

int64_t kit_clock_now_ns(const struct kit_clock *clock);
int64_t kit_clock_wall_ns(const struct kit_clock *clock);

/* An absolute point on the monotonic clock; made once per action, passed to all that blocks. */
struct kit_deadline {
    int64_t at_ns;
};
struct kit_deadline kit_deadline_in_ms(const struct kit_clock *clock, int64_t ms);
struct kit_deadline kit_deadline_earlier(struct kit_deadline a, struct kit_deadline b);
/* Rounded up: 0 only when it has passed, so a poll(2) for that long never spins. */
int64_t kit_deadline_left_ms(const struct kit_clock *clock, struct kit_deadline by);
bool kit_deadline_passed(const struct kit_clock *clock, struct kit_deadline by);

/* A retry policy: const data.  The wait before try n (n = 1, 2 …) is chance * min(cap, base *
 * 2^(n-1)): "full jitter", as the providers' SDKs do in standard mode.  No failed try, no wait. */
struct kit_backoff {
    int64_t base_ns, cap_ns;
};
int64_t kit_backoff_ns(const struct kit_backoff *policy, unsigned failed_tries,
                       const struct kit_clock *clock);

/* Ask `fn` until it says done, waiting first_ms, then twice as long each time up to cap_ms, never
 * past `by`.  fn returns 1 done, 0 not yet, -1 error (passed on at once).  Returns 0 done, -1 with
 * fn's error, or -1 KIT_ERR_TIMEOUT when the deadline came first.  fn is asked at least once, and
 * once more at the deadline.  Blocks until then at most. */
struct kit_poll {
    int64_t first_ms, cap_ms;
};
typedef int (*kit_poll_fn)(void *arg, struct kit_err *err);
int kit_poll_until(const struct kit_poll *policy, const struct kit_clock *clock,
                   struct kit_deadline by, kit_poll_fn fn, void *arg,
                   struct kit_err *err) KIT_CHECKED;

#endif
