#include "tuner/place.h"

#include "common/schema.h"

#include <stdlib.h>
#include <string.h>

/* A node on the way, and whose value it is where the schema knows. */
struct place {
    const struct yaml *node;
    const struct setting *setting;
    bool is_item; /* one of the list that the setting is, written `conv: {...}` */
};

/* A study's other keys (`data`, `search`) are not the schema's to know. */
static const struct setting study_setting = {
    .name = "study", .type = SETTING_SECTION, .section = &schema_configuration};

/* From `conv: {...}` to its settings, which are below its name. */
static const struct section *enter_item(struct place *place)
{
    const struct yaml *item = place->node;
    if (item->type != YAML_MAP || item->count != 1) {
        return NULL;
    }
    place->node = item->items[0];
    return section_find(place->setting->list, item->keys[0]->text);
}

/* The section whose settings stand below the place, which moves there; NULL: not known. */
static const struct section *enter_section(struct place *place)
{
    if (place->is_item) {
        return enter_item(place);
    }
    if (place->setting && place->setting->type == SETTING_CHOICE) {
        const struct yaml *type = yaml_get(place->node, "type");
        return type && type->text ? section_find(place->setting->list, type->text) : NULL;
    }
    return place->setting ? place->setting->section : NULL;
}

/* Goes to the entry `key`, or to the key itself where that is the fault. */
static bool enter_entry(struct place *place, const struct section *section, const char *key)
{
    const struct yaml *map = place->node;
    const struct setting *setting = section ? setting_find(section, key) : NULL;
    bool known = !section || setting || place->setting == &study_setting;
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            *place = (struct place){known ? map->items[i] : map->keys[i], setting, false};
            return known;
        }
    }
    return false;
}

static bool enter_key(struct place *place, const char *key)
{
    if (place->is_item && strcmp(key, "type") == 0) {
        return false; /* an item's type is its name, where it begins */
    }
    const struct section *section = enter_section(place);
    if (place->node->type == YAML_MAP) {
        return enter_entry(place, section, key);
    }
    if (!section || !section->shorthand || strcmp(section->shorthand, key) != 0) {
        return false;
    }
    *place = (struct place){place->node, setting_find(section, key), false};
    return true;
}

static bool enter_index(struct place *place, size_t index)
{
    if (place->node->type != YAML_LIST || index >= place->node->count) {
        return false;
    }
    bool is_item = place->setting && place->setting->type == SETTING_LIST;
    *place = (struct place){place->node->items[index], is_item ? place->setting : NULL, is_item};
    return true;
}

/* Goes by the step that `where` begins with, ".key" or "[index]", and past it. */
static bool enter_step(struct place *place, const char **where)
{
    if (**where == '[') {
        char *end;
        size_t index = strtoul(*where + 1, &end, 10);
        *where = *end == ']' ? end + 1 : end;
        return enter_index(place, index);
    }
    *where += **where == '.';
    size_t length = strcspn(*where, ".[");
    char *key = xstrndup(*where, length);
    bool entered = enter_key(place, key);
    free(key);
    *where += length;
    return entered;
}

const struct yaml *place_find(const struct yaml *document, const char *where)
{
    struct place place = {document, &study_setting, false};
    bool entered = true;
    while (entered && where && *where) {
        entered = enter_step(&place, &where);
    }
    return place.node;
}
