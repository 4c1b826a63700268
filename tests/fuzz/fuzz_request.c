/* The bytes are lines that a program says to the daemon. */
#include "tests/fuzz/fuzz.h"

#include "tuner/name.h"
#include "tuner/requests.h"

#include <string.h>

static void check_submission(const struct submission *submission)
{
    fuzz_expect(submission->file && submission->file[0] == '/', "a study's path is absolute");
    fuzz_expect(submission->text && strlen(submission->text) <= submission->size,
                "a study's text is there");
    fuzz_expect(!submission->name || name_is_valid(submission->name), "its name is valid");
    fuzz_expect(!(submission->fresh && submission->extend), "it is anew or goes on");
}

/* What is said about a line can be said as JSON. */
static void check_refusal(const struct failure *why)
{
    json_t *answer = request_refusal(why);
    fuzz_expect(json_is_false(json_object_get(answer, "ok")) &&
                json_is_string(json_object_get(answer, "error")), "a refusal can be sent");
    json_decref(answer);
}

static void read_line(const char *line, size_t length)
{
    struct failure why = FAILURE_NONE;
    struct request request;
    bool accepted = request_parse(line, length, &request, &why) == 0;
    if (!accepted)
        check_refusal(&why);
    fuzz_judge(accepted, &why);
    if (!accepted)
        return;
    fuzz_expect(!request.study || name_is_valid(request.study), "a study's name is valid");
    if (request.type == REQUEST_SUBMIT)
        check_submission(&request.submission);
    if (request.type == REQUEST_ASK || request.type == REQUEST_TELL)
        fuzz_expect(request.study != NULL, "who asks and tells names the study");
    request_release(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const uint8_t *newline = memchr(bytes, '\n', size);
        size_t length = newline ? (size_t)(newline - bytes) : size;
        read_line((const char *)bytes, length);
        bytes += length + (newline != NULL);
        size -= length + (newline != NULL);
    }
    return 0;
}
