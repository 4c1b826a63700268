#include "trainer/command.h"

#include "common/options.h"
#include "trainer/worker.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "Example, by hand:\n"
    "  echo '{\"type\":\"describe\",\"id\":1,\"data\":{\"dataset\":\"synthetic\"}}' |\n"
    "      trainer worker\n"
    "\n"
    "Usage: trainer worker\n"
    "\n"
    "Serves a tuner: reads messages on stdin and answers on stdout, JSON lines as\n"
    "docs/protocol.md describes them.  Messages for people go to stderr.\n";

enum exit_code command_worker(char *const arguments[], struct failure *why)
{
    const struct options options = {.command = "trainer worker"};
    int parsed = options_parse(&options, arguments, NULL, NULL, why);
    if (parsed < 0)
        return why->code;
    if (parsed > 0) {
        fputs(help, stdout);
        return EXIT_DONE;
    }
    /* The terminal sends Ctrl-C to everyone; what it means is the tuner's to say. */
    signal(SIGINT, SIG_IGN);
    return worker_serve(STDIN_FILENO, STDOUT_FILENO, why) == 0 ? EXIT_DONE : why->code;
}
