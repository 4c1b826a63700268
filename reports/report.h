/* The report of a study's best model, written from the database alone. */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include "db/store.h"

/* Writes report.txt, report.json, report.md, predictions.csv, curves.svg, confusion.svg,
 * mistakes.png and index.html into `folder` (made where missing), each replaced whole.  A
 * study that has no final evaluation yet is a failure that says how to get one. */
int report_write(struct store *store, const char *study, const char *folder, struct failure *why);

#endif
