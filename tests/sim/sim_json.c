#include "sim_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_object *sim_json_get(const struct json_object *object, const char *key)
{
    struct json_object *value = NULL;

    if (!object || !json_object_is_type(object, json_type_object) ||
        !json_object_object_get_ex(object, key, &value))
        return NULL;
    return value;
}

const char *sim_json_str(const struct json_object *object, const char *key)
{
    struct json_object *value = sim_json_get(object, key);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

bool sim_json_bool(const struct json_object *object, const char *key, bool otherwise)
{
    struct json_object *value = sim_json_get(object, key);

    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value)
                                                         : otherwise;
}

int64_t sim_json_int(const struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *value = sim_json_get(object, key);

    return json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : otherwise;
}

double sim_json_num(const struct json_object *object, const char *key, double otherwise)
{
    struct json_object *value = sim_json_get(object, key);

    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return otherwise;
    return json_object_get_double(value);
}

struct json_object *sim_json_array(const struct json_object *object, const char *key)
{
    struct json_object *value = sim_json_get(object, key);

    return json_object_is_type(value, json_type_array) ? value : NULL;
}

size_t sim_json_len(const struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static void set(struct json_object *object, const char *key, struct json_object *value)
{
    if (!value || json_object_object_add(object, key, value)) {
        fprintf(stderr, "cloudsim: out of memory\n");
        abort();
    }
}

void sim_json_set_str(struct json_object *object, const char *key, const char *value)
{
    set(object, key, json_object_new_string(value));
}

void sim_json_set_bool(struct json_object *object, const char *key, bool value)
{
    set(object, key, json_object_new_boolean(value));
}

void sim_json_set_int(struct json_object *object, const char *key, int64_t value)
{
    set(object, key, json_object_new_int64(value));
}

struct json_object *sim_json_find(struct json_object *array, const char *key, const char *value)
{
    struct json_object *element;

    if (!*value)
        return NULL;
    SIM_JSON_EACH(element, array)
    if (!strcmp(sim_json_str(element, key), value))
        return element;
    return NULL;
}

static size_t index_of_text(const struct json_object *array, const char *text)
{
    size_t len = sim_json_len(array), i;

    for (i = 0; i < len; i++) {
        struct json_object *element = json_object_array_get_idx(array, i);

        if (json_object_is_type(element, json_type_string) &&
            !strcmp(json_object_get_string(element), text))
            break;
    }
    return i;
}

bool sim_json_has(const struct json_object *array, const char *text)
{
    return index_of_text(array, text) < sim_json_len(array);
}

void sim_json_remove(struct json_object *array, const struct json_object *element)
{
    size_t len = sim_json_len(array);

    for (size_t i = 0; i < len; i++) {
        if (json_object_array_get_idx(array, i) == element) {
            json_object_array_del_idx(array, i, 1);
            return;
        }
    }
}

void sim_json_remove_text(struct json_object *array, const char *text)
{
    size_t i = index_of_text(array, text);

    if (i < sim_json_len(array))
        json_object_array_del_idx(array, i, 1);
}

struct json_object *sim_json_copy(struct json_object *tree)
{
    struct json_object *copy = NULL;

    if (tree && json_object_deep_copy(tree, &copy, NULL)) {
        fprintf(stderr, "cloudsim: out of memory\n");
        abort();
    }
    return copy;
}
