/* For each parameter of the search space, its value in each trial and what came of it. */
import { drawBottomAxis, drawLeftAxis } from "./axis.js";
import { makeChart, remark, thinRemark } from "./chart.js";
import { drawPoints, valuedTrials, valueScale } from "./points.js";
import { parameterScale } from "./scale.js";
import { htmlElement, picture } from "./svg.js";
import { attachTips } from "./tip.js";

const POINTS_MOST = 8000; /* in all panels together */
const PANEL_LEAST = 290, GAP = 28;

/* Panels beside each other in a width. */
function panelWidth(width, count) {
    const columns = Math.max(Math.min(Math.floor((width + GAP) / (PANEL_LEAST + GAP)), count), 1);
    return Math.floor((width - (columns - 1) * GAP) / columns);
}

function drawPanel(study, parameter, trials, width) {
    const height = 240, box = {left: 58, right: width - 12, top: 8, bottom: height - 44};
    const values = trials.map(trial => trial.parameters?.[parameter.name])
        .filter(value => value !== undefined && value !== null);
    const x = parameterScale(parameter, values, box.left + 8, box.right - 8, {count: width / 80});
    const y = valueScale(study, box);
    const svg = picture(width, height, `${study.metric} by ${parameter.name}`);
    drawLeftAxis(svg, box, y);
    drawBottomAxis(svg, box, x, parameter.name + (parameter.log ? " (log)" : ""));
    attachTips(svg, drawPoints(svg, study, trials, box, y,
                               trial => x.place(trial.parameters?.[parameter.name])));
    return svg;
}

function drawScatter(study, width) {
    const count = study.parameters.length;
    const {shown, all} = valuedTrials(study, Math.floor(POINTS_MOST / Math.max(count, 1)));
    if (count === 0 || all === 0)
        return [remark(count === 0 ? "The search space has no parameters."
                                   : "No trial has a value yet.")];
    const size = Math.min(panelWidth(width, count), 560);
    const panels = study.parameters.map(parameter => drawPanel(study, parameter, shown, size));
    const early = shown.some(trial => trial.epochs < study.mostEpochs)
        ? [remark(`Rings are trials that ended before epoch ${study.mostEpochs}.`)] : [];
    return [htmlElement("div", {class: "panels"}, ...panels), ...early,
            ...thinRemark(shown.length, all, "trials")];
}

export function scatterChart(container, study) {
    return makeChart(container, study, drawScatter);
}
