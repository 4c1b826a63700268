#include "trainer/command.h"

#include "common/options.h"
#include "trainer/worker.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum exit_code command_worker(char *const arguments[], struct failure *why)
{
    const struct options options = {
        .command = "trainer worker",
        .about = "Serves a tuner: reads messages on stdin and answers on stdout, JSON lines as "
                 "docs/protocol.md describes them.  Messages for people go to stderr.\n",
        .examples =
            "echo '{\"type\":\"describe\",\"id\":1,\"data\":{\"dataset\":\"mnist\"}}' | "
            "trainer worker\n"};
    if (options_parse(&options, arguments, NULL, NULL, why) != 0)
        return why->code;
    /* The terminal sends Ctrl-C to everyone; what it means is the tuner's to say. */
    signal(SIGINT, SIG_IGN);
    return worker_serve(STDIN_FILENO, STDOUT_FILENO, why) == 0 ? EXIT_DONE : why->code;
}
