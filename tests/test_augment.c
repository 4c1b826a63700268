#include "trainer/augment.h"

#include "trainer/kernels.h"
#include "trainer/loss.h"
#include "trainer/train.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/tiny.h"

static const struct augment_move STILL = {.size = 1.0};

static struct augment *augment_of(double shift, double rotate, double zoom, double shear,
                                  struct shape shape)
{
    json_t *settings = json_pack("{s:f, s:f, s:f, s:f}", "shift", shift, "rotate", rotate,
                                 "zoom", zoom, "shear", shear);
    struct augment *augment = augment_new(settings, shape);
    json_decref(settings);
    return augment;
}

static size_t values_of(struct shape shape)
{
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

static uint8_t *random_pixels(struct rng *rng, struct shape shape)
{
    uint8_t *pixels = xmalloc(values_of(shape));
    for (size_t i = 0; i < values_of(shape); i++)
        pixels[i] = (uint8_t)rng_below(rng, 256);
    return pixels;
}

static size_t place(struct shape shape, int y, int x, int channel)
{
    return ((size_t)y * (size_t)shape.width + (size_t)x) * (size_t)shape.channels +
           (size_t)channel;
}

/* The moved image, with the value behind its end that is not to be touched. */
static float *moved(struct shape shape, const uint8_t *pixels, struct augment_move move)
{
    struct augment *augment = augment_of(1, 1, 0.1, 1, shape);
    float *values = dirty_floats(values_of(shape));
    augment_apply(augment, &move, pixels, values);
    assert_true(values[values_of(shape)] == 1e30f);
    augment_free(augment);
    return values;
}

/* ---- the twin ---- */

static double tent(double distance)
{
    return fmax(0.0, 1.0 - fabs(distance));
}

/* Solves the move, as augment.h states it, for the pixel that comes to (x, y) from the
 * middle: lean, turn and move are undone one after the other. */
static void undo(const struct augment_move *move, double *x, double *y)
{
    double turn = move->turn * M_PI / 180.0;
    double right = *x - move->across, below = *y - move->down;
    *x = (right * cos(turn) + below * sin(turn)) / move->size;
    *y = (below * cos(turn) - right * sin(turn)) / move->size;
    *x -= tan(move->lean * M_PI / 180.0) * *y;
}

/* Every pixel is the sum of all, each weighted by a tent over where it came from. */
static double *twin(struct shape shape, const uint8_t *pixels, const struct augment_move *move)
{
    double *values = xcalloc(values_of(shape), sizeof *values);
    double middle_x = (shape.width - 1) / 2.0, middle_y = (shape.height - 1) / 2.0;
    for (int y = 0; y < shape.height; y++) {
        for (int x = 0; x < shape.width; x++) {
            double from_x = x - middle_x, from_y = y - middle_y;
            undo(move, &from_x, &from_y);
            for (int row = 0; row < shape.height; row++) {
                for (int column = 0; column < shape.width; column++) {
                    double weight = tent(from_y + middle_y - row) *
                                    tent(from_x + middle_x - column);
                    for (int c = 0; c < shape.channels && weight > 0.0; c++)
                        values[place(shape, y, x, c)] +=
                            weight * pixels[place(shape, row, column, c)] / 255.0;
                }
            }
        }
    }
    return values;
}

static struct augment_move random_move(struct rng *rng, double shift)
{
    return (struct augment_move){
        .across = shift * (2.0 * rng_double(rng) - 1.0),
        .down = shift * (2.0 * rng_double(rng) - 1.0),
        .turn = 360.0 * rng_double(rng) - 180.0,
        .lean = 120.0 * rng_double(rng) - 60.0,
        .size = 0.1 + 1.8 * rng_double(rng),
    };
}

static void moves_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(1);
    for (int round = 0; round < 60; round++) {
        struct shape shape = {(int)between(&rng, 1, 20), (int)between(&rng, 1, round % 6 ? 20 : 70),
                              (int)between(&rng, 1, 4)};
        uint8_t *pixels = random_pixels(&rng, shape);
        struct augment_move move = random_move(&rng, round % 2 ? 3.0 : 64.0);
        float *values = moved(shape, pixels, move);
        double *expected = twin(shape, pixels, &move);
        for (size_t i = 0; i < values_of(shape); i++) {
            if (!(fabs(values[i] - expected[i]) <= 2e-4))
                fail_msg("%dx%dx%d, value %zu is %.9g, not %.9g", shape.height, shape.width,
                         shape.channels, i, values[i], expected[i]);
        }
        free(expected);
        free(values);
        free(pixels);
    }
}

