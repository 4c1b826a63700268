#include "tuner/expression.h"

#include "tuner/number.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXPRESSION_DEPTH_MAX = 64, NAME_MAX_SHOWN = 60 };

/* Reads and evaluates in one pass.  With `visit` it only reads: nothing is
 * evaluated, and the numbers that are handed on mean nothing. */
struct parser {
    const char *text;
    size_t at;
    int depth;
    const json_t *values;
    int classes;
    expression_visit *visit;
    void *context;
    size_t *offset;
    struct failure *why;
};

/* ---- Which texts are expressions ---- */

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t name_length(const char *at)
{
    size_t length = 0;
    while (is_name_character(at[length])) {
        length++;
    }
    return length;
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; *at;) {
        size_t found = name_length(at);
        if (found == length && strncmp(at, word, length) == 0) {
            return true;
        }
        at += found > 0 ? found : 1;
    }
    return false;
}

static bool begins_with_call(const char *text)
{
    size_t length = name_length(text);
    bool known = length == 3 && (strncmp(text, "min", 3) == 0 || strncmp(text, "max", 3) == 0);
    return known && text[length + strspn(text + length, " ")] == '(';
}

bool expression_refers(const char *text)
{
    return strchr(text, '$') || has_word(text, "classes");
}

bool expression_is(const char *text)
{
    bool arithmetic = isdigit((unsigned char)*text) || (*text != '\0' && strchr("(-.", *text));
    return arithmetic || begins_with_call(text) || expression_refers(text);
}

/* ---- Failing ---- */

