/* What systemd is told of a service of Type=notify (sd_notify(3)): datagrams of NAME=VALUE
 * lines to the socket $NOTIFY_SOCKET, a path or, after '@', an abstract name.  Without that
 * variable nothing is said. */
#ifndef TUNER_NOTIFY_H
#define TUNER_NOTIFY_H

#include <stdint.h>

struct notify;

/* Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID, and removes them from the
 * environment: programs that this one starts are not to speak for it.  NULL when there is
 * nobody to tell; the functions below then do nothing. */
struct notify *notify_new(void);
void notify_free(struct notify *notify);

/* How often to say notify_alive(): half of what systemd waits; 0: never. */
int64_t notify_alive_ms(const struct notify *notify);

void notify_ready(struct notify *notify);
void notify_status(struct notify *notify, const char *status);
void notify_alive(struct notify *notify);
void notify_stopping(struct notify *notify);
/* Settings are read again; notify_ready() says that this is over. */
void notify_reloading(struct notify *notify);

#endif
