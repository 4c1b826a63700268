#include "common/schema.h"

#include <string.h>

#define SETTINGS(array) (array), ARRAY_LENGTH(array)

static const char *const padding_words[] = {"valid", "same", NULL};
static const char *const activation_words[] = {"none", "relu",    "leaky_relu", "elu",
                                               "tanh", "sigmoid", "gelu",       NULL};
static const char *const weights_words[] = {"he", "glorot", NULL};
static const char *const precision_words[] = {"fp32", "bf16", "auto", NULL};
static const char *const over_words[] = {"milestone", "max_epochs", NULL};

const char *const schema_monitors[] = {"val_loss", "val_accuracy", "train_loss", "train_accuracy",
                                       NULL};

/* ---- Layers ---- */

/* A share that is carried over from step to step: 1 would never forget. */
#define DECAY(setting, value)                                                             \
    {                                                                                     \
        .name = (setting), .type = SETTING_FLOAT, .low = 0, .high = 1,                    \
        .below_high = true, .initial = (value)                                            \
    }

static const struct setting conv_settings[] = {
    {.name = "filters", .type = SETTING_INT, .low = 1, .high = 4096},
    {.name = "kernel", .type = SETTING_INT, .low = 1, .high = 31},
    {.name = "stride", .type = SETTING_INT, .low = 1, .high = 16, .initial = "1"},
    {.name = "padding", .type = SETTING_WORD, .initial = "\"valid\"", .words = padding_words},
    {.name = "activation", .type = SETTING_WORD, .initial = "\"none\"", .words = activation_words},
    {.name = "weights", .type = SETTING_WORD, .initial = "\"he\"", .words = weights_words},
};

/* A stride of 0 stands for "as large as the window". */
static const struct setting pool_settings[] = {
    {.name = "size", .type = SETTING_INT, .low = 1, .high = 64},
    {.name = "stride", .type = SETTING_INT, .low = 0, .high = 64, .initial = "0"},
    {.name = "padding", .type = SETTING_WORD, .initial = "\"valid\"", .words = padding_words},
};

static const struct setting dropout_settings[] = {
    {.name = "rate", .type = SETTING_FLOAT, .low = 0, .high = 1, .below_high = true},
};

static const struct setting dense_settings[] = {
    {.name = "units", .type = SETTING_INT, .low = 1, .high = 65536},
    {.name = "activation", .type = SETTING_WORD, .initial = "\"none\"", .words = activation_words},
    {.name = "weights", .type = SETTING_WORD, .initial = "\"he\"", .words = weights_words},
};

static const struct setting leaky_relu_settings[] = {
    {.name = "slope", .type = SETTING_FLOAT, .low = 0, .high = 1, .initial = "0.01"},
};

/* `momentum` is what the running statistics keep in each step. */
static const struct setting batch_norm_settings[] = {
    DECAY("momentum", "0.9"),
    {.name = "epsilon", .type = SETTING_FLOAT, .low = 0, .high = 1, .above_low = true,
     .below_high = true, .initial = "1e-5"},
};

static const struct setting residual_settings[] = {
    {.name = "layers", .type = SETTING_LIST, .list = &schema_layers},
};

static const struct section layers[] = {
    {"conv", NULL, SETTINGS(conv_settings)},
    {"max_pool", "size", SETTINGS(pool_settings)},
    {"avg_pool", "size", SETTINGS(pool_settings)},
    {"dropout", "rate", SETTINGS(dropout_settings)},
    {"flatten", NULL, NULL, 0},
    {"dense", "units", SETTINGS(dense_settings)},
    {"global_avg_pool", NULL, NULL, 0},
    {"relu", NULL, NULL, 0},
    {"leaky_relu", "slope", SETTINGS(leaky_relu_settings)},
    {"elu", NULL, NULL, 0},
    {"tanh", NULL, NULL, 0},
    {"sigmoid", NULL, NULL, 0},
    {"gelu", NULL, NULL, 0},
    {"batch_norm", NULL, SETTINGS(batch_norm_settings)},
    {"residual", "layers", SETTINGS(residual_settings)},
};

const struct section_list schema_layers = {"layer", layers, ARRAY_LENGTH(layers)};

