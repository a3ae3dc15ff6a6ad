/* kit/conf/load.h - the configuration directory: cloudvip.conf and resources.d/NAME.conf.
 *
 * One broken file must not keep another resource from failing over: what is wrong with a file is
 * kept with it, and is reported for the resources that it may concern. */
#ifndef KIT_CONF_LOAD_H
#define KIT_CONF_LOAD_H

#include "kit/conf/schema.h"

#define KIT_CONF_DIR        "/etc/cloudvip"
#define KIT_CONF_FILE_BYTES (1024u * 1024)

struct kit_conf;

/* Reads all files of `dir`.  Files are checked as KIT_FILE_TRUSTED, `dir` and resources.d by
 * kit_file_check_dir. A missing `dir` or no files is no error here (settings may come from the
 * cluster manager).  Fails only where nothing can be trusted: cloudvip.conf or a directory broken
 * (KIT_ERR_CONFIG), or SYSTEM. */
int kit_conf_load(const char *dir, struct kit_conf **ret_conf, struct kit_err *err) KIT_CHECKED;
void kit_conf_free(struct kit_conf *conf);

size_t kit_conf_count(
    const struct kit_conf *conf); /* resources, in order of file name, then of line */
const char *kit_conf_tag(const struct kit_conf *conf, size_t index);
size_t kit_conf_broken_count(
    const struct kit_conf *conf); /* files or sections that could not be used */
const struct kit_err *kit_conf_broken(const struct kit_conf *conf, size_t index);

/* The parser without the reading: an empty configuration, and the text of one file put into it.
 * `name` is its path in messages; the text need not end in a NUL.  Fails (KIT_ERR_CONFIG) only for
 * KIT_CONF_MAIN: a line that is no INI, or a [defaults] that cannot be used; everything else is
 * kept with the section or file it is in. */
enum kit_conf_kind {
    KIT_CONF_MAIN,     /* cloudvip.conf: [defaults], and resources */
    KIT_CONF_RESOURCE, /* a file of resources.d: no [defaults] */
};
struct kit_conf *kit_conf_new(void);
int kit_conf_add_text(struct kit_conf *conf, enum kit_conf_kind kind, const char *name,
                      const char *text, size_t len_bytes, struct kit_err *err) KIT_CHECKED;

/* A setting from elsewhere (LifeKeeper's info field, OCF_RESKEY_*) that goes before the files. */
struct kit_overlay {
    const char *key, *value, *origin;
};

/* The settings of `tag`: overlay, then its section, then [defaults], then the built-in defaults.
 * Unknown keys in the overlay are errors.  KIT_ERR_CONFIG: no such tag and no overlay (names the
 * tags that there are, or the first broken file, which may have held it); the tag is there twice;
 * its section or file is broken.  With an overlay a broken file that does not show the tag is no
 * obstacle.  `tag` NULL: no resource, [defaults] and the overlay alone.  The caller ends
 * *ret_settings with kit_settings_done. */
int kit_conf_settings(const struct kit_conf *conf, const char *tag,
                      const struct kit_overlay *overlay, size_t overlay_count,
                      struct kit_settings *ret_settings, struct kit_err *err) KIT_CHECKED;

/* In check.c.  The overlay of LifeKeeper's info field: words `key=value` separated by spaces.  A
 * comma or control character (a tab too) in it, a word without '=', a repeated key, more than
 * KIT_CONF_WORDS_BYTES: KIT_ERR_CONFIG; no message shows a value. Lists use ';' there.  Nothing but
 * spaces: no overlay (NULL, 0).  Strings live as long as the overlay; `origin` is copied. */
#define KIT_CONF_WORDS_BYTES 8192u /* all parameters with long values take less than half of it */
int kit_conf_parse_words(const char *text, const char *origin, struct kit_overlay **ret_overlay,
                         size_t *ret_count, struct kit_err *err) KIT_CHECKED;
void kit_conf_words_free(struct kit_overlay *overlay, size_t count);

#endif
