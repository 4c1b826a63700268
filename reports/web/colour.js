/* The colours of values: nine steps, classes v0 (worst) to v8 (best) of the style sheet, darker
 * towards the best on light paper and lighter on dark, so that they are told apart in grey too. */
import { formatMeasure, isNumber } from "./format.js";
import { isBetter } from "./study.js";
import { htmlElement } from "./svg.js";

const STEPS = 9;

/* The class of the ninth of all values that a value is in; "v-none" without one. */
export function valueClass(study, value) {
    if (!isNumber(value))
        return "v-none";
    let step = 0;
    while (step < STEPS - 1 && !isBetter(study, study.ninths[step + 1], value))
        step++;
    return `v${step}`;
}

/* What the colours mean. */
export function valueLegend(study) {
    const steps = Array.from({length: STEPS}, (_, i) => htmlElement("i", {
        class: `v${i}`, title: `${formatMeasure(study.ninths[i])} to `
        + formatMeasure(study.ninths[i + 1])}));
    const range = htmlElement("span", {class: "range"}, formatMeasure(study.ninths[0]),
                              htmlElement("span", {class: "steps"}, ...steps),
                              formatMeasure(study.ninths[STEPS]));
    return htmlElement("p", {class: "legend"}, `${study.metric}, in ninths of the trials`, range,
                       htmlElement("span", {class: "key winner"}, "winner"));
}
