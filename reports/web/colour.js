/* The colours of values: nine steps, classes v0 (worst) to v8 (best) of the style sheet, darker
 * towards the best on light paper and lighter on dark, so that they are told apart in grey too. */
import { formatMeasure, isNumber } from "./format.js";
import { htmlElement } from "./svg.js";

const STEPS = 9;

/* The class of a value within the study's window of values; "v-none" without one. */
export function valueClass(study, value) {
    if (!isNumber(value))
        return "v-none";
    const {low, high} = study.window;
    const share = high > low ? (value - low) / (high - low) : 1;
    const good = study.maximize ? share : 1 - share;
    return `v${Math.min(Math.max(Math.floor(good * STEPS), 0), STEPS - 1)}`;
}

/* What the colours mean. */
export function valueLegend(study) {
    const {low, high} = study.window;
    const [worst, best] = study.maximize ? [low, high] : [high, low];
    const steps = Array.from({length: STEPS}, (_, i) => htmlElement("i", {class: `v${i}`}));
    return htmlElement("p", {class: "legend"}, `${study.metric} `,
                       htmlElement("span", {class: "number"}, formatMeasure(worst)),
                       htmlElement("span", {class: "steps", "aria-hidden": "true"}, ...steps),
                       htmlElement("span", {class: "number"}, formatMeasure(best)),
                       htmlElement("span", {class: "key winner"}, "winner"));
}
