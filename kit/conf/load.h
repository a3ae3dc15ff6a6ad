/* kit/conf/load.h - the configuration directory: cloudvip.conf and resources.d/NAME.conf.
 *
 * One broken file must not keep another resource from failing over: what is wrong with a file is kept with it,
 * and is reported for the resources that it may concern. */
#ifndef KIT_CONF_LOAD_H
#define KIT_CONF_LOAD_H

#include "kit/conf/schema.h"

#define KIT_CONF_DIR "/etc/cloudvip"
#define KIT_CONF_FILE_BYTES (1024u * 1024)

struct kit_conf;

/* Reads all files of `dir`.  Files are checked as KIT_FILE_TRUSTED, `dir` and resources.d by kit_file_check_dir.
 * A missing `dir` or no files is no error here (settings may come from the cluster manager).  Fails only where nothing can
 * be trusted: cloudvip.conf or a directory broken (KIT_ERR_CONFIG), or SYSTEM. */
int kit_conf_load(const char *dir, struct kit_conf **ret_conf, struct kit_err *err) KIT_CHECKED;
void kit_conf_free(struct kit_conf *conf);

size_t kit_conf_count(const struct kit_conf *conf); /* resources, in order of file name, then of line */
const char *kit_conf_tag(const struct kit_conf *conf, size_t index);
size_t kit_conf_broken_count(const struct kit_conf *conf); /* files or sections that could not be used */
const struct kit_err *kit_conf_broken(const struct kit_conf *conf, size_t index);

/* A setting from elsewhere (LifeKeeper's info field, OCF_RESKEY_*) that goes before the files. */
struct kit_overlay {
    const char *key, *value, *origin;
};

/* The settings of `tag`: overlay, then its section, then [defaults], then the built-in defaults.  Unknown keys in the
 * overlay are errors.  KIT_ERR_CONFIG: no such tag (and no overlay): names the tags that there are; the tag is there twice; its
 * section is broken; or it was not found and a file is broken. */
int kit_conf_settings(const struct kit_conf *conf, const char *tag, const struct kit_overlay *overlay,
                      size_t overlay_count, struct kit_settings *ret_settings,
                      struct kit_err *err) KIT_CHECKED;

/* The overlay of LifeKeeper's info field: words `key=value` separated by white space.  A comma or control character
 * in it, a word without '=', a repeated key: KIT_ERR_CONFIG.  Lists use ';' there. */
int kit_conf_parse_words(const char *text, const char *origin, struct kit_overlay **ret_overlay,
                         size_t *ret_count, struct kit_err *err) KIT_CHECKED;
void kit_conf_words_free(struct kit_overlay *overlay, size_t count);

#endif
