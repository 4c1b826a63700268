/* The report's JSON as the charts want it. */
import { makeClock } from "./clock.js";
import { formatDuration, formatMeasure, formatValue, isNumber } from "./format.js";

/* The range of values that is worth showing: all of them, unless a few bad ones would press the
 * others together; those are then drawn at its edge. */
function findWindow(spread, maximize) {
    const best = spread.at(-1), worst = spread[0], quarter = spread[spread.length >> 2];
    if (!isNumber(best))
        return {low: 0, high: 1};
    const reach = best + (quarter - best) * 1.5;
    const cut = maximize ? Math.max(worst, reach) : Math.min(worst, reach);
    const end = cut === best ? worst : cut;
    return maximize ? {low: end, high: best} : {low: best, high: end};
}

/* The report's "spread", where it has none: a study that is fed to the charts otherwise. */
function findSpread(trials, maximize) {
    const sorted = trials.map(trial => trial.value).filter(isNumber)
        .sort((a, b) => maximize ? a - b : b - a); /* worst first */
    return Array.from({length: 37}, (_, i) =>
        sorted[Math.min(Math.floor(sorted.length * i / 36), sorted.length - 1)]);
}

/* {metric, maximize, winner, window, ninths, parameters, trials, rungs, segments, all, secondsAt,
 * gaps}: where each ninth of the values ends, the worst first, which is what colours go by, so
 * that a few bad values do not give all others one colour; how many trials, places in rungs and
 * segments there are in all, where those are not all; secondsAt(ms) is the time since the start
 * without the gaps. */
export function readStudy(data) {
    const trials = data.trials ?? [], segments = data.segments ?? [];
    const {secondsAt, gaps} = makeClock(segments);
    const maximize = data.study.goal !== "minimize";
    const spread = data.spread ?? findSpread(trials, maximize);
    const {trials: count, places, segments: attempts} = data.study;
    return {
        metric: data.study.metric, maximize, winner: data.winner?.trial ?? null,
        window: findWindow(spread, maximize), ninths: spread.filter((_, i) => i % 4 === 0),
        all: count > trials.length ? {trials: count, places, segments: attempts} : null,
        parameters: data.parameters ?? [], trials, rungs: data.rungs ?? [], segments, secondsAt,
        gaps, mostEpochs: trials.reduce((most, trial) => Math.max(most, trial.epochs ?? 0), 0),
    };
}

export function isBetter(study, a, b) {
    return study.maximize ? a > b : a < b;
}

/* How many there are of what a list has, of which the report may list a part. */
export function countOf(study, what, list) {
    return study.all ? study.all[what] : list.length;
}

/* At most `most` of a list, evenly, and all for which keep() is true. */
export function thin(list, most, keep = () => false) {
    if (list.length <= most)
        return list;
    const every = list.length / most;
    let next = 0;
    return list.filter((item, i) => {
        if (i < next)
            return keep(item);
        next += every;
        return true;
    });
}

/* What a tip says of a trial. */
export function describeTrial(study, trial) {
    const lines = [`trial ${trial.trial}${trial.trial === study.winner ? ", the winner" : ""}`,
                   `${study.metric} ${formatMeasure(trial.value)} after ${trial.epochs} epoch`
                   + `${trial.epochs === 1 ? "" : "s"}`];
    if (isNumber(trial.seconds))
        lines.push(`trained for ${formatDuration(trial.seconds)}`);
    if (trial.state !== "completed" && trial.reason)
        lines.push(`${trial.state}: ${trial.reason}`);
    for (const {name} of study.parameters)
        lines.push(`${name} = ${formatValue(trial.parameters?.[name])}`);
    return lines;
}
