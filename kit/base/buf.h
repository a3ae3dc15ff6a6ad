/* kit/base/buf.h - bytes that grow up to a ceiling, always NUL-terminated. */
#ifndef KIT_BASE_BUF_H
#define KIT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/err.h"
#include "kit/base/mem.h"

/* Once something did not fit, `overflow` stays set, the content is what fitted before, and every
 * later append is ignored: a writer checks once, at the end. */
struct kit_buf {
    char *data;       /* "" when nothing was written yet; never NULL after KIT_BUF */
    size_t len_bytes; /* without the NUL */
    size_t room_bytes;
    size_t max_bytes; /* the ceiling of len_bytes */
    bool overflow;
    bool secret; /* wiped before it is freed or moved */
};

extern char kit_buf_nothing[1];
#define KIT_BUF(ceiling_bytes)                                                                     \
    ((struct kit_buf){.data = kit_buf_nothing, .max_bytes = (ceiling_bytes)})
#define KIT_BUF_SECRET(ceiling_bytes)                                                              \
    ((struct kit_buf){.data = kit_buf_nothing, .max_bytes = (ceiling_bytes), .secret = true})

void kit_buf_done(struct kit_buf *buf); /* frees; the buffer is empty and usable again */
/* Empties, overflow too; keeps the memory (wiped if secret). */
void kit_buf_reset(struct kit_buf *buf);
/* Shortens to len_bytes if it is longer; overflow and memory as with reset. */
void kit_buf_cut(struct kit_buf *buf, size_t len_bytes);

/* Append.  Return 0, or -1 when it would pass the ceiling (then nothing of it is appended).  What
 * is appended must not lie in the buffer itself. */
int kit_buf_add(struct kit_buf *buf, const void *data, size_t len_bytes);
int kit_buf_puts(struct kit_buf *buf, const char *text);
int kit_buf_putc(struct kit_buf *buf, char c);
int kit_buf_printf(struct kit_buf *buf, const char *fmt, ...) KIT_PRINTF(2, 3);

/* Hands the bytes over to the caller, who frees them with free(); the buffer is empty again. */
char *kit_buf_take(struct kit_buf *buf);

/* 0, or KIT_ERR_REFUSED "WHAT is larger than N bytes" after an overflow. */
int kit_buf_check(const struct kit_buf *buf, const char *what, struct kit_err *err) KIT_CHECKED;

#endif
