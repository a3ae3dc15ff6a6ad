#include "kit/fmt/ini.h"

#include <string.h>

#include <ini.h>

#include "kit/base/str.h"

/* What inih does not tell (line numbers, sections without entries) and what it would cut without a
 * word (long lines, sections and names) is seen here, in the reader that hands it one line at a
 * time. */

#define LINE_BYTES                                                                                 \
    198 /* INI_MAX_LINE is 200 where distributions build it; two for the end of line */
#define NAME_BYTES 49 /* MAX_SECTION and MAX_NAME of ini.c are 50 */

struct reading {
    const char *at, *end;
    const char *name; /* of the text, for errors */
    unsigned line;
    bool indented;  /* the line just handed out */
    bool has_entry; /* an entry came before in this section, which an indented line continues */
    bool awaits;    /* the line just handed out must come back as an entry */
    bool failed;
    kit_ini_fn on_entry;
    kit_ini_section_fn on_section;
    void *arg;
    struct kit_err *err;
};

#define REFUSE(r, fmt, ...)                                                                        \
    ((void)kit_err_set((r)->err, KIT_ERR_CONFIG, "%s:%u: " fmt, (r)->name, (r)->line,              \
                       ##__VA_ARGS__),                                                             \
     (r)->failed = true)

/* A line that begins with '[': its name to on_section. */
static void meet_section(struct reading *r, const char *text, size_t len)
{
    char section[NAME_BYTES + 1];
    const char *close = memchr(text, ']', len);
    size_t name_len = close ? (size_t)(close - text) - 1 : 0;
    const char *rest = close ? close + 1 : text;

    while (close && rest < text + len && (*rest == ' ' || *rest == '\t'))
        rest++;
    if (!close)
        REFUSE(r, "a '[' without its ']'");
    else if (rest < text + len && *rest != ';' && *rest != '#')
        REFUSE(r, "something behind the ']' of a section");
    else if (name_len == 0 || name_len > NAME_BYTES)
        REFUSE(r, "the name of a section has 1 to %d bytes", NAME_BYTES);
    else if (memmem(text, name_len, " ;", 2) || memmem(text, name_len, "\t;", 2))
        REFUSE(r, "a comment inside the name of a section");
    if (r->failed)
        return;
    memcpy(section, text + 1, name_len);
    section[name_len] = '\0';
    r->has_entry = false;
    if (r->on_section && r->on_section(r->arg, section, r->line, r->err) < 0)
        r->failed = true;
}

static void check_line(struct reading *r, const char *text, size_t len, size_t max_len)
{
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f) {
            REFUSE(r, "a control character (byte %zu of the line)", i + 1);
            return;
        }
    }
    if (len > max_len)
        REFUSE(r, "the line is longer than %zu bytes", max_len);
}

/* The next line without its end, as [*ret_text, + length); false at the end. */
static bool take_line(struct reading *r, const char **ret_text, size_t *ret_len)
{
    const char *newline, *line_end;

    if (r->at >= r->end)
        return false;
    newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    line_end = newline ? newline : r->end;
    if (line_end > r->at && line_end[-1] == '\r')
        line_end--;
    *ret_text = r->at;
    *ret_len = (size_t)(line_end - r->at);
    r->at = newline ? newline + 1 : r->end;
    r->line++;
    return true;
}

/* An ini_reader: works as fgets. */
static char *read_line(char *into, int into_bytes, void *stream)
{
    struct reading *r = stream;
    size_t len, blank = 0;
    size_t max_len = into_bytes - 2 < LINE_BYTES ? (size_t)into_bytes - 2 : LINE_BYTES;
    const char *text;

    if (r->awaits && !r->failed)
        REFUSE(r, "neither a [section] nor name = value");
    if (r->failed || !take_line(r, &text, &len))
        return NULL;
    while (blank < len && (text[blank] == ' ' || text[blank] == '\t'))
        blank++;
    /* An empty line or a comment: inih need not see it, and it may be of any length. */
    if (blank == len || text[blank] == ';' || text[blank] == '#')
        len = blank = 0;
    check_line(r, text, len, max_len);
    if (r->failed)
        return NULL;

    r->indented = blank > 0;
    if (len > 0 && text[blank] == '[' && !(r->indented && r->has_entry))
        meet_section(r, text + blank, len - blank);
    else
        r->awaits = len > 0;
    if (r->failed)
        return NULL;
    memcpy(into, text, len);
    into[len] = '\0';
    return into;
}

/* An ini_handler: 1 = go on.  After 0 inih reads on all the same, and the reader hands out nothing
 * more. */
#if INI_HANDLER_LINENO
static int meet_entry(void *user, const char *section, const char *name, const char *value,
                      int line)
#else
static int meet_entry(void *user, const char *section, const char *name, const char *value)
#endif
{
    struct reading *r = user;
    struct kit_ini_entry entry = {
        .section = section,
        .name = name,
        .value = value,
        .line = r->line,
        .continued = r->indented && r->has_entry,
    };

#if INI_HANDLER_LINENO
    (void)line;
#endif
    if (!name) /* inih built to announce sections */
        return 1;
    if (r->failed || !value)
        return 0; /* the reader says what is wrong */
    r->awaits = false;
    if (name[0] == '\0' || strlen(name) > NAME_BYTES) {
        REFUSE(r, "the name before '=' has 1 to %d bytes", NAME_BYTES);
        return 0;
    }
    if (r->on_entry(r->arg, &entry, r->err) < 0) {
        r->failed = true;
        return 0;
    }
    r->has_entry = true;
    return 1;
}

int kit_ini_parse(const char *text, size_t len_bytes, const char *name, kit_ini_fn on_entry,
                  kit_ini_section_fn on_section, void *arg, struct kit_err *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct reading r = {
        .at = text,
        .end = text + len_bytes,
        .name = name,
        .on_entry = on_entry,
        .on_section = on_section,
        .arg = arg,
        .err = err,
    };
    int status;

    if (len_bytes >= 3 && memcmp(text, bom, 3) == 0)
        r.at += 3;
    status = ini_parse_stream(read_line, &r, meet_entry, &r);
    if (r.awaits &&
        !r.failed) /* an inih that stops at its first error does not ask for the next line */
        REFUSE(&r, "neither a [section] nor name = value");
    if (status != 0 && !r.failed)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: inih refuses it (%d)", name, status);
    return r.failed ? -1 : 0;
}