/* ---- what is exact ---- */

static void without_a_move_the_pixels_are_the_plain_ones(void **state)
{
    (void)state;
    struct rng rng = dice_of(2);
    for (int round = 0; round < 40; round++) {
        struct shape shape = {(int)between(&rng, 1, 40), (int)between(&rng, 1, 70),
                              (int)between(&rng, 1, 4)};
        uint8_t *pixels = random_pixels(&rng, shape);
        float *values = moved(shape, pixels, STILL), *plain = dirty_floats(values_of(shape));
        kernel_pixels(values_of(shape), pixels, plain);
        assert_memory_equal(values, plain, values_of(shape) * sizeof *values);
        free(plain);
        free(values);
        free(pixels);
    }
}

static void whole_pixel_shifts_are_exact(void **state)
{
    (void)state;
    struct rng rng = dice_of(3);
    for (int round = 0; round < 100; round++) {
        struct shape shape = {(int)between(&rng, 1, 30), (int)between(&rng, 1, 50),
                              (int)between(&rng, 1, 3)};
        int across = (int)between(&rng, 0, 60) - 30, down = (int)between(&rng, 0, 20) - 10;
        uint8_t *pixels = random_pixels(&rng, shape);
        float *values = moved(shape, pixels,
                              (struct augment_move){.across = across, .down = down, .size = 1.0});
        for (int y = 0; y < shape.height; y++) {
            for (int x = 0; x < shape.width; x++) {
                bool inside = y >= down && y - down < shape.height && x >= across &&
                              x - across < shape.width;
                for (int c = 0; c < shape.channels; c++)
                    assert_true(values[place(shape, y, x, c)] ==
                                (inside ? (float)pixels[place(shape, y - down, x - across, c)]
                                        : 0.0f) / 255.0f);
            }
        }
        free(values);
        free(pixels);
    }
}

/* Clockwise: the top row becomes the last column. */
static void quarter_turns_of_a_square_are_exact(void **state)
{
    (void)state;
    struct rng rng = dice_of(4);
    for (int side = 1; side <= 40; side++) {
        struct shape shape = {side, side, 1 + side % 3};
        uint8_t *pixels = random_pixels(&rng, shape);
        float *quarter = moved(shape, pixels, (struct augment_move){.turn = 90, .size = 1});
        float *half = moved(shape, pixels, (struct augment_move){.turn = -180, .size = 1});
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                for (int c = 0; c < shape.channels; c++) {
                    float value = (float)pixels[place(shape, y, x, c)] / 255.0f;
                    assert_true(quarter[place(shape, x, side - 1 - y, c)] == value);
                    assert_true(half[place(shape, side - 1 - y, side - 1 - x, c)] == value);
                }
            }
        }
        free(half);
        free(quarter);
        free(pixels);
    }
}

/* ---- what can be seen ---- */

