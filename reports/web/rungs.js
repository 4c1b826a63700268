/* The rungs of each bracket: who was there, in the order of the values, and who went on. */
import { makeChart, panelWidth, remark, thinRemark } from "./chart.js";
import { valueClass, valueLegend } from "./colour.js";
import { formatMeasure } from "./format.js";
import { countOf, thin } from "./study.js";
import { htmlElement, picture, svgElement, svgText } from "./svg.js";
import { attachTips } from "./tip.js";

const ENDS_MOST = 80; /* trials shown of those that ended in a rung */
const RUNG_LEAST = 62, RUNG_WIDEST = 260; /* pixels from rung to rung */
const MARGIN = 30;    /* half of what a rung has written above it */

/* [[bracket, [places of rung 0, of rung 1, ...]]], the best first. */
function groupRungs(study) {
    const brackets = new Map();
    for (const place of study.rungs) {
        const rungs = brackets.get(place.bracket) ?? [];
        (rungs[place.rung] ??= []).push(place);
        brackets.set(place.bracket, rungs);
    }
    const last = place => place.rank ?? Infinity;
    return [...brackets].map(([bracket, rungs]) => [bracket, Array.from(rungs, places =>
        (places ?? []).sort((a, b) => last(a) - last(b) || a.trial - b.trial))]);
}

/* The rungs with the places of some trials only, where there are many: of those that ended in
 * each rung an even choice, so that whoever is shown is shown on all of the way. */
function thinRungs(study, rungs) {
    const lastRung = new Map();
    rungs.forEach((places, rung) => places.forEach(place => lastRung.set(place.trial, rung)));
    const chosen = new Set();
    rungs.forEach((places, rung) => {
        const ends = places.filter(place => lastRung.get(place.trial) === rung);
        thin(ends, ENDS_MOST, place => place.trial === study.winner)
            .forEach(place => chosen.add(place.trial));
    });
    return rungs.map(places => places.filter(place => chosen.has(place.trial)));
}

function describePlace(study, place) {
    const lines = [`trial ${place.trial}${place.trial === study.winner ? ", the winner" : ""}`,
                   `${study.metric} ${formatMeasure(place.value)} after ${place.epochs} epoch`
                   + `${place.epochs === 1 ? "" : "s"}`];
    if (place.rank)
        lines.push(`rank ${place.rank} in rung ${place.rung}`);
    if (place.verdict)
        lines.push(place.verdict + (place.reason ? `: ${place.reason}` : ""));
    return lines;
}

/* A disc for who went on or was completed, a ring for who was stopped, a cross for a failure. */
function placeShape(study, place, x, y, radius) {
    const colour = valueClass(study, place.value);
    if (place.verdict === "failed") {
        const r = Math.max(radius, 2.5);
        return svgElement("path", {class: "place failed", d: `M${x - r} ${y - r}L${x + r} ${y + r}`
                                   + `M${x - r} ${y + r}L${x + r} ${y - r}`});
    }
    const kind = place.trial === study.winner ? "winner" : colour;
    const stopped = place.verdict === "stopped" ? " stopped" : "";
    return svgElement("circle", {class: `place ${kind}${stopped}`, cx: x, cy: y, r: radius});
}

/* The way of each trial from rung to rung, below the places. */
function drawWays(svg, study, rungs, spot) {
    for (let rung = 1; rung < rungs.length; rung++) {
        const before = new Map(rungs[rung - 1].map((place, i) => [place.trial, i]));
        rungs[rung].forEach((place, i) => {
            if (!before.has(place.trial))
                return;
            const [x1, y1] = spot(rung - 1, before.get(place.trial)), [x2, y2] = spot(rung, i);
            const middle = ((x1 + x2) / 2).toFixed(1);
            svg.append(svgElement("path", {
                class: place.trial === study.winner ? "way winner" : "way",
                d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`}));
        });
    }
}

function drawBracket(study, bracket, all, width, title) {
    const rungs = thinRungs(study, all);
    const most = rungs.reduce((count, places) => Math.max(count, places.length), 1);
    const step = Math.min(Math.max(480 / most, 2), 18), radius = Math.min(step * 0.42, 5);
    const top = 60, column = Math.min((width - 2 * MARGIN) / Math.max(rungs.length - 1, 1),
                                      RUNG_WIDEST);
    const spot = (rung, i) => [Math.round(MARGIN + rung * column),
                               Math.round((top + i * step) * 10) / 10];
    const svg = picture(width, top + most * step + 8, title);
    svg.append(svgText(0, 16, "heading", "start", title));
    drawWays(svg, study, rungs, spot);
    const marks = [];
    rungs.forEach((places, rung) => {
        const [x] = spot(rung, 0), epochs = places[0]?.epochs ?? "?";
        svg.append(svgText(x, 38, "tick", "middle",
                           column < RUNG_LEAST ? String(epochs) : `epoch ${epochs}`));
        places.forEach((place, i) => {
            const element = placeShape(study, place, x, spot(rung, i)[1], radius);
            svg.append(element);
            marks.push({element, lines: () => describePlace(study, place)});
        });
    });
    attachTips(svg, marks);
    const count = list => list.reduce((sum, places) => sum + places.length, 0);
    return {svg, shown: count(rungs), all: count(all)};
}

function drawRungs(study, width) {
    const brackets = groupRungs(study);
    if (brackets.every(([, rungs]) => rungs.length === 1)
        && !study.rungs.some(place => place.verdict === "stopped"))
        return [remark("There are no rungs: no trial was stopped to give way to another.")];
    const most = brackets.reduce((count, [, rungs]) => Math.max(count, rungs.length), 1);
    const size = panelWidth(width, brackets.length, 2 * MARGIN + (most - 1) * RUNG_LEAST + 80);
    const drawn = brackets.map(([bracket, rungs]) =>
        drawBracket(study, bracket, rungs, size,
                    brackets.length > 1 ? `Bracket ${bracket}` : "Rungs by epochs"));
    const sum = key => drawn.reduce((total, panel) => total + panel[key], 0);
    return [htmlElement("div", {class: "panels"}, ...drawn.map(panel => panel.svg)),
            valueLegend(study),
            remark("The best of a rung is on top. Discs went on or were completed, rings were "
                   + "stopped, crosses failed.", thinRemark(sum("shown"), countOf(study, "places", {length: sum("all")}),
                                              "places"))];
}

export function rungsChart(container, study) {
    return makeChart(container, study, drawRungs);
}
