/* A home with its socket, in the process of the test, which turns the loop; and peers that talk to
 * it. */
#ifndef TESTS_CONTROL_HOUSE_H
#define TESTS_CONTROL_HOUSE_H

#include "common/text.h"
#include "tests/home_fixture.h"
#include "tuner/control.h"
#include "tuner/control_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that echoes: {"heard": LINE}.  "watch NAME" watches, "flood" says a lot. */
struct house {
    char *home;
    struct loop *loop;
    struct control *control;
    struct text heard;
    struct timer tick;
};

enum { FLOOD_BYTES = 64 << 10 };

static inline void say_heard(struct peer *peer, const char *line, size_t length)
{
    json_t *answer = json_pack("{s: s%}", "heard", line, length);
    peer_say(peer, answer);
    json_decref(answer);
}

static inline void on_line(void *context, struct peer *peer, const char *line, size_t length)
{
    struct house *house = context;
    text_addf(&house->heard, "%.*s;", length > 100 ? 100 : (int)length, line);
    if (strcmp(line, "watch") == 0) {
        peer_watch(peer, NULL);
    } else if (strncmp(line, "watch ", 6) == 0) {
        peer_watch(peer, line + 6);
    } else if (strcmp(line, "flood") == 0) {
        char *much = xmalloc(FLOOD_BYTES);
        memset(much, 'x', FLOOD_BYTES);
        say_heard(peer, much, FLOOD_BYTES);
        free(much);
        return;
    }
    say_heard(peer, line, length);
}

static inline void on_tick(struct timer *timer, void *context)
{
    struct house *house = context;
    loop_set_timer(house->loop, timer, 1);
}

static inline void open_house_at(struct house *house, char *home)
{
    const struct control_events events = {on_line, house};
    struct failure why = FAILURE_NONE;
    *house = (struct house){.home = home, .heard = TEXT_EMPTY};
    house->loop = loop_new(NULL);
    house->control = control_open(house->loop, home, &events, &why);
    if (house->control == NULL)
        print_message("%s\n", why.text);
    assert_non_null(house->control);
    house->tick = (struct timer){.due = on_tick, .context = house};
    loop_set_timer(house->loop, &house->tick, 1);
}

static inline void open_house(struct house *house)
{
    open_house_at(house, new_home());
}

static inline void close_house(struct house *house)
{
    control_close(house->control);
    loop_free(house->loop);
    text_free(&house->heard);
    remove_home(house->home);
}

static inline void turn(struct house *house, int times)
{
    while (times-- > 0)
        assert_int_equal(loop_turn(house->loop, NULL), 0);
}

static inline void turn_until_heard(struct house *house)
{
    int64_t until_ms = clock_ms() + 10000;
    while (house->heard.length == 0 && clock_ms() < until_ms)
        turn(house, 1);
    assert_true(house->heard.length > 0);
}

static inline int call_at(const char *home)
{
    struct control_address address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(control_address_open(&address, home, NULL), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address.name, sizeof address.name), 0);
    control_address_close(&address);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static inline int call(struct house *house)
{
    int fd = call_at(house->home);
    turn(house, 2);
    return fd;
}

static inline void tell(struct house *house, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn(house, 3);
}

/* All that came, as text; "" when nothing has, NULL at the end of it. */
static inline const char *hear(int fd, char heard[1024])
{
    ssize_t count = recv(fd, heard, 1023, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN))
        return NULL;
    heard[count > 0 ? count : 0] = '\0';
    return heard;
}

static inline void publish(struct house *house, const char *study, bool last)
{
    json_t *event = json_pack("{s: s?}", "event_of", study);
    control_publish(house->control, study, event, last);
    json_decref(event);
    turn(house, 2);
}

#endif
