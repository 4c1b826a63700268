/* The best value over time: every trial where it ended, and a line of steps through the best
 * until then. */
import { drawBottomAxis, drawLeftAxis } from "./axis.js";
import { makeChart, remark, thinRemark } from "./chart.js";
import { formatDuration, isNumber } from "./format.js";
import { drawPoints, placeWithin, pointRemark, valuedTrials, valueScale } from "./points.js";
import { linearScale } from "./scale.js";
import { isBetter } from "./study.js";
import { pathThrough, picture, svgElement } from "./svg.js";
import { attachTips } from "./tip.js";

const POINTS_MOST = 2000;
const UNITS = [[1, "seconds"], [60, "minutes"], [3600, "hours"], [86400, "days"]];

/* The largest unit of which there are at least two. */
export function timeUnit(seconds) {
    return UNITS.filter(([size]) => seconds >= 2 * size).at(-1) ?? UNITS[0];
}

/* [[seconds, value]] of the trials that were better than all that ended before. */
function findSteps(study, trials) {
    const steps = [];
    for (const trial of trials)
        if (steps.length === 0 || isBetter(study, trial.value, steps.at(-1)[1]))
            steps.push([study.secondsAt(trial.ended_ms), trial.value]);
    return steps;
}

function stepPath(steps, end, box, x, y) {
    const points = [];
    steps.forEach(([seconds, value], i) => {
        const until = i + 1 < steps.length ? steps[i + 1][0] : end;
        const height = placeWithin(y, value, box);
        points.push([x.place(seconds), height], [x.place(until), height]);
    });
    return pathThrough(points);
}

function drawBest(study, width) {
    const {shown, all} = valuedTrials(study, POINTS_MOST);
    const ended = study.trials.filter(t => isNumber(t.value) && isNumber(t.ended_ms))
        .sort((a, b) => a.ended_ms - b.ended_ms);
    if (ended.length === 0)
        return [remark("No trial has a value yet.")];
    const height = width < 500 ? 240 : 320;
    const box = {left: 64, right: width - 14, top: 12, bottom: height - 50};
    const end = study.secondsAt(ended.at(-1).ended_ms), [size, unit] = timeUnit(end);
    const ticks = linearScale(0, end / size, box.left, box.right, {count: width / 110});
    const x = {...ticks, place: seconds => ticks.place(seconds / size)};
    const y = valueScale(study, box);
    const svg = picture(width, height, `Best ${study.metric} over time, ${all} trials in `
                        + formatDuration(end));
    drawLeftAxis(svg, box, y);
    drawBottomAxis(svg, box, ticks, `${unit} since the start`);
    svg.append(svgElement("path", {class: "best", d: stepPath(findSteps(study, ended), end, box, x,
                                                              y)}));
    attachTips(svg, drawPoints(svg, study, shown, box, y, trial =>
        isNumber(trial.ended_ms) ? x.place(study.secondsAt(trial.ended_ms)) : NaN));
    return [svg, remark(pointRemark(study, shown), thinRemark(shown.length, all, "trials"))];
}

export function bestChart(container, study) {
    return makeChart(container, study, drawBest);
}
