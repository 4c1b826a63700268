/* Parallel coordinates: an axis for each parameter and one for the value, a line for each trial.
 * Ranges dragged on axes leave only the trials that are within all of them. */
import { lineOpacity, makeChart, remark, thinRemark } from "./chart.js";
import { valueClass, valueLegend } from "./colour.js";
import { formatMeasure, isNumber, shorten } from "./format.js";
import { placeWithin, valueScale } from "./points.js";
import { parameterScale } from "./scale.js";
import { countOf, describeTrial, thin } from "./study.js";
import { htmlElement, pathThrough, picture, svgElement, svgLabel } from "./svg.js";
import { attachTips } from "./tip.js";

const LINES_MOST = 1500;
const AXIS_LEAST = 80;  /* pixels from axis to axis */
const BRUSH_LEAST = 4;  /* a shorter drag takes the range away */
const KEY_RANGE = 0.25; /* of an axis: what the arrow keys begin with */

/* [{name, title, place(trial), ticks, x}], the value's last. */
function layOutAxes(study, trials, box) {
    const axes = study.parameters.map(parameter => {
        const values = trials.map(trial => trial.parameters?.[parameter.name])
            .filter(value => value !== undefined && value !== null);
        const scale = parameterScale(parameter, values, box.bottom, box.top,
                                     {count: 5, longest: 9});
        return {name: parameter.name, title: parameter.name + (parameter.log ? " (log)" : ""),
                ticks: scale.ticks, placeTick: scale.place,
                place: trial => scale.place(trial.parameters?.[parameter.name])};
    });
    const values = valueScale(study, box);
    axes.push({name: study.metric, title: study.metric, ticks: values.ticks,
               placeTick: values.place,
               place: ({value}) => isNumber(value) ? placeWithin(values, value, box) : NaN});
    const apart = (box.right - box.left) / Math.max(axes.length - 1, 1);
    axes.forEach((axis, i) => { axis.x = box.left + i * apart; });
    return {axes, apart};
}

function drawAxis(svg, axis, box, apart) {
    svg.append(svgLabel(axis.x, box.top - 16, "axis-name", "middle",
                        shorten(axis.title, Math.floor(apart / 7)), axis.title),
               svgElement("line", {class: "axis", x1: axis.x, x2: axis.x, y1: box.top,
                                   y2: box.bottom}));
    const last = axis.x >= box.right - 1; /* its labels are behind it, beside the lines */
    for (const tick of axis.ticks) {
        svg.append(svgLabel(axis.x + (last ? 8 : -6), axis.placeTick(tick.value) + 4,
                            "tick on-lines", last ? "start" : "end", tick.label, tick.full));
    }
}

function drawLine(study, trial, axes) {
    const points = axes.map(axis => [axis.x, axis.place(trial)])
        .filter(([, y]) => Number.isFinite(y));
    const winner = trial.trial === study.winner;
    const colour = winner ? "winner" : valueClass(study, trial.value);
    return svgElement("path", {class: `trial ${colour}`, d: pathThrough(points)});
}

/* ---- ranges on axes ---- */

/* Where an axis is dragged or, with the focus, moved by the arrow keys; `ranges` maps an axis's
 * name to [upper, lower] as shares of the box's height. */
