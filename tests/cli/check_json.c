/* check_json FILE KEY[=VALUE]…: one JSON object that has these members. Guards: hand-made JSON that
 * no parser takes, members that vanish. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int check_member(const json_t *object, char *word) {
    char *value = strchr(word, '='), text[64];
    if (value)
        *value++ = '\0';
    const json_t *member = json_object_get(object, word);
    if (!member) {
        printf("no member \"%s\"\n", word);
        return 1;
    }
    if (json_is_number(member))
        snprintf(text, sizeof text, "%.9g", json_number_value(member));
    const char *have = json_is_string(member) ? json_string_value(member) : text;
    if (value && strcmp(have, value) != 0) {
        printf("\"%s\" is \"%s\", not \"%s\"\n", word, have, value);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    json_error_t error;
    int failed = 0;
    json_t *object = argc > 1 ? json_load_file(argv[1], JSON_REJECT_DUPLICATES, &error) : NULL;
    if (!object || !json_is_object(object)) {
        printf("%s: no JSON object: line %d: %s\n", argv[1], error.line, error.text);
        return 1;
    }
    for (int i = 2; i < argc; i++)
        failed |= check_member(object, argv[i]);
    json_decref(object);
    return failed;
}
