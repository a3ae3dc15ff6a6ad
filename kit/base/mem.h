/* kit/base/mem.h - allocation that cannot fail, and cleanup by scope.
 *
 * Out of memory ends the process (abort is not called: a core would hold secrets): every action
 * can be run again from any point, so there is nothing better to do. */
#ifndef KIT_BASE_MEM_H
#define KIT_BASE_MEM_H

#include <stddef.h>

#define KIT_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* KIT_AUTO(kit_buf) body = KIT_BUF(…): kit_buf_done(&body) runs when the scope ends.  For each
 * such type there is a `void T_done(struct T *)`. */
#define KIT_AUTO(type) __attribute__((cleanup(type##_done))) struct type

/* KIT_AUTOFREE char *p: freed when the scope ends. */
#define KIT_AUTOFREE __attribute__((cleanup(kit_mem_autofree)))
void kit_mem_autofree(void *pointer_to_pointer);

/* Zeroed memory; the caller frees it with free(). */
void *kit_mem_new(size_t count, size_t size_bytes) __attribute__((malloc, returns_nonnull));
/* As realloc(old, count * size); grown memory is not zeroed. */
void *kit_mem_grow(void *old, size_t count, size_t size_bytes) __attribute__((returns_nonnull));
char *kit_mem_strdup(const char *text) __attribute__((malloc, returns_nonnull));

#endif
