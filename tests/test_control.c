#include "tuner/control.h"

#include "common/text.h"
#include "tuner/control_address.h"

#include "tests/home_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

static void say_heard(struct peer *peer, const char *line, size_t length)
{
    json_t *answer = json_pack("{s: s%}", "heard", line, length);
    peer_say(peer, answer);
    json_decref(answer);
}

static void on_line(void *context, struct peer *peer, const char *line, size_t length)
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

static void on_tick(struct timer *timer, void *context)
{
    struct house *house = context;
    loop_set_timer(house->loop, timer, 1);
}

static void open_house_at(struct house *house, char *home)
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

static void open_house(struct house *house)
{
    open_house_at(house, new_home());
}

static void close_house(struct house *house)
{
    control_close(house->control);
    loop_free(house->loop);
    text_free(&house->heard);
    remove_home(house->home);
}

static void turn(struct house *house, int times)
{
    while (times-- > 0)
        assert_int_equal(loop_turn(house->loop, NULL), 0);
}

static void turn_until_heard(struct house *house)
{
    int64_t until_ms = clock_ms() + 10000;
    while (house->heard.length == 0 && clock_ms() < until_ms)
        turn(house, 1);
    assert_true(house->heard.length > 0);
}

static int call_at(const char *home)
{
    struct control_address address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(control_address_open(&address, home, NULL), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address.name, sizeof address.name), 0);
    control_address_close(&address);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int call(struct house *house)
{
    int fd = call_at(house->home);
    turn(house, 2);
    return fd;
}

static void tell(struct house *house, int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    turn(house, 3);
}

/* All that came, as text; "" when nothing has, NULL at the end of it. */
static const char *hear(int fd, char heard[1024])
{
    ssize_t count = recv(fd, heard, 1023, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN))
        return NULL;
    heard[count > 0 ? count : 0] = '\0';
    return heard;
}

static void publish(struct house *house, const char *study, bool last)
{
    json_t *event = json_pack("{s: s?}", "event_of", study);
    control_publish(house->control, study, event, last);
    json_decref(event);
    turn(house, 2);
}

static void each_line_is_answered_in_order(void **state)
{
    struct house house;
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "one\ntw");
    assert_string_equal(hear(fd, heard), "{\"heard\":\"one\"}\n");
    tell(&house, fd, "o\n\nthree\n");
    assert_string_equal(hear(fd, heard),
                        "{\"heard\":\"two\"}\n{\"heard\":\"\"}\n{\"heard\":\"three\"}\n");
    close(fd);
    turn(&house, 2);
    close_house(&house);
}

/* An answer is a promise that what it says is recorded: the commit comes after the turn. */
static void nothing_is_answered_in_the_turn_of_its_request(void **state)
{
    struct house house;
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    assert_int_equal(send(fd, "one\n", 4, 0), 4);
    turn_until_heard(&house);
    assert_string_equal(hear(fd, heard), "");
    turn(&house, 1);
    assert_string_equal(hear(fd, heard), "{\"heard\":\"one\"}\n");
    close(fd);
    close_house(&house);
}

static void only_the_user_can_open_it(void **state)
{
    struct house house;
    struct stat status;
    mode_t mask = umask(0);
    char *path;
    (void)state;
    open_house(&house);
    assert_int_equal(umask(mask), 0);
    path = control_path(house.home);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    control_close(house.control);
    house.control = NULL;
    assert_int_equal(stat(path, &status), -1);
    free(path);
    close_house(&house);
}

