/* What has to be known before a study may start: where its data lies, what shape it
 * has, and that its network fits at least one configuration.  A worker is asked, and
 * ended again; nothing is recorded. */
#ifndef TUNER_PREPARE_H
#define TUNER_PREPARE_H

#include "tuner/study.h"

/* What it has to be known for. */
enum purpose {
    PURPOSE_RUN,  /* the data is fetched where it is missing, and its images are cached */
    PURPOSE_SHOW, /* neither, as nothing may be made */
    PURPOSE_GUESS /* likewise; and the worker times a few training steps, which takes as
                     long as they do, for a first guess of the study's time */
};

struct prepared {
    json_t *command;      /* the trainer as an array of strings */
    json_t *data;         /* as a trainer loads it, the study's seed included */
    json_t *shape;        /* what the worker found: {"height", ..., "classes", "checksum"} */
    int classes;
    json_t *described;    /* answer for the first configuration that fits: layers,
                             parameters, flops; images_per_s when measured */
    const char *precision; /* that this configuration would be trained in; NULL: not said */
    char *arithmetic;     /* likewise; where that is not said, the worker's */
    char *program;        /* of the worker */
};

/* `trainer` is the command from --trainer, or NULL for the study's, else the program
 * beside the running tuner. */
int prepare(const struct study *study, const char *home, const char *trainer,
            enum purpose purpose, struct prepared *prepared, struct failure *why);
void prepared_release(struct prepared *prepared);

/* The path of the trainer that lies beside this program; the caller frees it. */
char *prepare_own_trainer(void);
/* As `tuner prepare` answers whoever runs it on the side: what prepare() made of it, or
 * its failure.  New reference; empties both. */
json_t *prepared_json(struct prepared *prepared, struct failure *why);
/* Reads such an answer; -1 with the failure, or one of an answer that is none. */
int prepared_parse(const char *answer, size_t length, struct prepared *prepared,
                   struct failure *why);

#endif