/* ---- Optimizers ---- */

#define LEARNING_RATE                                                                     \
    {                                                                                     \
        .name = "learning_rate", .type = SETTING_FLOAT, .low = 0, .high = 1e6,            \
        .above_low = true                                                                 \
    }
#define EPSILON                                                                           \
    {                                                                                     \
        .name = "epsilon", .type = SETTING_FLOAT, .low = 0, .high = 1, .above_low = true, \
        .initial = "1e-7"                                                                 \
    }

/* Settings that came later are absent where they are not given, which is as good as
 * false or 0: a study or a checkpoint from before stays what it was. */
#define NOT_NEGATIVE(setting)                                                             \
    {                                                                                     \
        .name = (setting), .type = SETTING_FLOAT, .low = 0, .high = 1e6, .initial = "null" \
    }
#define WEIGHT_DECAY NOT_NEGATIVE("weight_decay")
#define CLIP_NORM NOT_NEGATIVE("clip_norm")

static const struct setting sgd_settings[] = {
    LEARNING_RATE,
    DECAY("momentum", "0.0"),
    {.name = "nesterov", .type = SETTING_BOOL, .initial = "null"},
    WEIGHT_DECAY,
    CLIP_NORM,
};
static const struct setting rmsprop_settings[] = {LEARNING_RATE, DECAY("rho", "0.9"), EPSILON,
                                                  WEIGHT_DECAY, CLIP_NORM};
static const struct setting adam_settings[] = {LEARNING_RATE, DECAY("beta1", "0.9"),
                                               DECAY("beta2", "0.999"), EPSILON,
                                               WEIGHT_DECAY, CLIP_NORM};
static const struct setting adamw_settings[] = {
    LEARNING_RATE,
    DECAY("beta1", "0.9"),
    DECAY("beta2", "0.999"),
    EPSILON,
    {.name = "weight_decay", .type = SETTING_FLOAT, .low = 0, .high = 1e6, .initial = "0.004"},
    CLIP_NORM,
};

static const struct section optimizers[] = {
    {"sgd", NULL, SETTINGS(sgd_settings)},
    {"rmsprop", NULL, SETTINGS(rmsprop_settings)},
    {"adam", NULL, SETTINGS(adam_settings)},
    {"adamw", NULL, SETTINGS(adamw_settings)},
};

const struct section_list schema_optimizers = {"optimizer", optimizers, ARRAY_LENGTH(optimizers)};

/* ---- Learning rate schedules ---- */

/* A share of all steps, or of the peak. */
#define SHARE(setting, value)                                                             \
    {                                                                                     \
        .name = (setting), .type = SETTING_FLOAT, .low = 0, .high = 1, .initial = (value) \
    }
#define OVER                                                                              \
    {                                                                                     \
        .name = "over", .type = SETTING_WORD, .initial = "\"max_epochs\"",                \
        .words = over_words                                                               \
    }
#define MONITOR                                                                           \
    {                                                                                     \
        .name = "monitor", .type = SETTING_WORD, .initial = "\"val_loss\"",               \
        .words = schema_monitors                                                          \
    }
#define PATIENCE(value)                                                                   \
    {                                                                                     \
        .name = "patience", .type = SETTING_INT, .low = 1, .high = 100000,                \
        .initial = (value)                                                                \
    }
/* What is better by less than this is not better. */
#define MIN_CHANGE(value)                                                                 \
    {                                                                                     \
        .name = "min_change", .type = SETTING_FLOAT, .low = 0, .high = 1e6,               \
        .initial = (value)                                                                \
    }
/* What the rate is multiplied by. */
#define FACTOR(setting)                                                                   \
    {                                                                                     \
        .name = (setting), .type = SETTING_FLOAT, .low = 0, .high = 1, .above_low = true  \
    }

static const struct setting linear_settings[] = {SHARE("warmup", "0.1"), SHARE("final", "0.0"),
                                                 OVER};