static void what_comes_from_outside_is_0(void **state)
{
    (void)state;
    struct shape shape = {9, 12, 2};
    uint8_t white[9 * 12 * 2];
    memset(white, 255, sizeof white);
    float *values = moved(shape, white, (struct augment_move){.across = 2.5, .size = 1});
    for (int x = 0; x < 12; x++) {
        float expected = x < 2 ? 0.0f : x == 2 ? 0.5f : 1.0f;
        for (int y = 0; y < 9; y++)
            assert_true(values[place(shape, y, x, y % 2)] == expected);
    }
    free(values);
    values = moved(shape, white, (struct augment_move){.size = 0.5});
    assert_true(values[place(shape, 0, 6, 0)] == 0.0f && values[place(shape, 4, 0, 0)] == 0.0f);
    assert_true(values[place(shape, 4, 6, 0)] == 1.0f);
    free(values);
    values = moved(shape, white, (struct augment_move){.down = -64, .turn = 30, .size = 1});
    for (size_t i = 0; i < values_of(shape); i++)
        assert_true(values[i] == 0.0f);
    free(values);
}

struct mass {
    double sum, x, y, spread_x, spread_y; /* centre, and mean square from it */
};

static struct mass weigh(struct shape shape, const float *values)
{
    struct mass mass = {0};
    for (int i = 0; i < shape.height * shape.width; i++) {
        double value = values[i], x = i % shape.width, y = i / shape.width;
        mass.sum += value;
        mass.x += value * x;
        mass.y += value * y;
        mass.spread_x += value * x * x;
        mass.spread_y += value * y * y;
    }
    mass.x /= mass.sum;
    mass.y /= mass.sum;
    mass.spread_x = mass.spread_x / mass.sum - mass.x * mass.x;
    mass.spread_y = mass.spread_y / mass.sum - mass.y * mass.y;
    return mass;
}

/* A soft bar that is wider than high, in the middle. */
static void draw_bar(struct shape shape, uint8_t *pixels)
{
    for (int y = 0; y < shape.height; y++) {
        for (int x = 0; x < shape.width; x++) {
            double right = (x - (shape.width - 1) / 2.0) / 5.0;
            double below = (y - (shape.height - 1) / 2.0) / 3.0;
            pixels[place(shape, y, x, 0)] =
                (uint8_t)lround(255.0 * exp(-0.5 * (right * right + below * below)));
        }
    }
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%g is not %g", value, expected);
}

/* The middle stays where it is, or goes with the shift; the mass grows with the area; a turn
 * by a right angle makes it higher than wide; a lean makes it wider by its own height. */
static void the_centre_stays_and_the_mass_follows_the_size(void **state)
{
    (void)state;
    struct shape shape = {60, 80, 1};
    uint8_t pixels[60 * 80];
    draw_bar(shape, pixels);
    float *values = moved(shape, pixels, STILL);
    struct mass before = weigh(shape, values);
    free(values);
    struct rng rng = dice_of(5);
    for (int round = 0; round < 50; round++) {
        struct augment_move move = {
            .across = 8.0 * rng_double(&rng) - 4.0,
            .down = 6.0 * rng_double(&rng) - 3.0,
            .turn = 360.0 * rng_double(&rng) - 180.0,
            .size = 0.7 + 0.6 * rng_double(&rng),
            .lean = 40.0 * rng_double(&rng) - 20.0,
        };
        values = moved(shape, pixels, move);
        struct mass after = weigh(shape, values);
        assert_near(after.sum, before.sum * move.size * move.size, 0.02 * before.sum);
        assert_near(after.x, 39.5 + move.across, 0.05);
        assert_near(after.y, 29.5 + move.down, 0.05);
        free(values);
    }
    values = moved(shape, pixels, (struct augment_move){.turn = 90, .size = 1});
    struct mass turned = weigh(shape, values);
    assert_near(turned.spread_x, before.spread_y, 0.01);
    assert_near(turned.spread_y, before.spread_x, 0.01);
    free(values);
    values = moved(shape, pixels, (struct augment_move){.lean = 45, .size = 1});
    struct mass leaned = weigh(shape, values);
    assert_near(leaned.spread_x, before.spread_x + before.spread_y, 0.5);
    assert_near(leaned.spread_y, before.spread_y, 0.01);
    free(values);
}

/* ---- the draws ---- */

