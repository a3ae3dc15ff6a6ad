/* kit/fmt/xml.h - an answer in XML, read strictly and walked by local names.
 *
 * libxml2 is the parser: no network, no entities, no DTD (a document with a DOCTYPE is refused),
 * depth and size limits of libxml2's defaults.  Name spaces are ignored, as the vendors' own
 * clients do. */
#ifndef KIT_FMT_XML_H
#define KIT_FMT_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/err.h"

struct kit_xml { /* a document */
    void *doc;
};
struct kit_xml_node; /* borrowed from its document */

/* KIT_ERR_PROTOCOL when it is not well-formed or has a DTD; the message says line and reason. */
int kit_xml_parse(const char *text, size_t len_bytes, struct kit_xml *ret_xml,
                  struct kit_err *err) KIT_CHECKED;
void kit_xml_done(struct kit_xml *xml);

const struct kit_xml_node *kit_xml_root(const struct kit_xml *xml);
const char *kit_xml_name(const struct kit_xml_node *node); /* local name */
/* First child element of that name, or NULL; `parent` may be NULL, so lookups chain. */
const struct kit_xml_node *kit_xml_child(const struct kit_xml_node *parent, const char *name);
/* First element of that name anywhere below (or the node itself), in document order, or NULL. */
const struct kit_xml_node *kit_xml_find(const struct kit_xml_node *node, const char *name);
/* Next sibling element of the same name, or NULL. */
const struct kit_xml_node *kit_xml_next(const struct kit_xml_node *node);

#define KIT_XML_EACH(node, parent, name)                                                           \
    for (const struct kit_xml_node *node = kit_xml_child((parent), (name)); node;                  \
         node = kit_xml_next(node))

/* Text of the child `name` into dst, trimmed: true when the child is there and fitted (an empty
 * element is ""). Absent or too long: false and dst is "".  */
bool kit_xml_text(const struct kit_xml_node *parent, const char *name, char *dst, size_t dst_bytes);
/* As above for the node itself. */
bool kit_xml_own_text(const struct kit_xml_node *node, char *dst, size_t dst_bytes);

#endif