static const struct setting step_settings[] = {
    {.name = "every", .type = SETTING_INT, .low = 1, .high = 100000},
    FACTOR("factor"),
};
static const struct setting exponential_settings[] = {FACTOR("decay")};
static const struct setting one_cycle_settings[] = {
    SHARE("warmup", "0.3"),
    {.name = "start", .type = SETTING_FLOAT, .low = 0, .high = 1, .above_low = true,
     .initial = "0.04"},
    SHARE("final", "4e-6"),
    OVER,
};
static const struct setting plateau_settings[] = {
    MONITOR,
    {.name = "factor", .type = SETTING_FLOAT, .low = 0, .high = 1, .above_low = true,
     .below_high = true, .initial = "0.5"},
    PATIENCE("2"),
    MIN_CHANGE("1e-4"),
    SHARE("final", "0.0"),
};

static const struct section schedules[] = {
    {"constant", NULL, NULL, 0},
    {"linear", NULL, SETTINGS(linear_settings)},
    {"step", NULL, SETTINGS(step_settings)},
    {"exponential", NULL, SETTINGS(exponential_settings)},
    {"cosine", NULL, SETTINGS(linear_settings)},
    {"one_cycle", NULL, SETTINGS(one_cycle_settings)},
    {"reduce_on_plateau", NULL, SETTINGS(plateau_settings)},
};

const struct section_list schema_learning_rate_schedules = {"learning rate schedule", schedules,
                                                            ARRAY_LENGTH(schedules)};

/* ---- Training ---- */

static const struct setting early_stopping_settings[] = {
    MONITOR,
    PATIENCE(NULL),
    MIN_CHANGE("0.0"),
};
static const struct section early_stopping = {"early_stopping", "patience",
                                              SETTINGS(early_stopping_settings)};

/* Half of the range in which each is drawn: pixels, degrees, a share, degrees. */
#define UP_TO(setting, most)                                                              \
    {                                                                                     \
        .name = (setting), .type = SETTING_FLOAT, .low = 0, .high = (most),               \
        .initial = "0.0"                                                                  \
    }
static const struct setting augmentation_settings[] = {
    UP_TO("shift", 64),
    UP_TO("rotate", 180),
    UP_TO("zoom", 0.9),
    UP_TO("shear", 60),
};
static const struct section augmentation = {"augmentation", NULL, SETTINGS(augmentation_settings)};

static const struct setting training_settings[] = {
    {.name = "optimizer", .type = SETTING_CHOICE, .list = &schema_optimizers},
    {.name = "learning_rate_schedule", .type = SETTING_CHOICE,
     .list = &schema_learning_rate_schedules, .initial = "{\"type\": \"constant\"}"},
    {.name = "batch_size", .type = SETTING_INT, .low = 1, .high = 65536},
    {.name = "epochs", .type = SETTING_INT, .low = 1, .high = 100000, .initial = "null"},
    {.name = "label_smoothing", .type = SETTING_FLOAT, .low = 0, .high = 1, .below_high = true,
     .initial = "null"},
    {.name = "augmentation", .type = SETTING_SECTION, .section = &augmentation, .initial = "null"},
    {.name = "early_stopping", .type = SETTING_SECTION, .section = &early_stopping,
     .initial = "null"},
    {.name = "restore_best", .type = SETTING_WORD, .words = schema_monitors, .initial = "null"},
    {.name = "ema_decay", .type = SETTING_FLOAT, .low = 0, .high = 1, .below_high = true,
     .initial = "null"},
    {.name = "precision", .type = SETTING_WORD, .words = precision_words, .initial = "null"},
};

const struct section schema_training = {"training", NULL, SETTINGS(training_settings)};

static const struct setting configuration_settings[] = {
    {.name = "model", .type = SETTING_LIST, .list = &schema_layers},
    {.name = "training", .type = SETTING_SECTION, .section = &schema_training},
};

const struct section schema_configuration = {"configuration", NULL,
                                             SETTINGS(configuration_settings)};

/* ---- Looking up ---- */

const struct section *section_find(const struct section_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->sections[i].name, name) == 0) {
            return &list->sections[i];
        }
    }
    return NULL;
}

const struct section *section_of(const struct section_list *list, const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    return type ? section_find(list, type) : NULL;
}

const struct setting *setting_find(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->setting_count; i++) {
        if (strcmp(section->settings[i].name, name) == 0) {
            return &section->settings[i];
        }
    }
    return NULL;
}