static void without_a_range_there_is_nothing_to_do(void **state)
{
    (void)state;
    struct shape shape = {4, 4, 1};
    assert_null(augment_new(NULL, shape));
    assert_null(augment_of(0, 0, 0, 0, shape));
    augment_free(NULL);
    for (int i = 0; i < 4; i++) {
        struct augment *one = augment_of(i == 0, i == 1, 0.1 * (i == 2), i == 3, shape);
        struct augment_move move;
        assert_non_null(one);
        augment_draw(one, 1, 2, 3, 4, &move);
        assert_int_equal(move.across != 0.0, i == 0);
        assert_int_equal(move.down != 0.0, i == 0);
        assert_int_equal(move.turn != 0.0, i == 1);
        assert_int_equal(move.size != 1.0, i == 2);
        assert_int_equal(move.lean != 0.0, i == 3);
        augment_free(one);
    }
}

static void a_move_follows_from_seed_trial_epoch_and_image(void **state)
{
    (void)state;
    struct augment *augment = augment_of(2, 10, 0.1, 5, (struct shape){4, 4, 1});
    struct augment_move first, again, other[4];
    augment_draw(augment, 7, 3, 5, 1000, &first);
    augment_draw(augment, 8, 3, 5, 1000, &other[0]);
    augment_draw(augment, 7, 4, 5, 1000, &other[1]);
    augment_draw(augment, 7, 3, 6, 1000, &other[2]);
    augment_draw(augment, 7, 3, 5, 1001, &other[3]);
    augment_draw(augment, 7, 3, 5, 1000, &again);
    assert_memory_equal(&first, &again, sizeof first);
    for (size_t i = 0; i < ARRAY_LENGTH(other); i++)
        assert_true(first.across != other[i].across && first.down != other[i].down &&
                    first.turn != other[i].turn && first.size != other[i].size &&
                    first.lean != other[i].lean);
    augment_free(augment);
}

enum { DRAWS = 20000 };

/* Uniform from -range to range: within it, close to both ends, with mean 0 and a third of
 * the range's square as mean square (five deviations of the mean are allowed). */
static void check_uniform(const double *draws, double range)
{
    double sum = 0.0, squares = 0.0, least = 0.0, most = 0.0;
    for (size_t i = 0; i < DRAWS; i++) {
        double share = draws[i] / range;
        sum += share;
        squares += share * share;
        least = fmin(least, share);
        most = fmax(most, share);
    }
    assert_true(least >= -1.0 && least < -0.999 && most <= 1.0 && most > 0.999);
    assert_near(sum / DRAWS, 0.0, 5.0 * sqrt(1.0 / 3.0 / DRAWS));
    assert_near(squares / DRAWS, 1.0 / 3.0, 5.0 * sqrt(4.0 / 45.0 / DRAWS));
}

/* Of one kind with the same image's other, or with that of `ahead` images further on: five
 * deviations from 0 are allowed. */
static void check_apart(const double *one, double range, const double *other, double other_range,
                        size_t ahead)
{
    double products = 0.0;
    for (size_t i = 0; i + ahead < DRAWS; i++)
        products += one[i] / range * other[i + ahead] / other_range;
    assert_near(products / DRAWS, 0.0, 5.0 / 3.0 / sqrt(DRAWS));
}

static void draws_fill_their_ranges_evenly_and_apart(void **state)
{
    (void)state;
    enum { KINDS = 5 };
    static double draws[KINDS][DRAWS];
    static const double ranges[KINDS] = {2.5, 2.5, 15.0, 0.25, 30.0};
    struct augment *augment = augment_of(2.5, 15, 0.25, 30, (struct shape){4, 4, 1});
    for (size_t i = 0; i < DRAWS; i++) {
        struct augment_move move;
        augment_draw(augment, 1, 2, 3, i, &move);
        const double shown[] = {move.across, move.down, move.turn, move.size - 1.0, move.lean};
        for (size_t kind = 0; kind < KINDS; kind++)
            draws[kind][i] = shown[kind];
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        check_uniform(draws[kind], ranges[kind]);
        for (size_t other = 0; other < KINDS; other++)
            for (size_t ahead = kind == other; ahead <= 2; ahead++)
                check_apart(draws[kind], ranges[kind], draws[other], ranges[other], ahead);
    }
    augment_free(augment);
}

