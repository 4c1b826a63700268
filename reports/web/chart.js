/* What all charts share: a picture as wide as its container, drawn anew when that changes, for
 * print, and when there is more to show. */
import { formatCount } from "./format.js";
import { htmlElement } from "./svg.js";
import { hideTip } from "./tip.js";

const PRINT_WIDTH = 680; /* of a page between its margins, in pixels of CSS */

/* draw(study, width) makes the elements to show; none, or only words, where the study has
 * nothing for this chart. */
export function makeChart(container, study, draw) {
    const print = window.matchMedia("print");
    let drawn = 0;
    function show() {
        drawn = print.matches ? Math.min(PRINT_WIDTH, container.clientWidth || PRINT_WIDTH)
            : container.clientWidth;
        if (drawn === 0)
            return;
        hideTip();
        container.replaceChildren(...draw(study, drawn));
    }
    new ResizeObserver(() => {
        if (container.clientWidth !== drawn)
            show();
    }).observe(container);
    print.addEventListener("change", show);
    show();
    return {
        update(newer) {
            study = newer;
            show();
        },
    };
}

const PANEL_GAP = 28; /* as in the style sheet */

/* How wide panels of at least `least` are that fill a width beside each other. */
export function panelWidth(width, count, least) {
    const fitting = Math.floor((width + PANEL_GAP) / (least + PANEL_GAP));
    const columns = Math.max(Math.min(fitting, count), 1);
    return Math.floor((width - (columns - 1) * PANEL_GAP) / columns);
}

/* Sentences in place of a chart or below it; empty ones are left out. */
export function remark(...sentences) {
    return htmlElement("p", {class: "remark-line"}, sentences.filter(Boolean).join(" "));
}

/* How many of all are shown, where that is not all; else "". */
export function thinRemark(shown, all, what) {
    return shown < all ? `${formatCount(shown)} of ${formatCount(all)} ${what} are shown.` : "";
}

/* How opaque each of so many lines is, for those beneath to be seen. */
export function lineOpacity(count) {
    return Math.min(0.8, 9 / Math.sqrt(count));
}
