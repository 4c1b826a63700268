#include "tuner/yaml.h"

#include "tuner/utf8.h"
#include "tuner/yaml_scalar.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    YAML_BYTES_MAX = 1 << 20,
    YAML_DEPTH_MAX = 32,
    YAML_ENTRIES_MAX = 512 /* of a mapping: keeps the search for duplicate keys short */
};

/* ---- The tree ---- */

static struct yaml *node_new(enum yaml_type type, yaml_mark_t mark)
{
    struct yaml *node = xcalloc(1, sizeof *node);
    node->type = type;
    node->line = (int)mark.line + 1;
    node->column = (int)mark.column + 1;
    return node;
}

void yaml_tree_free(struct yaml *yaml)
{
    if (!yaml) {
        return;
    }
    for (size_t i = 0; i < yaml->count; i++) {
        yaml_tree_free(yaml->items[i]);
        if (yaml->keys) {
            yaml_tree_free(yaml->keys[i]);
        }
    }
    free(yaml->items);
    free(yaml->keys);
    free(yaml->text);
    free(yaml);
}

struct yaml *yaml_get(const struct yaml *map, const char *key)
{
    for (size_t i = 0; map->keys && i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return map->items[i];
        }
    }
    return NULL;
}

const char *yaml_type_name(enum yaml_type type)
{
    static const char *const names[] = {
        [YAML_NULL] = "nothing", [YAML_BOOL] = "true or false", [YAML_INT] = "an integer",
        [YAML_FLOAT] = "a number", [YAML_STRING] = "a text",    [YAML_LIST] = "a list",
        [YAML_MAP] = "a mapping",
    };
    return names[type];
}

int yaml_fail(const char *file, const struct yaml *at, struct failure *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    fail_input(why, "%s:%d:%d: error: %s", file, at->line, at->column, text);
    free(text);
    return -1;
}

/* ---- Bytes ---- */

/* YAML's printable characters (section 5.1); a byte order mark only stands first. */
static bool is_printable(uint32_t c)
{
    bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    return !(control || (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xfeff || c == 0xfffe ||
             c == 0xffff);
}

/* libyaml would find most of these too, but could not tell the place. */
static int check_bytes(const char *file, const char *bytes, size_t size, struct failure *why)
{
    struct yaml at = {.line = 1, .column = 1};
    for (size_t i = 0; i < size;) {
        const unsigned char *byte = (const unsigned char *)bytes + i;
        uint32_t character = 0;
        size_t length = utf8_decode(byte, size - i, &character);
        if (length == 0) {
            return yaml_fail(file, &at, why,
                             "byte 0x%02x is not valid UTF-8; save the file as UTF-8", *byte);
        }
        if (!is_printable(character)) {
            return yaml_fail(file, &at, why, "control character 0x%02x; a study is a text file",
                             (unsigned)character);
        }
        at.line += character == '\n';
        at.column = character == '\n' ? 1 : at.column + 1;
        i += length;
    }
    return 0;
}

/* ---- Reading ---- */

struct reader {
    const char *file;
    const char *bytes;
    size_t size;
    yaml_parser_t parser;
    int depth;
    struct failure *why;
};

static int fail_mark(struct reader *reader, yaml_mark_t mark, const char *text)
{
    struct yaml at = {.line = (int)mark.line + 1, .column = (int)mark.column + 1};
    return yaml_fail(reader->file, &at, reader->why, "%s", text);
}

/* Whether the white space that a line begins with has a tab in it. */
static bool line_has_tab(const struct reader *reader, size_t line)
{
    const char *at = reader->bytes;
    const char *end = at + reader->size;
    for (size_t i = 0; i < line && at; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ') {
        at++;
    }
    return at && at < end && *at == '\t';
}

static int fail_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (line_has_tab(reader, parser->problem_mark.line)) {
        return fail_mark(reader, parser->problem_mark, "a tab cannot indent; use spaces");
    }
    char *text = parser->context
                     ? xasprintf("not YAML: %s (%s from line %zu)", parser->problem,
                                 parser->context, parser->context_mark.line + 1)
                     : xasprintf("not YAML: %s", parser->problem);
    fail_mark(reader, parser->problem_mark, text);
    free(text);
    return -1;
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
    return yaml_parser_parse(&reader->parser, event) ? 0 : fail_syntax(reader);
}

static struct yaml *read_node(struct reader *reader, const yaml_event_t *event);

/* Reads the next node, or sets *ended when `end` comes instead. */
static struct yaml *read_next(struct reader *reader, yaml_event_type_t end, bool *ended)
{
    yaml_event_t event;
    struct yaml *node = NULL;
    *ended = false;
    if (next_event(reader, &event) != 0) {
        return NULL;
    }
    if (event.type == end) {
        *ended = true;
    } else {
        node = read_node(reader, &event);
    }
    yaml_event_delete(&event);
    return node;
}

static struct yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct yaml *node = node_new(YAML_STRING, event->start_mark);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = xstrndup((const char *)event->data.scalar.value, event->data.scalar.length);
    if (strlen(node->text) != event->data.scalar.length) {
        fail_mark(reader, event->start_mark, "a text with a zero character in it");
    } else if (!yaml_scalar_resolve(node)) {
        char *text = xasprintf("`%.40s` is no number that can be used", node->text);
        fail_mark(reader, event->start_mark, text);
        free(text);
    } else {
        return node;
    }
    yaml_tree_free(node);
    return NULL;
}

