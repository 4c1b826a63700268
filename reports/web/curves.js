/* The objective's metric by epoch, of all trials, the winner's on top. */
import { drawBottomAxis, drawLeftAxis } from "./axis.js";
import { lineOpacity, makeChart, remark, thinRemark } from "./chart.js";
import { valueClass, valueLegend } from "./colour.js";
import { isNumber } from "./format.js";
import { placeWithin, valueScale } from "./points.js";
import { linearScale } from "./scale.js";
import { countOf, describeTrial, thin } from "./study.js";
import { pathThrough, picture, svgElement } from "./svg.js";
import { attachTips } from "./tip.js";

const CURVES_MOST = 1000;

function curveOf(study, trial) {
    return trial.curve?.[study.metric] ?? [];
}

/* A curve of one epoch is a dash, which a path of one point would not show. */
function curveElement(study, trial, box, x, y) {
    const points = [];
    curveOf(study, trial).forEach((value, i) => {
        if (isNumber(value))
            points.push([x.place(i + 1), placeWithin(y, value, box)]);
    });
    if (points.length === 1)
        points.push([points[0][0] + 3, points[0][1]]);
    const winner = trial.trial === study.winner;
    return svgElement("path", {class: winner ? "trial winner" : `trial ${valueClass(study,
                                                                                   trial.value)}`,
                               d: pathThrough(points)});
}

function drawCurves(study, width) {
    const known = study.trials.filter(trial => curveOf(study, trial).some(isNumber));
    if (known.length === 0)
        return [remark(`No trial has a curve of ${study.metric}.`)];
    const shown = thin(known, CURVES_MOST, trial => trial.trial === study.winner);
    const last = shown.reduce((most, t) => Math.max(most, curveOf(study, t).length), 1);
    if (last === 1)
        return [remark("There is no curve to show: no trial was trained for more than an epoch.")];
    const height = width < 500 ? 240 : 320;
    const box = {left: 64, right: width - 14, top: 12, bottom: height - 50};
    const x = linearScale(1, last, box.left, box.right,
                          {count: Math.min(width / 60, last), integers: true});
    const y = valueScale(study, box);
    const svg = picture(width, height, `${study.metric} by epoch, ${shown.length} trials`);
    drawLeftAxis(svg, box, y);
    drawBottomAxis(svg, box, x, "epoch");
    const worst = (a, b) => (study.maximize ? 1 : -1) * ((a.value ?? 0) - (b.value ?? 0));
    const order = shown.slice().sort((a, b) => (a.trial === study.winner)
        - (b.trial === study.winner) || worst(a, b));
    const lines = svgElement("g", {class: "lines"});
    lines.style.setProperty("--opacity", lineOpacity(shown.length));
    svg.append(lines);
    attachTips(svg, order.map(trial => {
        const element = curveElement(study, trial, box, x, y);
        lines.append(element);
        return {element, lines: () => describeTrial(study, trial)};
    }));
    return [svg, valueLegend(study),
            remark(thinRemark(shown.length, countOf(study, "trials", known), "trials"))];
}

export function curvesChart(container, study) {
    return makeChart(container, study, drawCurves);
}