static void another_user_is_turned_away(void **state)
{
    struct house house;
    pid_t child;
    int status;
    (void)state;
    if (geteuid() != 0)
        skip();
    open_house(&house);
    /* The file's mode would do; this is about the check behind it. */
    assert_int_equal(chmod(house.home, 0777), 0);
    {
        char *path = control_path(house.home);
        assert_int_equal(chmod(path, 0666), 0);
        free(path);
    }
    child = fork();
    if (child == 0) {
        const struct timeval patience = {.tv_sec = 5};
        char heard[1024] = "";
        int fd;
        if (chdir(house.home) != 0 || setuid(65534) != 0)
            _exit(3);
        fd = call_at(".");
        fcntl(fd, F_SETFL, 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        _exit(hear(fd, heard) != NULL && strstr(heard, "another user") != NULL ? 0 : 4);
    }
    while (waitpid(child, &status, WNOHANG) == 0)
        turn(&house, 1);
    assert_int_equal(status, 0);
    assert_int_equal(house.heard.length, 0);
    close_house(&house);
}

static void a_home_with_a_long_path_has_its_socket(void **state)
{
    struct house house;
    char *top = new_home(), *deep = xstrdup(top), heard[1024], *path;
    int i, fd;
    (void)state;
    for (i = 0; i < 8; i++) {
        char *next = xasprintf("%s/a-folder-with-a-rather-long-name", deep);
        free(deep);
        deep = next;
    }
    assert_int_equal(folder_make(deep, NULL), 0);
    open_house_at(&house, deep);
    fd = call(&house);
    tell(&house, fd, "x\n");
    assert_string_equal(hear(fd, heard), "{\"heard\":\"x\"}\n");
    path = control_path(deep);
    control_close(house.control);
    house.control = NULL;
    assert_false(file_exists(path));
    free(path);
    close(fd);
    close_house(&house);
    remove_home(top);
}

static void a_dead_daemons_socket_is_replaced_and_a_file_is_not(void **state)
{
    struct house house;
    struct failure why = FAILURE_NONE;
    char *home = new_home(), *path = control_path(home);
    const struct control_events events = {on_line, &house};
    struct loop *loop;
    int fd;
    (void)state;
    {
        struct control_address address;
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(control_address_open(&address, home, NULL), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address.name, sizeof address.name), 0);
        control_address_close(&address);
        close(fd);
    }
    open_house_at(&house, home);
    fd = call(&house);
    close(fd);
    control_close(house.control);
    house.control = NULL;

    fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    loop = loop_new(NULL);
    assert_null(control_open(loop, home, &events, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, "is no socket"));
    assert_true(file_exists(path));
    failure_clear(&why);
    loop_free(loop);
    free(path);
    close_house(&house);
}

static void a_line_that_is_too_long_ends_its_peer_alone(void **state)
{
    struct house house;
    char heard[1024], *much = xmalloc(1 << 20);
    int loud, quiet, i;
    (void)state;
    open_house(&house);
    loud = call(&house);
    quiet = call(&house);
    memset(much, 'x', 1 << 20);
    for (i = 0; i < (1 << 20);) {
        ssize_t count = send(loud, much + i, (size_t)((1 << 20) - i), MSG_NOSIGNAL);
        i += count > 0 ? (int)count : 0;
        turn(&house, 1);
    }
    turn(&house, 4);
    assert_non_null(strstr(hear(loud, heard), "longer than 1048576 bytes"));
    assert_null(hear(loud, heard));
    tell(&house, quiet, "x\n");
    assert_string_equal(hear(quiet, heard), "{\"heard\":\"x\"}\n");
    free(much);
    close(loud);
    close(quiet);
    close_house(&house);
}

static int count_lines(struct house *house, int fd)
{
    static char bytes[1 << 16];
    int lines = 0, idle = 0;
    while (idle < 10) {
        ssize_t i, count = recv(fd, bytes, sizeof bytes, 0);
        for (i = 0; i < count; i++)
            lines += bytes[i] == '\n';
        idle = count > 0 ? 0 : idle + 1;
        turn(house, 1);
    }
    return lines;
}

/* It asks and asks, and reads nothing: it is not listened to, until it reads. */
static void who_does_not_read_is_not_listened_to(void **state)
{
    struct house house;
    int fd, i, before;
    (void)state;
    open_house(&house);
    fd = call(&house);
    for (i = 0; i < 100; i++)
        assert_int_equal(send(fd, "flood\n", 6, MSG_NOSIGNAL), 6);
    turn(&house, 50);
    before = (int)house.heard.length / 6;
    assert_in_range(before, 4, 50);
    shutdown(fd, SHUT_WR);
    assert_int_equal(count_lines(&house, fd), 100);
    assert_int_equal(house.heard.length, 600);
    assert_int_equal(recv(fd, &i, 1, 0), 0);
    close(fd);
    close_house(&house);
}

