/* Where a home's control socket is.  An address has room for 107 bytes of path; a home whose
 * path is longer is reached through a descriptor of its folder. */
#ifndef TUNER_CONTROL_ADDRESS_H
#define TUNER_CONTROL_ADDRESS_H

#include "common/base.h"

#include <sys/socket.h>
#include <sys/un.h>

/* <home>/control.sock; the caller frees it. */
char *control_path(const char *home);

struct control_address {
    struct sockaddr_un name; /* for bind() and connect(), until control_address_close() */
    int folder;              /* the descriptor, or -1 */
};
int control_address_open(struct control_address *address, const char *home, struct failure *why);
void control_address_close(struct control_address *address);

#endif