/* ---- in training ---- */

#define AUGMENTATION "{\"shift\":1.5,\"rotate\":20.0,\"zoom\":0.2,\"shear\":10.0}"
#define LINEAR                                                                                 \
    "[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":4,\"activation\":\"none\","         \
    "\"weights\":\"he\"}]"

struct bench {
    struct dataset *data;
    json_t *model, *settings;
    struct training *training;
};

/* 60 images, trained on in another order than they are kept; `augmentation` may be NULL. */
static struct bench bench_open(const char *model, const char *augmentation, int batch_size,
                               double learning_rate, int threads)
{
    struct bench bench = {tiny_dataset(60, 30), tiny_json(model), tiny_json(TINY_ADAM), NULL};
    for (uint32_t i = 0; i < 60; i++)
        bench.data->train_index[i] = 89 - i;
    for (uint32_t i = 0; i < 30; i++)
        bench.data->validation_index[i] = i;
    json_object_set_new(bench.settings, "batch_size", json_integer(batch_size));
    json_object_set_new(json_object_get(bench.settings, "optimizer"), "learning_rate",
                        json_real(learning_rate));
    if (augmentation)
        json_object_set_new(bench.settings, "augmentation", tiny_json(augmentation));
    struct training_settings make = {
        .model = bench.model, .training = bench.settings, .seed = 11, .trial = 4,
        .schedule_epochs = 4, .threads = threads,
    };
    bench.training = training_new(&make, bench.data, NULL);
    assert_non_null(bench.training);
    return bench;
}

static void bench_close(struct bench *bench)
{
    training_free(bench->training);
    json_decref(bench->model);
    json_decref(bench->settings);
    tiny_dataset_free(bench->data);
}

static struct epoch_metrics train_epochs(struct training *training, int count)
{
    struct epoch_metrics metrics = {0};
    for (int i = 0; i < count; i++)
        assert_int_equal(training_epoch(training, NULL, NULL, &metrics), 0);
    return metrics;
}

/* The mean loss of the images `index` names, moved as in `epoch`; as they are if it is -1. */
static double loss_of(struct bench *bench, const uint32_t *index, size_t count, int epoch)
{
    struct augment *augment = augment_new(json_object_get(bench->settings, "augmentation"),
                                          (struct shape){8, 8, 1});
    struct loss_sum sum = {0};
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixels = bench->data->training.pixels + 64 * index[i];
        float image[64], logits[4];
        struct augment_move move = STILL;
        if (epoch >= 0)
            augment_draw(augment, 11, 4, (uint64_t)epoch, index[i], &move);
        augment_apply(augment, &move, pixels, image);
        network_predict(training_network(bench->training), image, 1, logits);
        loss_add(1, 4, logits, &bench->data->training.labels[index[i]], &sum, 0.0f, NULL);
    }
    augment_free(augment);
    return sum.loss / (double)count;
}

/* With steps that move nothing, an epoch's running mean is that of its images: each moved
 * in its own way of this epoch, whatever the batches and their order; the validation
 * images as they are. */
static void an_epoch_sees_each_training_image_moved_in_its_own_way(void **state)
{
    (void)state;
    static const int batch_sizes[] = {1, 7, 20, 60};
    for (size_t i = 0; i < ARRAY_LENGTH(batch_sizes); i++) {
        struct bench bench =
            bench_open(LINEAR, AUGMENTATION, batch_sizes[i], 1e-30, 1 + (int)i % 2);
        double losses[2];
        for (int epoch = 0; epoch < 2; epoch++) {
            struct epoch_metrics metrics = train_epochs(bench.training, 1);
            losses[epoch] = metrics.train_loss;
            assert_near(metrics.train_loss, loss_of(&bench, bench.data->train_index, 60, epoch),
                        1e-6);
            assert_near(metrics.val_loss, loss_of(&bench, bench.data->validation_index, 30, -1),
                        1e-6);
        }
        assert_true(fabs(losses[0] - losses[1]) > 1e-4);
        bench_close(&bench);
    }
}

