/*
 * A growing byte buffer, always followed by a NUL that is not counted.
 *
 * The ceiling is SIM_BUF_MAX_BYTES; a simulator that is made to exceed it is broken and ends, as
 * it does when memory runs out: nothing here can be continued from half a document.
 */
#ifndef SIM_BUF_H
#define SIM_BUF_H

#include <stdarg.h>
#include <stddef.h>

#define SIM_BUF_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct sim_buf {
    char *data; /* owned; NULL while empty */
    size_t len;
    size_t cap;
};

void sim_buf_done(struct sim_buf *buf);
void sim_buf_clear(struct sim_buf *buf);
void sim_buf_add(struct sim_buf *buf, const void *bytes, size_t len);
void sim_buf_str(struct sim_buf *buf, const char *text);
__attribute__((format(printf, 2, 3))) void sim_buf_fmt(struct sim_buf *buf, const char *format,
                                                       ...);

/* The text, "" for an empty buffer; borrowed until the next change. */
const char *sim_buf_text(const struct sim_buf *buf);

/* Never NULL: the program ends when there is no memory. */
void *sim_alloc(size_t size_bytes);
char *sim_strdup(const char *text);

static inline void sim_buf_auto(struct sim_buf *buf)
{
    sim_buf_done(buf);
}
#define SIM_AUTO_BUF __attribute__((cleanup(sim_buf_auto))) struct sim_buf

#endif
