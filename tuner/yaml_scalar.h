/* What a plain scalar means, by YAML 1.2's core schema (section 10.3.2). */
#ifndef TUNER_YAML_SCALAR_H
#define TUNER_YAML_SCALAR_H

#include "tuner/yaml.h"

/* Sets type, boolean, integer and real from `scalar->text`; quotes make a string.
 * An integer beyond 64 bits is a FLOAT.  False: a number that is infinite, not a
 * number or too large; nothing in a study can use one. */
bool yaml_scalar_resolve(struct yaml *scalar);

#endif
