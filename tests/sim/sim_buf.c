#include "sim_buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fatal(const char *why)
{
    fprintf(stderr, "cloudsim: %s\n", why);
    abort();
}

void *sim_alloc(size_t size_bytes)
{
    void *block = calloc(1, size_bytes ? size_bytes : 1);

    if (!block)
        fatal("out of memory");
    return block;
}

char *sim_strdup(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = sim_alloc(len);

    memcpy(copy, text, len);
    return copy;
}

void sim_buf_done(struct sim_buf *buf)
{
    free(buf->data);
    *buf = (struct sim_buf){0};
}

void sim_buf_clear(struct sim_buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

static void reserve(struct sim_buf *buf, size_t more)
{
    size_t cap = buf->cap ? buf->cap : 512;
    char *data;

    if (more > SIM_BUF_MAX_BYTES || buf->len + more + 1 > SIM_BUF_MAX_BYTES)
        fatal("a document grew past its ceiling");
    if (buf->len + more + 1 <= buf->cap)
        return;
    while (cap < buf->len + more + 1)
        cap *= 2;
    data = realloc(buf->data, cap);
    if (!data)
        fatal("out of memory");
    buf->data = data;
    buf->cap = cap;
}

void sim_buf_add(struct sim_buf *buf, const void *bytes, size_t len)
{
    reserve(buf, len);
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void sim_buf_str(struct sim_buf *buf, const char *text)
{
    sim_buf_add(buf, text, strlen(text));
}

void sim_buf_fmt(struct sim_buf *buf, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        fatal("a text cannot be formatted");
    reserve(buf, (size_t)len);
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

const char *sim_buf_text(const struct sim_buf *buf)
{
    return buf->data ? buf->data : "";
}
