/* Trials as points of a plot with values up the side. */
import { isNumber } from "./format.js";
import { linearScale } from "./scale.js";
import { countOf, describeTrial, thin } from "./study.js";
import { svgElement } from "./svg.js";

/* The study's window of values from the bottom of a box to its top. */
export function valueScale(study, box) {
    const {low, high} = study.window, room = (high - low) * 0.04;
    return linearScale(low - room, high + room, box.bottom, box.top,
                       {count: Math.max(Math.floor((box.bottom - box.top) / 44), 2)});
}

/* Where a value is, or the edge where it is beyond it. */
export function placeWithin(scale, value, box) {
    return Math.min(Math.max(scale.place(value), box.top), box.bottom);
}

function isOutside(scale, value, box) {
    const y = scale.place(value);
    return y < box.top - 0.5 || y > box.bottom + 0.5;
}

/* A full disc for a trial that was trained to the most epochs, a ring for one that ended before,
 * a triangle at the edge for a value beyond it. */
function pointShape(study, trial, x, y, outside, down) {
    const winner = trial.trial === study.winner;
    const early = trial.epochs < study.mostEpochs;
    const kind = winner ? "point winner" : early ? "point early" : "point";
    if (!outside)
        return svgElement("circle", {class: kind, cx: x, cy: y, r: winner ? 6 : 3.5});
    const tip = down ? y + 4 : y - 4, base = down ? y - 3 : y + 3;
    return svgElement("path", {class: kind, d: `M${x - 4} ${base}L${x + 4} ${base}L${x} ${tip}Z`});
}

/* Adds a point for each trial with a value and an x, the winner last and so on top; returns
 * their marks for attachTips(). */
export function drawPoints(svg, study, trials, box, values, placeX) {
    const order = [...trials.filter(t => t.trial !== study.winner),
                   ...trials.filter(t => t.trial === study.winner)];
    const marks = [];
    for (const trial of order) {
        const x = placeX(trial);
        if (!isNumber(trial.value) || !isNumber(x))
            continue;
        const y = placeWithin(values, trial.value, box);
        const element = pointShape(study, trial, x, y, isOutside(values, trial.value, box),
                                   y >= box.bottom);
        svg.append(element);
        marks.push({element, lines: () => describeTrial(study, trial)});
    }
    return marks;
}

/* Says what rings and triangles are, where there are some. */
export function pointRemark(study, trials) {
    const {low, high} = study.window, sentences = [];
    if (trials.some(trial => trial.epochs < study.mostEpochs))
        sentences.push(`Rings are trials that ended before epoch ${study.mostEpochs}.`);
    if (trials.some(({value}) => value < low || value > high))
        sentences.push(`Triangles are values ${study.maximize ? "below" : "above"} what is shown.`);
    return sentences.join(" ");
}

/* Those of the trials that have a value, thinned to `most`; the winner stays. */
export function valuedTrials(study, most) {
    const valued = study.trials.filter(trial => isNumber(trial.value));
    return {shown: thin(valued, most, trial => trial.trial === study.winner), all: countOf(study, "trials", valued)};
}