/* Makes room for one more at powers of two. */
static struct yaml **grow(struct yaml **array, size_t count)
{
    bool full = (count & (count - 1)) == 0;
    return full ? xreallocarray(array, count == 0 ? 1 : 2 * count, sizeof *array) : array;
}

static int read_items(struct reader *reader, struct yaml *list)
{
    for (;;) {
        bool ended;
        struct yaml *item = read_next(reader, YAML_SEQUENCE_END_EVENT, &ended);
        if (!item) {
            return ended ? 0 : -1;
        }
        list->items = grow(list->items, list->count);
        list->items[list->count++] = item;
    }
}

static int check_key(struct reader *reader, const struct yaml *map, const struct yaml *key)
{
    if (key->type == YAML_LIST || key->type == YAML_MAP) {
        return yaml_fail(reader->file, key, reader->why, "a key must be a word, not %s",
                         yaml_type_name(key->type));
    }
    if (map->count == YAML_ENTRIES_MAX) {
        return yaml_fail(reader->file, key, reader->why, "a mapping has at most %d entries",
                         YAML_ENTRIES_MAX);
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key->text) == 0) {
            return yaml_fail(reader->file, key, reader->why,
                             "duplicate key `%.60s`; it stands in line %d already", key->text,
                             map->keys[i]->line);
        }
    }
    return 0;
}

static int read_entries(struct reader *reader, struct yaml *map)
{
    for (;;) {
        bool ended;
        struct yaml *key = read_next(reader, YAML_MAPPING_END_EVENT, &ended);
        if (!key) {
            return ended ? 0 : -1;
        }
        struct yaml *value = check_key(reader, map, key) == 0
                                 ? read_next(reader, YAML_NO_EVENT, &ended)
                                 : NULL;
        if (!value) {
            yaml_tree_free(key);
            return -1;
        }
        map->keys = grow(map->keys, map->count);
        map->items = grow(map->items, map->count);
        map->keys[map->count] = key;
        map->items[map->count++] = value;
    }
}

static struct yaml *read_collection(struct reader *reader, const yaml_event_t *event)
{
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    if (reader->depth == YAML_DEPTH_MAX) {
        fail_mark(reader, event->start_mark, "nested more than 32 levels deep");
        return NULL;
    }
    struct yaml *node = node_new(is_list ? YAML_LIST : YAML_MAP, event->start_mark);
    reader->depth++;
    int failed = is_list ? read_items(reader, node) : read_entries(reader, node);
    reader->depth--;
    if (failed) {
        yaml_tree_free(node);
        return NULL;
    }
    return node;
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return event->type == YAML_ALIAS_EVENT;
    }
}

static struct yaml *read_node(struct reader *reader, const yaml_event_t *event)
{
    if (has_anchor_or_tag(event)) {
        fail_mark(reader, event->start_mark,
                  "anchors (&), aliases (*) and tags (!) are not allowed; write the value out");
        return NULL;
    }
    return event->type == YAML_SCALAR_EVENT ? read_scalar(reader, event)
                                            : read_collection(reader, event);
}

/* ---- The document ---- */

/* Passes over one event of the stream; *type says which one it was. */
static int skip_event(struct reader *reader, yaml_event_type_t *type, yaml_mark_t *mark)
{
    yaml_event_t event;
    if (next_event(reader, &event) != 0) {
        return -1;
    }
    *type = event.type;
    *mark = event.start_mark;
    yaml_event_delete(&event);
    return 0;
}

static struct yaml *read_document(struct reader *reader)
{
    yaml_event_type_t type;
    yaml_mark_t mark;
    bool ended;
    if (skip_event(reader, &type, &mark) != 0 || skip_event(reader, &type, &mark) != 0) {
        return NULL;
    }
    if (type == YAML_STREAM_END_EVENT) {
        fail_mark(reader, (yaml_mark_t){0, 0, 0}, "the file is empty");
        return NULL;
    }
    struct yaml *root = read_next(reader, YAML_NO_EVENT, &ended);
    if (!root) {
        return NULL;
    }
    if (skip_event(reader, &type, &mark) == 0 && skip_event(reader, &type, &mark) == 0) {
        if (type == YAML_STREAM_END_EVENT) {
            return root;
        }
        fail_mark(reader, mark, "a second document; a file holds one study");
    }
    yaml_tree_free(root);
    return NULL;
}

struct yaml *yaml_parse(const char *file, const char *bytes, size_t size, struct failure *why)
{
    struct yaml start = {.line = 1, .column = 1};
    if (size > YAML_BYTES_MAX) {
        yaml_fail(file, &start, why, "larger than 1 MiB");
        return NULL;
    }
    size_t mark = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct reader reader = {.file = file, .bytes = bytes + mark, .size = size - mark, .why = why};
    if (check_bytes(file, reader.bytes, reader.size, why) != 0) {
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser)) {
        fail(why, "%s: no memory to read it", file);
        return NULL;
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.bytes, reader.size);
    struct yaml *root = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    return root;
}
