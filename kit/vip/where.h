/* kit/vip/where.h - what facts mean: is the address here?  Pure. */
#ifndef KIT_VIP_WHERE_H
#define KIT_VIP_WHERE_H

#include "kit/base/buf.h"
#include "kit/cloud/cloud.h"

/* Three-valued truth.  UNKNOWN is never made from facts: it is what there is when no facts came. */
enum kit_whereabouts {
    KIT_WHERE_HERE,      /* every binding is ours, works, and is as configured */
    KIT_WHERE_ELSEWHERE, /* anything else that we know */
    KIT_WHERE_UNKNOWN,
};
const char *kit_where_name(enum kit_whereabouts where); /* "HERE" … */

/* What ELSEWHERE looks like. */
enum kit_where_shape {
    KIT_SHAPE_HERE,
    KIT_SHAPE_ONE_OTHER, /* wholly on one other holder, and working */
    KIT_SHAPE_NOWHERE,   /* no binding, or none that is held */
    KIT_SHAPE_SPLIT,     /* on several holders, or on some and missing in others */
    KIT_SHAPE_BLACKHOLE, /* at least one binding whose target is gone */
    KIT_SHAPE_FOREIGN,   /* at least one held by what is no node */
};
const char *kit_where_shape_name(enum kit_where_shape shape);

enum kit_whereabouts kit_where_is(const struct kit_facts *facts);
enum kit_where_shape kit_where_shape(const struct kit_facts *facts);

/* One line for people: "on eni-2 (i-2): rtb-1, rtb-3; blackhole: rtb-2".  Appends. */
void kit_where_describe(const struct kit_facts *facts, struct kit_buf *out);

#endif
