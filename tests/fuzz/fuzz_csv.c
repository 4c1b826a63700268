/* After a byte that says what is known of the images' size, the bytes are a CSV file: with
 * labels to train on, or without, to be predicted. */
#include "tests/fuzz/fuzz.h"

#include "trainer/data_csv.h"

#include <stdlib.h>

enum { KNOWN_SIZE = 1, NO_LABELS = 2, HEIGHT = 2, WIDTH = 3 };

static void read_images(const char *path)
{
    struct failure why = FAILURE_NONE;
    struct image_set set = {0};
    bool accepted = data_csv_read_images(path, HEIGHT, WIDTH, &set, &why) == 0;
    fuzz_judge(accepted, &why);
    fuzz_expect(!accepted || (set.count > 0 && !set.labels), "there are images, without labels");
    free(set.pixels);
    free(set.labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input);
    const char *path = fuzz_file(input.at, input.left);
    if (form & NO_LABELS) {
        read_images(path);
        return 0;
    }
    json_t *data = json_pack("{s:s, s:s}", "dataset", "csv", "folder", path);
    if (form & KNOWN_SIZE) {
        json_object_set_new(data, "height", json_integer(HEIGHT));
        json_object_set_new(data, "width", json_integer(WIDTH));
    }
    fuzz_load(data);
    return 0;
}
