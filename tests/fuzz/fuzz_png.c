/* After a byte that says what is done with it, the bytes are a PNG file.  The sums of its
 * chunks are made right first, since no mutation would guess them, unless the byte forbids. */
#include "tests/folder_remove.h"
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "trainer/data_png.h"
#include "trainer/digit.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CHANNELS = 3, LAYOUT_SHIFT = 2, LAYOUTS = 8, KEEP_SUMS = 32, SIGNATURE = 8, RESIZED = 9 };

static uint32_t big_endian(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* A chunk is its length, four letters, its content and the sum of letters and content. */
static void mend_sums(uint8_t *image, size_t size)
{
    size_t at = SIGNATURE;
    while (at + 12 <= size) {
        size_t length = big_endian(image + at);
        if (length > size - at - 12)
            return;
        uint8_t *end = image + at + 8 + length;
        uint32_t sum = (uint32_t)crc32_z(0, image + at + 4, length + 4);
        for (int i = 0; i < 4; i++)
            end[i] = (uint8_t)(sum >> (24 - 8 * i));
        at += 12 + length;
    }
}

/* As `trainer predict` reads the picture of a digit. */
static void read_picture(const uint8_t *bytes, size_t size, int channels)
{
    struct failure why = FAILURE_NONE;
    uint8_t *pixels = NULL, digit[DIGIT_SIDE * DIGIT_SIDE], resized[CHANNELS * RESIZED * RESIZED];
    int height = 0, width = 0;
    const char *path = fuzz_file(bytes, size);
    bool is = data_png_is(path);
    bool accepted = data_png_read(path, 0, &channels, &pixels, &height, &width, &why) == 0;
    fuzz_judge(accepted, &why);
    if (accepted) {
        fuzz_expect(is && height > 0 && width > 0 && (channels == 1 || channels == CHANNELS),
                    "a picture has a size");
        digit_resize(pixels, height, width, channels, resized, RESIZED, RESIZED);
        if (channels == 1) {
            digit_make_light(pixels, height, width);
            digit_centre(pixels, height, width, digit);
        }
    }
    free(pixels);
}

/* Folders of images, in which the file stands in one place, or twice, or beside a place. */
static const char *const layouts[LAYOUTS][4] = {
    {"train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/.hidden"},
    {"train/a/1.png", "train/a/2.png", "train/a/notes.txt", "test/a/1.png"},
    {"train/a/1.png", "test/b/1.png"},
    {"train/a/1.txt", "test/a/1.png"},
    {"train/a/1.png"},
    {"train/a.png", "test/a.png"},
    {"train/.hidden", "test/.hidden"},
    {"train/a/1.png", "train/b/1.png", "test/b/1.png", "test/c/1.png"},
};

static void read_folder(const uint8_t *bytes, size_t size, unsigned layout)
{
    char *folder = path_join(fuzz_folder(), "png");
    for (size_t i = 0; i < ARRAY_LENGTH(layouts[layout]) && layouts[layout][i]; i++)
        fuzz_write(folder, layouts[layout][i], bytes, size);
    fuzz_load(json_pack("{s:s, s:s}", "dataset", "png", "folder", folder));
    folder_remove(folder, NULL);
    free(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {bytes, size};
    unsigned form = fuzz_byte(&input), channels = form & 3;
    uint8_t *image = xmalloc(input.left + 1);
    memcpy(image, input.at, input.left);
    if (!(form & KEEP_SUMS))
        mend_sums(image, input.left);
    if (channels == 2)
        read_folder(image, input.left, form >> LAYOUT_SHIFT & (LAYOUTS - 1));
    else
        read_picture(image, input.left, (int)channels);
    free(image);
    return 0;
}