static int fail_from(struct parser *parser, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail_from(struct parser *parser, size_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    *parser->offset = offset;
    fail_input(parser->why, "%s", text);
    free(text);
    return -1;
}

/* *left = *left OPERATOR right, unless the text is only read. */
static int apply(struct parser *parser, size_t offset, enum operation operation,
                 struct number *left, struct number right)
{
    const char *complaint = parser->visit ? NULL : number_apply(operation, left, right);
    return complaint ? fail_from(parser, offset, "%s", complaint) : 0;
}

/* ---- Reading ---- */

static void skip_space(struct parser *parser)
{
    parser->at += strspn(parser->text + parser->at, " \t\r\n");
}

/* Whether the next character is `c`; passes over it. */
static bool accept(struct parser *parser, char c)
{
    skip_space(parser);
    bool found = parser->text[parser->at] == c;
    parser->at += found;
    return found;
}

static int fail_unexpected(struct parser *parser)
{
    const char *at = parser->text + parser->at;
    if (*at == '\0') {
        return fail_from(parser, parser->at, "the expression ends too early");
    }
    int length = 1;
    while (((unsigned char)at[length] & 0xc0) == 0x80) { /* the rest of a UTF-8 character */
        length++;
    }
    return fail_from(parser, parser->at, "unexpected `%.*s` in an expression", length, at);
}

static int read_literal(struct parser *parser, struct number *result)
{
    const char *start = parser->text + parser->at;
    size_t length = strspn(start, "0123456789");
    bool is_integer = start[length] != '.' && start[length] != 'e' && start[length] != 'E';
    char *end;
    errno = 0;
    if (is_integer) {
        *result = number_integer(strtoll(start, &end, 10));
    } else {
        *result = number_real(strtod(start, &end));
    }
    if (end == start) {
        return fail_unexpected(parser);
    }
    if ((is_integer && errno == ERANGE) || !isfinite(result->real)) {
        return fail_from(parser, parser->at, "the number %.*s is too large",
                         (int)(end - start < NAME_MAX_SHOWN ? end - start : NAME_MAX_SHOWN), start);
    }
    parser->at += (size_t)(end - start);
    return 0;
}

/* Reads the name after a $; the caller frees it. */
static char *read_name(struct parser *parser)
{
    const char *start = parser->text + parser->at + 1;
    if (!isalpha((unsigned char)*start)) {
        fail_from(parser, parser->at, "a $ must be followed by a parameter's name");
        return NULL;
    }
    size_t length = name_length(start);
    parser->at += 1 + length;
    return xstrndup(start, length);
}

static int number_of(struct parser *parser, size_t offset, const char *name, struct number *result)
{
    const json_t *value = json_object_get(parser->values, name);
    if (!value) {
        return fail_from(parser, offset, "there is no parameter `%.*s`", NAME_MAX_SHOWN, name);
    }
    if (json_is_boolean(value)) {
        *result = number_integer(json_is_true(value));
        return 0;
    }
    if (!json_is_number(value)) {
        return fail_from(parser, offset, "`$%s` is a text; arithmetic needs a number", name);
    }
    *result = json_is_integer(value) ? number_integer(json_integer_value(value))
                                     : number_real(json_real_value(value));
    return 0;
}

static int read_parameter(struct parser *parser, struct number *result)
{
    size_t offset = parser->at;
    char *name = read_name(parser);
    int status = -1;
    if (name && parser->visit) {
        parser->visit(parser->context, name, offset);
        status = 0;
    } else if (name) {
        status = number_of(parser, offset, name, result);
    }
    free(name);
    return status;
}

static int read_sum(struct parser *parser, struct number *result);

/* The arguments of min and max, from the opening parenthesis on. */
static int read_call(struct parser *parser, bool is_min, struct number *result)
{
    if (!accept(parser, '(')) {
        return fail_unexpected(parser);
    }
    if (read_sum(parser, result) != 0) {
        return -1;
    }
    while (accept(parser, ',')) {
        struct number next;
        if (read_sum(parser, &next) != 0) {
            return -1;
        }
        if (is_min ? next.real < result->real : next.real > result->real) {
            *result = next;
        }
    }
    return accept(parser, ')') ? 0 : fail_unexpected(parser);
}

static int read_word(struct parser *parser, struct number *result)
{
    size_t offset = parser->at;
    const char *word = parser->text + offset;
    size_t length = name_length(word);
    parser->at += length;
    if (length == 3 && (strncmp(word, "min", 3) == 0 || strncmp(word, "max", 3) == 0)) {
        return read_call(parser, word[1] == 'i', result);
    }
    if (length == strlen("classes") && strncmp(word, "classes", length) == 0) {
        *result = number_integer(parser->classes);
        return parser->classes > 0 || parser->visit
                   ? 0
                   : fail_from(parser, offset, "the number of classes is not known yet");
    }
    int shown = (int)(length < NAME_MAX_SHOWN ? length : NAME_MAX_SHOWN);
    return fail_from(parser, offset, "unknown word `%.*s`; a parameter is written `$%.*s`", shown,
                     word, shown, word);
}

static int read_primary(struct parser *parser, struct number *result)
{
    skip_space(parser);
    char c = parser->text[parser->at];
    if (accept(parser, '(')) {
        if (read_sum(parser, result) != 0) {
            return -1;
        }
        return accept(parser, ')') ? 0 : fail_unexpected(parser);
    }
    if (c == '$') {
        return read_parameter(parser, result);
    }
    if (isalpha((unsigned char)c)) {
        return read_word(parser, result);
    }
    return isdigit((unsigned char)c) || c == '.' ? read_literal(parser, result)
                                                 : fail_unexpected(parser);
}

/* Every level of nesting goes through here, so here it is bounded. */
static int read_unary(struct parser *parser, struct number *result)
{
    skip_space(parser);
    size_t offset = parser->at;
    if (parser->depth == EXPRESSION_DEPTH_MAX) {
        return fail_from(parser, offset, "nested more than %d levels deep", EXPRESSION_DEPTH_MAX);
    }
    int status;
    parser->depth++;
    *result = number_integer(0);
    if (accept(parser, '-')) {
        struct number operand;
        status = read_unary(parser, &operand);
        status = status == 0 ? apply(parser, offset, NUMBER_SUBTRACT, result, operand) : -1;
    } else {
        status = read_primary(parser, result);
    }
    parser->depth--;
    return status;
}

/* The operator of a product that comes next, if any; passes over it. */
static bool accept_product(struct parser *parser, enum operation *operation)
{
    if (accept(parser, '*')) {
        *operation = NUMBER_MULTIPLY;
    } else if (accept(parser, '%')) {
        *operation = NUMBER_REMAINDER;
    } else if (accept(parser, '/')) {
        bool twice = parser->text[parser->at] == '/';
        parser->at += twice;
        *operation = twice ? NUMBER_FLOOR_DIVIDE : NUMBER_DIVIDE;
    } else {
        return false;
    }
    return true;
}

static bool accept_sum(struct parser *parser, enum operation *operation)
{
    *operation = accept(parser, '+') ? NUMBER_ADD : NUMBER_SUBTRACT;
    return *operation == NUMBER_ADD || accept(parser, '-');
}

/* OPERAND { OPERATOR OPERAND }, from left to right. */
static int read_chain(struct parser *parser, struct number *result,
                      int (*read_operand)(struct parser *, struct number *),
                      bool (*accept_operator)(struct parser *, enum operation *))
{
    if (read_operand(parser, result) != 0) {
        return -1;
    }
    skip_space(parser);
    size_t offset = parser->at;
    enum operation operation;
    while (accept_operator(parser, &operation)) {
        struct number right;
        if (read_operand(parser, &right) != 0 ||
            apply(parser, offset, operation, result, right) != 0) {
            return -1;
        }
        skip_space(parser);
        offset = parser->at;
    }
    return 0;
}

static int read_product(struct parser *parser, struct number *result)
{
    return read_chain(parser, result, read_unary, accept_product);
}

static int read_sum(struct parser *parser, struct number *result)
{
    return read_chain(parser, result, read_product, accept_sum);
}

static int read_whole(struct parser *parser, struct number *result)
{
    if (read_sum(parser, result) != 0) {
        return -1;
    }
    skip_space(parser);
    return parser->text[parser->at] == '\0' ? 0 : fail_unexpected(parser);
}

/* ---- The two questions ---- */

/* The value that the text stands for when it is one $name and nothing else. */
static json_t *value_of_name(const char *text, const json_t *values)
{
    const char *start = text + strspn(text, " \t\r\n");
    size_t length = *start == '$' ? name_length(start + 1) : 0;
    if (length == 0 || start[1 + length + strspn(start + 1 + length, " \t\r\n")] != '\0') {
        return NULL;
    }
    char *name = xstrndup(start + 1, length);
    json_t *value = json_object_get(values, name);
    free(name);
    return value;
}

json_t *expression_evaluate(const char *text, const json_t *values, int classes, size_t *offset,
                            struct failure *why)
{
    struct parser parser = {.text = text, .values = values, .classes = classes,
                            .offset = offset, .why = why};
    json_t *value = value_of_name(text, values);
    struct number result;
    if (value) {
        return json_incref(value);
    }
    if (read_whole(&parser, &result) != 0) {
        return NULL;
    }
    return result.is_integer ? json_integer(result.integer) : json_real(result.real);
}

static void visit_nothing(void *context, const char *name, size_t offset)
{
    (void)context;
    (void)name;
    (void)offset;
}

int expression_names(const char *text, expression_visit *visit, void *context, size_t *offset,
                     struct failure *why)
{
    struct parser parser = {.text = text, .visit = visit ? visit : visit_nothing,
                            .context = context, .offset = offset, .why = why};
    struct number result;
    return read_whole(&parser, &result);
}
