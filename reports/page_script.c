#include "reports/page_script.h"

#include "common/base.h"
#include "common/embed.h"

#include <string.h>

#define MODULE(name)                                        \
    EMBED(web_##name, "reports/web/" #name ".js");          \
    extern const char web_##name[]

MODULE(svg);
MODULE(format);
MODULE(scale);
MODULE(axis);
MODULE(clock);
MODULE(study);
MODULE(colour);
MODULE(tip);
MODULE(chart);
MODULE(points);
MODULE(best);
MODULE(curves);
MODULE(parallel);
MODULE(scatter);
MODULE(rungs);
MODULE(timeline);
MODULE(specimen);
MODULE(cells);
MODULE(layers);
MODULE(network);
MODULE(digit);
MODULE(draw);
MODULE(page);

/* A module stands behind those that it imports from. */
static const char *const modules[] = {
    web_svg,      web_format,  web_scale,    web_axis,     web_clock,  web_study,
    web_colour,   web_tip,     web_chart,    web_points,   web_best,   web_curves,
    web_parallel, web_scatter, web_rungs,    web_timeline, web_specimen, web_cells,
    web_layers,   web_network, web_digit,    web_draw,     web_page,
};

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void add_module(struct text *text, const char *module)
{
    static const char exporting[] = "export ";
    for (const char *line = module; *line;) {
        size_t length = strcspn(line, "\n");
        const char *next = line + length + (line[length] == '\n');
        if (begins(line, exporting))
            line += strlen(exporting);
        if (!begins(line, "import "))
            text_add_bytes(text, line, (size_t)(next - line));
        line = next;
    }
}

void page_script(struct text *text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(modules); i++)
        add_module(text, modules[i]);
}
