/* The time of a study without the stretches in which nothing ran, such as a night between two
 * sessions: those are shortened to a fiftieth of the time in which something did. */
import { isNumber } from "./format.js";

/* Stretches [from, to] between the spans that are longer than a twentieth of them together. */
function findGaps(spans) {
    const gaps = [];
    let busy = 0, end = spans[0]?.[0];
    for (const [from, to] of spans) {
        if (from > end)
            gaps.push([end, from]);
        busy += Math.max(to - Math.max(from, end), 0);
        end = Math.max(end, to);
    }
    return {busy, gaps: gaps.filter(([from, to]) => to - from > busy / 20)};
}

/* {secondsAt(ms), gaps: [[from, to]]}; the segments' first start is second 0. */
export function makeClock(segments) {
    const spans = segments.filter(s => isNumber(s.started_ms))
        .map(s => [s.started_ms, s.ended_ms ?? s.started_ms]).sort((a, b) => a[0] - b[0]);
    const start = spans[0]?.[0] ?? 0, {busy, gaps} = findGaps(spans);
    const secondsAt = ms => {
        let cut = 0;
        for (const [from, to] of gaps) {
            const share = Math.min(Math.max((ms - from) / (to - from), 0), 1);
            cut += share * (to - from - busy / 50);
        }
        return (ms - start - cut) / 1000;
    };
    return {secondsAt, gaps};
}
