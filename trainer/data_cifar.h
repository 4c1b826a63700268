/* CIFAR-10's binary files: data_batch_1.bin to data_batch_5.bin and test_batch.bin, each of
 * records of a label (0 to 9) and 32x32 red, then green, then blue values. */
#ifndef TRAINER_DATA_CIFAR_H
#define TRAINER_DATA_CIFAR_H

#include "common/text.h"
#include "trainer/data.h"

int data_cifar_load(const char *folder, struct dataset *dataset, struct failure *why);

/* The stamps (data_stamp.h) of those files. */
void data_cifar_stamps(const char *folder, struct text *stamps);

#endif
