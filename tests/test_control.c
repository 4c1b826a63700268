/* The socket of a home: who may open it, and that every line is answered. */
#include "tests/control_house.h"

#include <sys/stat.h>
#include <sys/wait.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_answered_in_order),
        cmocka_unit_test(nothing_is_answered_in_the_turn_of_its_request),
        cmocka_unit_test(only_the_user_can_open_it),
        cmocka_unit_test(another_user_is_turned_away),
        cmocka_unit_test(a_home_with_a_long_path_has_its_socket),
        cmocka_unit_test(a_dead_daemons_socket_is_replaced_and_a_file_is_not),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
