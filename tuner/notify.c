#include "tuner/notify.h"

#include "common/base.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct notify {
    int fd;
    struct sockaddr_un address;
    socklen_t length;
    int64_t alive_ms;
};

/* False for a name that is neither a path nor abstract, or too long. */
static bool set_address(struct notify *notify, const char *name)
{
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2 ||
        length >= sizeof notify->address.sun_path)
        return false;
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, length);
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

/* 0 when there is no watchdog, or when it is another process's. */
static int64_t read_alive_ms(void)
{
    const char *period = getenv("WATCHDOG_USEC"), *process = getenv("WATCHDOG_PID");
    if (period == NULL || (process != NULL && strtol(process, NULL, 10) != (long)getpid()))
        return 0;
    return strtoll(period, NULL, 10) / 2000;
}

struct notify *notify_new(void)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct notify *notify = xcalloc(1, sizeof *notify);
    notify->fd = -1;
    if (name != NULL && set_address(notify, name)) {
        notify->alive_ms = read_alive_ms();
        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (notify->fd >= 0)
        return notify;
    free(notify);
    return NULL;
}

void notify_free(struct notify *notify)
{
    if (notify == NULL)
        return;
    close(notify->fd);
    free(notify);
}

int64_t notify_alive_ms(const struct notify *notify)
{
    return notify != NULL ? notify->alive_ms : 0;
}

/* Nobody can be told when this fails. */
static void say(struct notify *notify, const char *text)
{
    if (notify != NULL)
        (void)!sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
                      (const struct sockaddr *)&notify->address, notify->length);
}

void notify_ready(struct notify *notify)
{
    say(notify, "READY=1");
}

void notify_status(struct notify *notify, const char *status)
{
    char *line = xasprintf("STATUS=%s", status);
    say(notify, line);
    free(line);
}

void notify_alive(struct notify *notify)
{
    say(notify, "WATCHDOG=1");
}

void notify_stopping(struct notify *notify)
{
    say(notify, "STOPPING=1");
}

void notify_reloading(struct notify *notify)
{
    struct timespec now;
    char *lines;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lines = xasprintf("RELOADING=1\nMONOTONIC_USEC=%lld",
                      (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    say(notify, lines);
    free(lines);
}
