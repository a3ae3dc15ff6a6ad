#include "kit/fmt/xml.h"

#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "kit/base/str.h"

/* NOENT, DTDLOAD and HUGE stay off: nothing is ever fetched or expanded, and libxml2's own ceilings
 * on depth and on the size of one text hold. */
#define PARSE_OPTIONS                                                                              \
    (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS |              \
     XML_PARSE_NOCDATA | XML_PARSE_COMPACT)

/* `struct kit_xml_node` is never defined: it is libxml2's node under a name of ours. */
static const xmlNode *inner(const struct kit_xml_node *node)
{
    return (const xmlNode *)(const void *)node;
}

static const struct kit_xml_node *outer(const xmlNode *node)
{
    return (const struct kit_xml_node *)(const void *)node;
}

static int refuse_last(struct kit_err *err)
{
    const xmlError *last = xmlGetLastError();
    char why[200];

    if (!last || !last->message)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "not well-formed XML");
    (void)kit_str_copy(why, sizeof(why), last->message);
    why[strcspn(why, "\r\n")] = '\0';
    return kit_err_set(err, KIT_ERR_PROTOCOL, "not well-formed XML, line %d: %s", last->line, why);
}

int kit_xml_parse(const char *text, size_t len_bytes, struct kit_xml *ret_xml, struct kit_err *err)
{
    static const char doctype[] = "<!DOCTYPE";
    xmlDoc *doc;

    if (len_bytes == 0 || len_bytes > INT_MAX)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "not XML: %s", len_bytes ? "too long" : "empty");
    /* Looked for before the parser sees it (entities bombs never get a turn), and again after, for
     * the encodings in which these bytes look different. */
    if (memmem(text, len_bytes, doctype, sizeof(doctype) - 1))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "XML with a DOCTYPE is not accepted");

    xmlResetLastError();
    doc = xmlReadMemory(text, (int)len_bytes, NULL, NULL, PARSE_OPTIONS);
    if (!doc)
        return refuse_last(err);
    if (doc->intSubset || doc->extSubset || !xmlDocGetRootElement(doc)) {
        xmlFreeDoc(doc);
        return kit_err_set(err, KIT_ERR_PROTOCOL, "XML with a DOCTYPE is not accepted");
    }
    ret_xml->doc = doc;
    return 0;
}

void kit_xml_done(struct kit_xml *xml)
{
    if (xml->doc)
        xmlFreeDoc(xml->doc);
    xml->doc = NULL;
}

const struct kit_xml_node *kit_xml_root(const struct kit_xml *xml)
{
    return xml->doc ? outer(xmlDocGetRootElement(xml->doc)) : NULL;
}

const char *kit_xml_name(const struct kit_xml_node *node)
{
    return node ? (const char *)inner(node)->name : "";
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static const struct kit_xml_node *first_from(const xmlNode *sibling, const char *name)
{
    for (; sibling; sibling = sibling->next)
        if (is_element(sibling, name))
            return outer(sibling);
    return NULL;
}

const struct kit_xml_node *kit_xml_child(const struct kit_xml_node *parent, const char *name)
{
    return parent ? first_from(inner(parent)->children, name) : NULL;
}

const struct kit_xml_node *kit_xml_next(const struct kit_xml_node *node)
{
    return node ? first_from(inner(node)->next, kit_xml_name(node)) : NULL;
}

const struct kit_xml_node *kit_xml_find(const struct kit_xml_node *node, const char *name)
{
    const xmlNode *top = inner(node);
    const xmlNode *at = top;

    while (at) {
        if (is_element(at, name))
            return outer(at);
        if (at->type == XML_ELEMENT_NODE && at->children) {
            at = at->children;
            continue;
        }
        while (at != top && !at->next)
            at = at->parent;
        at = at == top ? NULL : at->next;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool kit_xml_own_text(const struct kit_xml_node *node, char *dst, size_t dst_bytes)
{
    size_t len = 0;
    bool fits = node != NULL;

    for (const xmlNode *part = node ? inner(node)->children : NULL; part && fits;
         part = part->next) {
        if ((part->type != XML_TEXT_NODE && part->type != XML_CDATA_SECTION_NODE) || !part->content)
            continue;
        for (const char *c = (const char *)part->content; *c && fits; c++) {
            if (is_space(*c) && (len == 0 || len + 1 >= dst_bytes))
                continue; /* leading, or trailing if only space follows */
            fits = len + 1 < dst_bytes;
            if (fits)
                dst[len++] = *c;
        }
    }
    while (len > 0 && is_space(dst[len - 1]))
        len--;
    dst[fits ? len : 0] = '\0';
    return fits;
}

bool kit_xml_text(const struct kit_xml_node *parent, const char *name, char *dst, size_t dst_bytes)
{
    return kit_xml_own_text(kit_xml_child(parent, name), dst, dst_bytes);
}