/* A watcher is told without having asked for each: when it does not read, it is cut off. */
static void a_watcher_that_does_not_read_is_cut_off(void **state)
{
    struct house house;
    json_t *event;
    char heard[1024], *much = xmalloc(1 << 20);
    int fd, other, i;
    (void)state;
    open_house(&house);
    fd = call(&house);
    other = call(&house);
    tell(&house, fd, "watch s\n");
    memset(much, 'x', (1 << 20) - 1);
    much[(1 << 20) - 1] = '\0';
    event = json_pack("{s: s}", "text", much);
    for (i = 0; i < 20; i++) {
        control_publish(house.control, "s", event, false);
        turn(&house, 1);
    }
    turn(&house, 2);
    tell(&house, other, "x\n");
    assert_string_equal(hear(other, heard), "{\"heard\":\"x\"}\n");
    for (i = 0; hear(fd, heard) != NULL; i++)
        assert_true(i < 12 << 10);
    json_decref(event);
    free(much);
    close(fd);
    close(other);
    close_house(&house);
}

/* It reads on and on, and never all that there is: 64 MiB pass through, and little is kept. */
static void what_a_watcher_has_read_is_not_kept(void **state)
{
    enum { PIECE = 1 << 20, PIECES = 64 };
    struct house house;
    char *much = xmalloc(PIECE);
    json_t *event;
    size_t before, heard = 0;
    int fd, i;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch s\n");
    memset(much, 'x', PIECE - 1);
    much[PIECE - 1] = '\0';
    event = json_pack("{s: s}", "text", much);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (i = 0; i < PIECES; i++) {
        control_publish(house.control, "s", event, false);
        while (heard < (size_t)i * PIECE) { /* one piece stays behind */
            ssize_t count = recv(fd, much, PIECE, 0);
            heard += count > 0 ? (size_t)count : 0;
            turn(&house, 1);
        }
    }
    assert_in_range(mallinfo2().uordblks + mallinfo2().hblkhd, 0, before + (16 << 20));
    json_decref(event);
    free(much);
    close(fd);
    close_house(&house);
}

