#include "tuner/client.h"

#include "tuner/control.h"
#include "tuner/control_address.h"
#include "tuner/requests.h"

#include "tests/fake_daemon.h"
#include "tests/home_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon in a process of its own, which ends when it is asked to cancel everything, and somebody
 * who talks to it. */
struct house {
    char *home;
    pid_t process; /* 0: it has ended */
    struct client *client;
    struct failure why;
};

struct server {
    struct control *control;
    struct daemon daemon;
    bool ended;
};

static void on_line(void *context, struct peer *peer, const char *line, size_t length)
{
    struct server *server = context;
    struct failure why = FAILURE_NONE;
    struct request request;
    json_t *answer;
    bool known = request_parse(line, length, &request, &why) == 0;
    answer = known ? request_answer(&request, &server->daemon) : request_refusal(&why);
    if (known && request.type == REQUEST_WATCH)
        peer_watch(peer, request.study);
    peer_say(peer, answer);
    json_decref(answer);
    if (known && request.type == REQUEST_PAUSE) {
        answer = json_pack("{s: s, s: s}", "event", "state", "state", "paused");
        control_publish(server->control, request.study, answer, false);
        json_decref(answer);
    }
    server->ended = known && request.type == REQUEST_CANCEL;
    request_release(&request);
    failure_clear(&why);
}

static void serve(const char *home, int ready)
{
    struct server server = {.daemon = {.asked = TEXT_EMPTY}};
    const struct control_events events = {on_line, &server};
    struct loop *loop = loop_new(NULL);
    server.control = control_open(loop, home, &events, NULL);
    (void)!write(ready, "r", 1);
    while (!server.ended && loop_turn(loop, NULL) == 0)
        continue;
    control_close(server.control);
    loop_free(loop);
    text_free(&server.daemon.asked);
}

static int open_house(void **state)
{
    struct house *house = xcalloc(1, sizeof *house);
    int ready[2];
    char byte;
    house->home = new_home();
    assert_int_equal(pipe(ready), 0);
    house->process = fork();
    if (house->process == 0) {
        serve(house->home, ready[1]);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    house->client = client_open(house->home, &house->why);
    *state = house;
    return house->client != NULL ? 0 : -1;
}

static void end_daemon(struct house *house)
{
    struct client *client = client_open(house->home, NULL);
    int status;
    assert_non_null(client);
    json_decref(client_ask(client, json_pack("{s: s}", "request", "cancel"), NULL));
    assert_int_equal(waitpid(house->process, &status, 0), house->process);
    assert_int_equal(status, 0);
    house->process = 0;
    client_close(client);
}

static int close_house(void **state)
{
    struct house *house = *state;
    if (house->process > 0)
        end_daemon(house);
    client_close(house->client);
    failure_clear(&house->why);
    remove_home(house->home);
    free(house);
    return 0;
}

static json_t *request(const char *word, const char *study)
{
    return json_pack("{s: s, s: s}", "request", word, "study", study);
}

static void a_request_is_answered(void **state)
{
    struct house *house = *state;
    json_t *answer = client_ask(house->client, request("ask", "s"), &house->why);
    assert_int_equal(client_pid(house->client), house->process);
    assert_int_equal(json_integer_value(json_object_get(answer, "trial")), 3);
    json_decref(answer);
}

/* The status of some thousands of studies is longer than a request may be. */
static void an_answer_may_be_longer_than_a_request(void **state)
{
    struct house *house = *state;
    json_t *answer = client_ask(house->client, request("status", "talkative"), &house->why);
    assert_null(house->why.text);
    assert_int_equal(json_array_size(json_object_get(answer, "studies")), 200000);
    json_decref(answer);
}

static void a_refusal_is_a_failure_with_its_code(void **state)
{
    struct house *house = *state;
    assert_null(client_ask(house->client, request("pause", "nobody"), &house->why));
    assert_int_equal(house->why.code, EXIT_BAD_INPUT);
    assert_string_equal(house->why.text, "there is no study named nobody");
    failure_clear(&house->why);
    assert_null(client_ask(house->client, request("pause", "../x"), &house->why));
    assert_int_equal(house->why.code, EXIT_BAD_USAGE);
}

static void without_a_daemon_the_way_to_start_one_is_said(void **state)
{
    struct failure why = FAILURE_NONE;
    struct client *client = NULL;
    char *home = new_home(), *none = xasprintf("%s/none", home), *expected;
    (void)state;
    assert_int_equal(client_find(home, &client, &why), 0);
    assert_int_equal(client_find(none, &client, &why), 0);
    assert_null(why.text);
    assert_null(client_open(home, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    expected = xasprintf("no daemon works in %s; start one with: tuner serve --home %s", home,
                         home);
    assert_string_equal(why.text, expected);
    free(expected);
    failure_clear(&why);
    free(none);
    remove_home(home);
}

static void a_dead_daemons_socket_is_no_daemon(void **state)
{
    char *home = new_home();
    struct control_address address;
    struct client *client = NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)state;
    assert_int_equal(control_address_open(&address, home, NULL), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address.name, sizeof address.name), 0);
    control_address_close(&address);
    close(fd);
    assert_int_equal(client_find(home, &client, NULL), 0);
    remove_home(home);
}

static void events_come_after_the_answer(void **state)
{
    struct house *house = *state;
    struct client *watcher = house->client, *other = client_open(house->home, NULL);
    json_t *event = client_ask(watcher, request("watch", "s"), NULL);
    assert_non_null(event);
    json_decref(event);
    assert_int_equal(client_next(watcher, 0, &event, NULL), 0);
    assert_int_equal(client_next(watcher, 20, &event, NULL), 0);
    json_decref(client_ask(other, request("pause", "s"), NULL));
    assert_int_equal(client_next(watcher, 5000, &event, NULL), 1);
    assert_string_equal(json_string_value(json_object_get(event, "state")), "paused");
    json_decref(event);
    client_close(other);
}

static void the_daemons_end_is_said(void **state)
{
    struct house *house = *state;
    json_t *event = NULL;
    json_decref(client_ask(house->client, request("watch", "s"), NULL));
    end_daemon(house);
    assert_int_equal(client_next(house->client, -1, &event, &house->why), -1);
    assert_non_null(strstr(house->why.text, " has ended"));
    failure_clear(&house->why);
    assert_null(client_ask(house->client, request("status", "s"), &house->why));
    assert_non_null(strstr(house->why.text, " has ended"));
}

static void a_request_that_is_too_long_is_not_sent(void **state)
{
    struct house *house = *state;
    char *much = xmalloc((1 << 20) + 1);
    memset(much, 'x', 1 << 20);
    much[1 << 20] = '\0';
    assert_null(client_ask(house->client, request("ask", much), &house->why));
    assert_int_equal(house->why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(house->why.text, "too long"));
    free(much);
}

#define HOUSE_TEST(name) cmocka_unit_test_setup_teardown(name, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE_TEST(a_request_is_answered),
        HOUSE_TEST(an_answer_may_be_longer_than_a_request),
        HOUSE_TEST(a_refusal_is_a_failure_with_its_code),
        cmocka_unit_test(without_a_daemon_the_way_to_start_one_is_said),
        cmocka_unit_test(a_dead_daemons_socket_is_no_daemon),
        HOUSE_TEST(events_come_after_the_answer),
        HOUSE_TEST(the_daemons_end_is_said),
        HOUSE_TEST(a_request_that_is_too_long_is_not_sent),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
