/* The report's JSON as the charts want it. */
import { makeClock } from "./clock.js";
import { formatDuration, formatMeasure, formatValue, isNumber } from "./format.js";

/* The range of values that is worth showing: all of them, unless a few bad ones would press the
 * others together; those are then drawn at its edge. */
function findWindow(values, maximize) {
    const sorted = values.slice().sort((a, b) => maximize ? a - b : b - a); /* worst first */
    if (sorted.length === 0)
        return {low: 0, high: 1};
    const best = sorted.at(-1), worst = sorted[0];
    const quarter = sorted[Math.floor(sorted.length / 4)];
    const reach = best + (quarter - best) * 1.5;
    const cut = maximize ? Math.max(worst, reach) : Math.min(worst, reach);
    const end = cut === best ? worst : cut;
    return maximize ? {low: end, high: best} : {low: best, high: end};
}

/* Where each ninth of the values ends, the worst first: what colours go by, so that a few bad
 * values do not give all others one colour. */
function findNinths(values, maximize) {
    const sorted = values.slice().sort((a, b) => maximize ? a - b : b - a);
    return Array.from({length: 10}, (_, i) =>
        sorted[Math.min(Math.floor(sorted.length * i / 9), sorted.length - 1)]);
}

/* {metric, maximize, winner, window, ninths, parameters, trials, rungs, segments, secondsAt,
 * gaps}: secondsAt(ms) is the time since the start without the gaps. */
export function readStudy(data) {
    const trials = data.trials ?? [], segments = data.segments ?? [];
    const {secondsAt, gaps} = makeClock(segments);
    const maximize = data.study.goal !== "minimize";
    const values = trials.map(trial => trial.value).filter(isNumber);
    return {
        metric: data.study.metric, maximize, winner: data.winner?.trial ?? null,
        window: findWindow(values, maximize), ninths: findNinths(values, maximize),
        parameters: data.parameters ?? [], trials, rungs: data.rungs ?? [], segments, secondsAt,
        gaps, mostEpochs: trials.reduce((most, trial) => Math.max(most, trial.epochs ?? 0), 0),
    };
}

export function isBetter(study, a, b) {
    return study.maximize ? a > b : a < b;
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
