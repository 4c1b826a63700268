/* For each parameter of the search space, its value in each trial and what came of it. */
import { drawBottomAxis, drawLeftAxis } from "./axis.js";
import { makeChart, panelWidth, remark, thinRemark } from "./chart.js";
import { drawPoints, pointRemark, valuedTrials, valueScale } from "./points.js";
import { parameterScale } from "./scale.js";
import { htmlElement, picture } from "./svg.js";
import { attachTips } from "./tip.js";

const SCATTER_MOST = 8000; /* in all panels together */
const PANEL_LEAST = 290, PANEL_WIDEST = 560;

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
    const {shown, all} = valuedTrials(study, Math.floor(SCATTER_MOST / Math.max(count, 1)));
    if (count === 0 || all === 0)
        return [remark(count === 0 ? "The search space has no parameters."
                                   : "No trial has a value yet.")];
    const size = Math.min(panelWidth(width, count, PANEL_LEAST), PANEL_WIDEST);
    const panels = study.parameters.map(parameter => drawPanel(study, parameter, shown, size));
    return [htmlElement("div", {class: "panels"}, ...panels),
            remark(pointRemark(study, shown), thinRemark(shown.length, all, "trials"))];
}

export function scatterChart(container, study) {
    return makeChart(container, study, drawScatter);
}
