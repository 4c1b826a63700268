/* Axes of a plot in the box {left, right, top, bottom}. */
import { shorten } from "./format.js";
import { svgElement, svgLabel } from "./svg.js";

function tickText(x, y, anchor, tick) {
    return svgLabel(x, y, "tick", anchor, tick.label, tick.full);
}

/* Lines across the box and labels left of it. */
export function drawLeftAxis(svg, box, scale) {
    for (const tick of scale.ticks) {
        const y = scale.place(tick.value);
        svg.append(svgElement("line", {class: "grid", x1: box.left, x2: box.right, y1: y, y2: y}),
                   tickText(box.left - 8, y + 4, "end", tick));
    }
}

/* About as wide as a label is at 12 px. */
function labelWidth(label) {
    return Array.from(label).length * 6.8;
}

/* Labels below the box, as many as fit beside each other, and what the axis is of. */
export function drawBottomAxis(svg, box, scale, name) {
    let free = -Infinity;
    svg.append(svgElement("line", {class: "axis", x1: box.left, x2: box.right, y1: box.bottom,
                                   y2: box.bottom}));
    for (const tick of scale.ticks) {
        const x = scale.place(tick.value), half = labelWidth(tick.label) / 2;
        svg.append(svgElement("line", {class: "axis", x1: x, x2: x, y1: box.bottom,
                                       y2: box.bottom + 4}));
        if (x - half < free)
            continue;
        svg.append(tickText(x, box.bottom + 18, "middle", tick));
        free = x + half + 8;
    }
    if (name)
        svg.append(svgLabel((box.left + box.right) / 2, box.bottom + 37, "axis-name", "middle",
                            shorten(name, Math.floor((box.right - box.left) / 7)), name));
}
