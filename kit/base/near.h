/* kit/base/near.h - the name that a typing error meant.
 *
 *   kit_near_init(&near, "attahc");
 *   for each name: kit_near_try(&near, name);
 *   near.name: "attach", or NULL when none is near enough
 */
#ifndef KIT_BASE_NEAR_H
#define KIT_BASE_NEAR_H

#include <stddef.h>

#define KIT_NEAR_BYTES 31 /* longer ones, on either side, are near to nothing */

struct kit_near {
    const char *word;
    size_t best;      /* edits of `name`; before there is one: as many as may be */
    const char *name; /* the nearest one so far, the first of equals; borrowed */
};
/* Two edits (insert, delete, replace, swap two neighbours) turn any two-letter word into any other:
 * words of less than six letters get one, of less than three none. */
void kit_near_init(struct kit_near *near, const char *word);
void kit_near_try(struct kit_near *near, const char *name);

#endif