static void watchers_are_told_of_their_study(void **state)
{
    struct house house;
    char heard[1024];
    int all, one, none;
    (void)state;
    open_house(&house);
    all = call(&house);
    one = call(&house);
    none = call(&house);
    tell(&house, all, "watch\n");
    tell(&house, one, "watch Mine\n");
    hear(all, heard);
    hear(one, heard);
    publish(&house, "mine", false);
    publish(&house, "yours", false);
    publish(&house, NULL, false);
    assert_string_equal(hear(one, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":null}\n");
    assert_string_equal(hear(all, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":\"yours\"}\n"
                                          "{\"event_of\":null}\n");
    assert_string_equal(hear(none, heard), "");
    publish(&house, "mine", true);
    publish(&house, "mine", false);
    assert_string_equal(hear(one, heard), "{\"event_of\":\"mine\"}\n");
    assert_string_equal(hear(all, heard), "{\"event_of\":\"mine\"}\n{\"event_of\":\"mine\"}\n");
    close(all);
    close(one);
    close(none);
    close_house(&house);
}

/* `echo ... | socat` closes its side at once, and still wants to hear. */
static void who_says_no_more_still_hears_what_it_watches(void **state)
{
    struct house house;
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch s\n");
    shutdown(fd, SHUT_WR);
    turn(&house, 3);
    hear(fd, heard);
    publish(&house, "s", false);
    assert_string_equal(hear(fd, heard), "{\"event_of\":\"s\"}\n");
    publish(&house, "s", true);
    assert_string_equal(hear(fd, heard), "{\"event_of\":\"s\"}\n");
    assert_null(hear(fd, heard));
    close(fd);
    close_house(&house);
}

/* The last events are said right before the end. */
static void the_end_writes_what_is_kept(void **state)
{
    struct house house;
    json_t *event = json_pack("{s: s}", "state", "finished");
    char heard[1024];
    int fd;
    (void)state;
    open_house(&house);
    fd = call(&house);
    tell(&house, fd, "watch\n");
    hear(fd, heard);
    control_publish(house.control, "s", event, true);
    control_close(house.control);
    house.control = NULL;
    assert_string_equal(hear(fd, heard), "{\"state\":\"finished\"}\n");
    assert_null(hear(fd, heard));
    json_decref(event);
    close(fd);
    close_house(&house);
}

static void one_too_many_is_told_so(void **state)
{
    struct house house;
    char heard[1024];
    int fds[CONTROL_PEERS_MAX], i, extra;
    (void)state;
    open_house(&house);
    for (i = 0; i < CONTROL_PEERS_MAX; i++)
        fds[i] = call(&house);
    extra = call(&house);
    assert_non_null(strstr(hear(extra, heard), "too many"));
    assert_null(hear(extra, heard));
    close(extra);
    close(fds[7]);
    turn(&house, 2);
    fds[7] = call(&house);
    tell(&house, fds[7], "x\n");
    assert_string_equal(hear(fds[7], heard), "{\"heard\":\"x\"}\n");
    for (i = 0; i < CONTROL_PEERS_MAX; i++)
        close(fds[i]);
    close_house(&house);
}

/* With no descriptor left for a peer, the loop sleeps, and the peer is served later. */
static void out_of_descriptors_the_loop_does_not_spin(void **state)
{
    struct house house;
    struct rlimit limit, tight;
    char heard[1024];
    int fd, probe, turns = 0;
    int64_t until;
    (void)state;
    open_house(&house);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    fd = call_at(house.home);
    probe = dup(0);
    close(probe);
    tight = (struct rlimit){.rlim_cur = (rlim_t)probe, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    loop_set_timer(house.loop, &house.tick, 200);
    until = clock_ms() + 150;
    while (clock_ms() < until) {
        turn(&house, 1);
        turns++;
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(turns < 10);
    loop_set_timer(house.loop, &house.tick, 1);
    assert_int_equal(send(fd, "x\n", 2, 0), 2);
    turn_until_heard(&house);
    turn(&house, 2);
    assert_string_equal(hear(fd, heard), "{\"heard\":\"x\"}\n");
    close(fd);
    close_house(&house);
}

static void peers_that_vanish_do_no_harm(void **state)
{
    struct house house;
    int i;
    (void)state;
    open_house(&house);
    for (i = 0; i < 200; i++) {
        int fd = call_at(house.home);
        if (i % 2 == 0)
            assert_int_equal(send(fd, "flood\nflood\nha", 14, MSG_NOSIGNAL), 14);
        turn(&house, i % 3);
        close(fd);
        if (i % 20 == 0)
            turn(&house, 50);
    }
    turn(&house, 300);
    close_house(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_answered_in_order),
        cmocka_unit_test(nothing_is_answered_in_the_turn_of_its_request),
        cmocka_unit_test(only_the_user_can_open_it),
        cmocka_unit_test(another_user_is_turned_away),
        cmocka_unit_test(a_home_with_a_long_path_has_its_socket),
        cmocka_unit_test(a_dead_daemons_socket_is_replaced_and_a_file_is_not),
        cmocka_unit_test(a_line_that_is_too_long_ends_its_peer_alone),
        cmocka_unit_test(who_does_not_read_is_not_listened_to),
        cmocka_unit_test(a_watcher_that_does_not_read_is_cut_off),
        cmocka_unit_test(what_a_watcher_has_read_is_not_kept),
        cmocka_unit_test(watchers_are_told_of_their_study),
        cmocka_unit_test(who_says_no_more_still_hears_what_it_watches),
        cmocka_unit_test(the_end_writes_what_is_kept),
        cmocka_unit_test(one_too_many_is_told_so),
        cmocka_unit_test(out_of_descriptors_the_loop_does_not_spin),
        cmocka_unit_test(peers_that_vanish_do_no_harm),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