static void ranges_of_0_are_the_training_without(void **state)
{
    (void)state;
    static const char *const augmentations[] = {
        NULL, "{\"shift\":0.0,\"rotate\":0.0,\"zoom\":0.0,\"shear\":0.0}", AUGMENTATION};
    double losses[3];
    for (size_t i = 0; i < 3; i++) {
        struct bench bench = bench_open(TINY_MODEL, augmentations[i], 20, 0.01, 1);
        losses[i] = train_epochs(bench.training, 2).train_loss;
        bench_close(&bench);
    }
    assert_true(losses[0] == losses[1] && losses[0] != losses[2]);
}

static void going_on_equals_never_having_stopped(void **state)
{
    (void)state;
    char *path = tiny_path("augmented.ckpt");
    struct bench whole = bench_open(TINY_MODEL, AUGMENTATION, 20, 0.01, 1);
    struct epoch_metrics at_once = train_epochs(whole.training, 3);
    struct bench part = bench_open(TINY_MODEL, AUGMENTATION, 20, 0.01, 3);
    train_epochs(part.training, 1);
    assert_int_equal(training_save(part.training, path, NULL), 0);
    bench_close(&part);

    part = bench_open(TINY_MODEL, AUGMENTATION, 20, 0.01, 2);
    assert_int_equal(training_restore(part.training, path, NULL), 0);
    struct epoch_metrics in_parts = train_epochs(part.training, 2);
    assert_true(at_once.train_loss == in_parts.train_loss);
    assert_true(at_once.val_loss == in_parts.val_loss);
    struct network *one = training_network(whole.training);
    struct network *other = training_network(part.training);
    assert_memory_equal(network_parameters(one), network_parameters(other),
                        network_parameter_count(one) * sizeof(float));
    bench_close(&part);
    bench_close(&whole);
    free(path);
}

static void a_checkpoint_with_another_augmentation_is_refused(void **state)
{
    (void)state;
    char *path = tiny_path("other_augmentation.ckpt");
    struct bench bench = bench_open(TINY_MODEL, AUGMENTATION, 20, 0.01, 1);
    train_epochs(bench.training, 1);
    assert_int_equal(training_save(bench.training, path, NULL), 0);
    bench_close(&bench);
    bench = bench_open(TINY_MODEL, NULL, 20, 0.01, 1);
    struct failure why = FAILURE_NONE;
    assert_int_equal(training_restore(bench.training, path, &why), -1);
    assert_non_null(strstr(why.text, "its augmentation is not"));
    failure_clear(&why);
    bench_close(&bench);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_equal_their_twin),
        cmocka_unit_test(without_a_move_the_pixels_are_the_plain_ones),
        cmocka_unit_test(whole_pixel_shifts_are_exact),
        cmocka_unit_test(quarter_turns_of_a_square_are_exact),
        cmocka_unit_test(what_comes_from_outside_is_0),
        cmocka_unit_test(the_centre_stays_and_the_mass_follows_the_size),
        cmocka_unit_test(without_a_range_there_is_nothing_to_do),
        cmocka_unit_test(a_move_follows_from_seed_trial_epoch_and_image),
        cmocka_unit_test(draws_fill_their_ranges_evenly_and_apart),
        cmocka_unit_test(an_epoch_sees_each_training_image_moved_in_its_own_way),
        cmocka_unit_test(ranges_of_0_are_the_training_without),
        cmocka_unit_test(going_on_equals_never_having_stopped),
        cmocka_unit_test(a_checkpoint_with_another_augmentation_is_refused),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
