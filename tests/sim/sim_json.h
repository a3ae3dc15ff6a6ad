/*
 * Reading and changing json-c trees without ceremony. A missing member and one of another type
 * are the same thing: the default. Everything returned is borrowed from the tree.
 */
#ifndef SIM_JSON_H
#define SIM_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* "" if there is no such string. */
const char *sim_json_str(const struct json_object *object, const char *key);
bool sim_json_bool(const struct json_object *object, const char *key, bool otherwise);
int64_t sim_json_int(const struct json_object *object, const char *key, int64_t otherwise);
double sim_json_num(const struct json_object *object, const char *key, double otherwise);
/* NULL if there is no such member (or no such array). */
struct json_object *sim_json_get(const struct json_object *object, const char *key);
struct json_object *sim_json_array(const struct json_object *object, const char *key);
size_t sim_json_len(const struct json_object *array); /* 0 for NULL */

void sim_json_set_str(struct json_object *object, const char *key, const char *value);
void sim_json_set_bool(struct json_object *object, const char *key, bool value);
void sim_json_set_int(struct json_object *object, const char *key, int64_t value);

/* The first element whose string `key` is `value`. */
struct json_object *sim_json_find(struct json_object *array, const char *key, const char *value);
bool sim_json_has(const struct json_object *array, const char *text);
/* Takes the element out of the array; its memory is released. */
void sim_json_remove(struct json_object *array, const struct json_object *element);
void sim_json_remove_text(struct json_object *array, const char *text);
struct json_object *sim_json_copy(struct json_object *tree);

static inline void sim_json_auto(struct json_object **tree)
{
    json_object_put(*tree);
}
#define SIM_AUTO_JSON __attribute__((cleanup(sim_json_auto))) struct json_object

/* Elements of an array, which may be NULL; the array must not change meanwhile. */
#define SIM_JSON_EACH(element, array)                                                              \
    for (size_t element##_i = 0, element##_n = sim_json_len(array);                                \
         element##_i < element##_n &&                                                              \
         ((element = json_object_array_get_idx(array, element##_i)), true);                        \
         element##_i++)

#endif