function addBrush(svg, axis, box, ranges, changed) {
    const height = box.bottom - box.top;
    const mark = svgElement("rect", {class: "range", x: axis.x - 7, width: 14});
    const area = svgElement("rect", {
        class: "brush", x: axis.x - 14, y: box.top - 6, width: 28, height: height + 12,
        tabindex: "0", role: "button", "aria-label": `range of ${axis.name}: drag, or use the `
        + "arrow keys; Escape takes it away"});
    let from = null;

    function show() {
        const range = ranges.get(axis.name);
        mark.setAttribute("y", box.top + (range ? range[0] : 0) * height);
        mark.setAttribute("height", range ? (range[1] - range[0]) * height : 0);
    }
    function set(range) {
        if (range)
            ranges.set(axis.name, range);
        else
            ranges.delete(axis.name);
        show();
        changed();
    }
    function shareAt(event) {
        const bounds = area.getBoundingClientRect();
        const y = (event.clientY - bounds.top) / bounds.height * (height + 12) - 6;
        return Math.min(Math.max(y / height, 0), 1);
    }
    function drag(event) {
        const at = shareAt(event), range = [Math.min(from, at), Math.max(from, at)];
        set((range[1] - range[0]) * height < BRUSH_LEAST ? null : range);
    }
    area.addEventListener("pointerdown", event => {
        area.setPointerCapture(event.pointerId);
        from = shareAt(event);
        set(null);
    });
    area.addEventListener("pointermove", event => {
        if (from !== null)
            drag(event);
    });
    for (const end of ["pointerup", "pointercancel"])
        area.addEventListener(end, () => { from = null; });
    area.addEventListener("keydown", event => {
        const step = {ArrowUp: -0.05, ArrowDown: 0.05}[event.key];
        if (event.key === "Escape")
            set(null);
        if (!step)
            return;
        event.preventDefault();
        const [top, bottom] = ranges.get(axis.name) ?? [0, KEY_RANGE];
        const move = Math.min(Math.max(step, -top), 1 - bottom);
        set([top + move, bottom + move]);
    });
    show();
    svg.append(mark, area);
}

function isWithin(trial, axes, ranges, box) {
    return axes.every(axis => {
        const range = ranges.get(axis.name);
        const share = (axis.place(trial) - box.top) / (box.bottom - box.top);
        return !range || (share >= range[0] && share <= range[1]);
    });
}

/* ---- the chart ---- */

/* The worst first, so that the better lie on top; the winner last. */
function drawingOrder(study, trials) {
    const worth = trial => trial.trial === study.winner ? Infinity
        : !isNumber(trial.value) ? -Infinity : study.maximize ? trial.value : -trial.value;
    return trials.slice().sort((a, b) => worth(a) === worth(b) ? a.trial - b.trial
        : worth(a) - worth(b));
}

function describeRanges(study, axes, ranges, within) {
    if (ranges.size === 0)
        return "Drag along an axis to choose a range.";
    const best = within.filter(trial => isNumber(trial.value)).at(-1);
    const names = axes.filter(axis => ranges.has(axis.name)).map(axis => axis.name).join(", ");
    return `${within.length} trial${within.length === 1 ? " is" : "s are"} within the ranges of `
        + `${names}` + (best ? `; the best is ${best.trial} with ${study.metric} `
        + `${formatMeasure(best.value)}.` : ".");
}

function drawParallel(study, width, ranges) {
    const trials = drawingOrder(study, thin(study.trials, LINES_MOST,
                                            trial => trial.trial === study.winner));
    if (trials.length === 0)
        return [remark("There is no trial yet.")];
    const full = Math.max(width, 70 + study.parameters.length * AXIS_LEAST + 50);
    const height = 380, box = {left: 70, right: full - 50, top: 44, bottom: height - 16};
    const {axes, apart} = layOutAxes(study, trials, box);
    const svg = picture(full, height, `Parameters and ${study.metric} of ${trials.length} trials`);
    const said = remark("");
    said.classList.add("hint");
    const marks = trials.map(trial => ({element: drawLine(study, trial, axes), trial,
                                        lines: () => describeTrial(study, trial)}));
    const lines = svgElement("g", {class: "lines"}, ...marks.map(mark => mark.element));
    lines.style.setProperty("--opacity", lineOpacity(trials.length));
    svg.append(lines);
    axes.forEach(axis => drawAxis(svg, axis, box, apart));

    function changed() {
        const within = [];
        for (const {element, trial} of marks) {
            const inside = isWithin(trial, axes, ranges, box);
            element.classList.toggle("faded", !inside);
            if (inside)
                within.push(trial);
        }
        said.textContent = describeRanges(study, axes, ranges, within);
    }
    axes.forEach(axis => addBrush(svg, axis, box, ranges, changed));
    attachTips(svg, marks);
    changed();
    return [htmlElement("div", {class: "scroll"}, svg), valueLegend(study), said,
            remark(thinRemark(trials.length, countOf(study, "trials", study.trials), "trials"))];
}

export function parallelChart(container, study) {
    const ranges = new Map();
    return makeChart(container, study, (newer, width) => drawParallel(newer, width, ranges));
}
