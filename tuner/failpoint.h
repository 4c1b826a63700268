/* Places where a test kills the tuner.  In builds with -DFAILPOINTS,
 * TUNER_FAILPOINT="name:n" ends the process by SIGKILL at the n-th time that the
 * named place is passed; elsewhere a failpoint is nothing. */
#ifndef TUNER_FAILPOINT_H
#define TUNER_FAILPOINT_H

#ifdef FAILPOINTS
void failpoint(const char *name);
#else
#define failpoint(name) ((void)0)
#endif

#endif
