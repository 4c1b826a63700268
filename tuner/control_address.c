#include "tuner/control_address.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *control_path(const char *home)
{
    return path_join(home, "control.sock");
}

static int open_folder(struct control_address *address, const char *home, struct failure *why)
{
    address->folder = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address->folder < 0)
        return fail_input(why, "%s: cannot be opened: %s", home, strerror(errno));
    snprintf(address->name.sun_path, sizeof address->name.sun_path,
             "/proc/self/fd/%d/control.sock", address->folder);
    return 0;
}

int control_address_open(struct control_address *address, const char *home, struct failure *why)
{
    char *path = control_path(home);
    int result = 0;
    *address = (struct control_address){.name = {.sun_family = AF_UNIX}, .folder = -1};
    if (strlen(path) < sizeof address->name.sun_path)
        strcpy(address->name.sun_path, path);
    else
        result = open_folder(address, home, why);
    free(path);
    return result;
}

void control_address_close(struct control_address *address)
{
    if (address->folder >= 0)
        close(address->folder);
}
