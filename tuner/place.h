/* From the path of a value in a configuration to where it stands in the study file. */
#ifndef TUNER_PLACE_H
#define TUNER_PLACE_H

#include "tuner/yaml.h"

/* The node that a path such as "model[3].layers[1].kernel" leads to, or as far as it
 * leads; never NULL.  A setting that its section does not have leads to its key, one
 * that is not written to the section that it belongs to.  `where` may be NULL. */
const struct yaml *place_find(const struct yaml *document, const char *where);

#endif
