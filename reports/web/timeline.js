/* What each worker did when: a bar for each segment, in the colour of its value. */
import { drawBottomAxis } from "./axis.js";
import { timeUnit } from "./best.js";
import { makeChart, remark, thinRemark } from "./chart.js";
import { valueClass, valueLegend } from "./colour.js";
import { formatDuration, formatMeasure, isNumber } from "./format.js";
import { linearScale } from "./scale.js";
import { countOf, thin } from "./study.js";
import { picture, svgElement, svgText } from "./svg.js";
import { attachTips } from "./tip.js";

const SEGMENTS_MOST = 2000;

/* Where workers end and others begin, one row takes one after the other: [[worker...] of a
 * row], so that a study of many short workers has as many rows as worked at once. */
function assignRows(segments) {
    const spans = new Map();
    for (const {worker, started_ms: start, ended_ms: end} of segments) {
        const span = spans.get(worker) ?? {worker, from: start, to: end};
        span.from = Math.min(span.from, start);
        span.to = Math.max(span.to, end);
        spans.set(worker, span);
    }
    const rows = [], rowOf = new Map();
    for (const span of [...spans.values()].sort((a, b) => a.from - b.from)) {
        let row = rows.findIndex(end => end <= span.from);
        if (row < 0)
            row = rows.length;
        rows[row] = span.to;
        rowOf.set(span.worker, row);
    }
    return {count: rows.length, rowOf};
}

function describeSegment(study, segment) {
    const lines = [`trial ${segment.trial}, epochs ${segment.from_epoch + 1} to `
                   + segment.to_epoch,
                   `worker ${segment.worker}, `
                   + formatDuration((segment.ended_ms - segment.started_ms) / 1000)];
    if (isNumber(segment.value))
        lines.push(`${study.metric} ${formatMeasure(segment.value)}`);
    if (segment.attempt > 1)
        lines.push(`attempt ${segment.attempt}`);
    if (segment.state !== "ended")
        lines.push(segment.state + (segment.reason ? `: ${segment.reason}` : ""));
    return lines;
}

/* Bars of failures are hollow with a thick edge, so that they are told apart without colour. */
function barElement(study, segment, x, y, height) {
    const from = x(segment.started_ms), to = x(segment.ended_ms);
    const bad = ["failed", "retry", "interrupted"].includes(segment.state);
    const colour = segment.trial === study.winner ? "winner" : valueClass(study, segment.value);
    return svgElement("rect", {class: `bar ${bad ? "broken" : colour}`, x: from, y,
                               width: Math.max(to - from - 0.5, 0.7), height, rx: 1});
}

function drawPauses(svg, study, box, x) {
    for (const [from, to] of study.gaps) {
        const at = (x(from) + x(to)) / 2;
        svg.append(svgElement("line", {class: "pause", x1: at, x2: at, y1: box.top, y2: box.bottom},
                              svgElement("title", {}, "nothing ran for "
                                         + formatDuration((to - from) / 1000))));
    }
}

function drawTimeline(study, width) {
    const known = study.segments.filter(s => isNumber(s.started_ms) && isNumber(s.ended_ms));
    if (known.length === 0)
        return [remark("No segment has ended yet.")];
    const shown = thin(known, SEGMENTS_MOST, segment => segment.trial === study.winner);
    const {count, rowOf} = assignRows(known);
    const step = Math.min(Math.max(320 / count, 5), 26), bar = step > 10 ? step - 4 : step - 1;
    const box = {left: 34, right: width - 14, top: 6, bottom: 6 + count * step + 4};
    const end = known.reduce((last, s) => Math.max(last, study.secondsAt(s.ended_ms)), 0);
    const [size, unit] = timeUnit(end);
    const scale = linearScale(0, end / size, box.left, box.right, {count: width / 110});
    const x = ms => scale.place(study.secondsAt(ms) / size);
    const svg = picture(width, box.bottom + 46, `What ${rowOf.size} workers did when, `
                        + `${countOf(study, "segments", known)} segments`);
    for (let row = 0; row < count; row++)
        if (step >= 14 || row % Math.ceil(14 / step) === 0)
            svg.append(svgText(box.left - 8, box.top + row * step + bar / 2 + 4, "tick", "end",
                               String(row + 1)));
    drawBottomAxis(svg, box, scale, `${unit} since the start`);
    drawPauses(svg, study, box, x);
    attachTips(svg, shown.map(segment => {
        const element = barElement(study, segment, x, box.top + rowOf.get(segment.worker) * step,
                                   bar);
        svg.append(element);
        return {element, lines: () => describeSegment(study, segment)};
    }));
    return [svg, valueLegend(study),
            remark(thinRemark(shown.length, countOf(study, "segments", known), "segments"))];
}

export function timelineChart(container, study) {
    return makeChart(container, study, drawTimeline);
}
