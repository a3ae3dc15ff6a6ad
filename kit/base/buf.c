/* kit/base/buf.c - bytes that grow up to a ceiling. */
#include "kit/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/secret.h"

/* Shared by all empty buffers and never written: room_bytes is 0 as long as data is this. */
char kit_buf_nothing[1];

static const size_t first_room_bytes = 64;

static bool owns_memory(const struct kit_buf *buf)
{
    return buf->room_bytes > 0;
}

static void forget(struct kit_buf *buf)
{
    buf->data = kit_buf_nothing;
    buf->len_bytes = 0;
    buf->room_bytes = 0;
    buf->overflow = false;
}

void kit_buf_done(struct kit_buf *buf)
{
    if (owns_memory(buf)) {
        if (buf->secret)
            kit_secret_wipe(buf->data, buf->room_bytes);
        free(buf->data);
    }
    forget(buf);
}

void kit_buf_reset(struct kit_buf *buf)
{
    kit_buf_cut(buf, 0);
}

void kit_buf_cut(struct kit_buf *buf, size_t len_bytes)
{
    buf->overflow = false;
    if (!owns_memory(buf) || len_bytes > buf->len_bytes)
        return;
    if (buf->secret)
        kit_secret_wipe(buf->data + len_bytes, buf->room_bytes - len_bytes);
    buf->len_bytes = len_bytes;
    buf->data[len_bytes] = '\0';
}

static void move_to(struct kit_buf *buf, size_t room_bytes)
{
    if (!buf->secret) {
        buf->data = kit_mem_grow(owns_memory(buf) ? buf->data : NULL, room_bytes, 1);
        buf->room_bytes = room_bytes;
        return;
    }
    /* realloc would leave the old bytes behind in freed memory. */
    char *data = kit_mem_new(room_bytes, 1);
    memcpy(data, buf->data, buf->len_bytes);
    if (owns_memory(buf)) {
        kit_secret_wipe(buf->data, buf->room_bytes);
        free(buf->data);
    }
    buf->data = data;
    buf->room_bytes = room_bytes;
}

/* Room for more_bytes and the NUL, or the overflow mark and -1. */
static int make_room(struct kit_buf *buf, size_t more_bytes)
{
    if (buf->overflow || more_bytes > buf->max_bytes - buf->len_bytes) {
        buf->overflow = true;
        return -1;
    }
    size_t need_bytes = buf->len_bytes + more_bytes;
    if (need_bytes < buf->room_bytes)
        return 0;

    size_t room_bytes = buf->room_bytes ? buf->room_bytes : first_room_bytes;
    while (room_bytes <= need_bytes && room_bytes <= SIZE_MAX / 2)
        room_bytes *= 2;
    if (room_bytes > buf->max_bytes)
        room_bytes = buf->max_bytes + 1;
    move_to(buf, room_bytes);
    return 0;
}

int kit_buf_add(struct kit_buf *buf, const void *data, size_t len_bytes)
{
    if (make_room(buf, len_bytes) != 0)
        return -1;
    if (len_bytes > 0)
        memcpy(buf->data + buf->len_bytes, data, len_bytes);
    buf->len_bytes += len_bytes;
    buf->data[buf->len_bytes] = '\0';
    return 0;
}

int kit_buf_puts(struct kit_buf *buf, const char *text)
{
    return kit_buf_add(buf, text, strlen(text));
}

int kit_buf_putc(struct kit_buf *buf, char c)
{
    return kit_buf_add(buf, &c, 1);
}

int kit_buf_printf(struct kit_buf *buf, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (len < 0) {
        buf->overflow = true;
        return -1;
    }
    if (make_room(buf, (size_t)len) != 0)
        return -1;
    va_start(ap, fmt);
    (void)vsnprintf(buf->data + buf->len_bytes, (size_t)len + 1, fmt, ap);
    va_end(ap);
    buf->len_bytes += (size_t)len;
    return 0;
}

char *kit_buf_take(struct kit_buf *buf)
{
    char *data = owns_memory(buf) ? buf->data : kit_mem_strdup("");

    forget(buf);
    return data;
}

int kit_buf_check(const struct kit_buf *buf, const char *what, struct kit_err *err)
{
    if (!buf->overflow)
        return 0;
    return kit_err_set(err, KIT_ERR_REFUSED, "%s is larger than %zu bytes", what, buf->max_bytes);
}
