/* A scale takes a value to a place between `from` and `to`, and knows its ticks:
 * {place(value), ticks: [{value, label}]}; those of numbers have invert(place) too. */
import { formatValue, isNumber, shorten } from "./format.js";

/* 1, 2 or 5 times a power of ten, so that about `count` steps cover the range. */
function roundStep(range, count) {
    const rough = range / Math.max(count, 1), power = 10 ** Math.floor(Math.log10(rough));
    const factor = [1, 2, 5, 10].find(f => f * power >= rough * 0.75);
    return factor * power;
}

function tickLabel(value, step) {
    if (value !== 0 && (Math.abs(value) >= 1e5 || step < 1e-4))
        return value.toExponential(step < 1e-4 && Math.abs(value) >= 10 * step ? 1 : 0);
    return value.toFixed(Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 6));
}

function linearTicks(low, high, count, integers) {
    let step = roundStep(high - low, count);
    if (integers)
        step = Math.max(Math.round(step), 1);
    const ticks = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
        ticks.push({value: i * step, label: tickLabel(i * step, step)});
    return ticks;
}

/* A range of one value gets some room on both sides. */
function widen(low, high) {
    if (high > low)
        return [low, high];
    const room = Math.abs(low) * 0.1 || 1;
    return [low - room, low + room];
}

export function linearScale(low, high, from, to, {count = 5, integers = false} = {}) {
    [low, high] = widen(low, high);
    return {
        place: value => from + (value - low) / (high - low) * (to - from),
        invert: place => low + (place - from) / (to - from) * (high - low),
        ticks: linearTicks(low, high, count, integers),
    };
}

/* The powers of ten, with twos and fives where there are few of them. */
function logTicks(low, high, count) {
    const decades = Math.log10(high / low);
    const factors = decades > count / 2 ? [1] : decades > count / 3 ? [1, 3] : [1, 2, 5];
    const every = Math.max(Math.ceil(decades / count), 1), ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1e-9; power += every)
        for (const factor of factors) {
            const value = factor * 10 ** power;
            if (value >= low * 0.9999 && value <= high * 1.0001)
                ticks.push({value, label: logLabel(value)});
        }
    return ticks;
}

function logLabel(value) {
    return value >= 0.001 && value < 1e5 ? String(Number(value.toPrecision(3)))
        : value.toExponential(0);
}

export function logScale(low, high, from, to, {count = 5} = {}) {
    if (!(high > low))
        [low, high] = [low / 2, low * 2];
    const linear = linearScale(Math.log(low), Math.log(high), from, to);
    return {
        place: value => linear.place(Math.log(value)),
        invert: place => Math.exp(linear.invert(place)),
        ticks: logTicks(low, high, count),
    };
}

/* A place for each of some choices; `longest` is how many characters a label may have. */
export function bandScale(choices, from, to, {longest = 12} = {}) {
    const keys = choices.map(choice => JSON.stringify(choice));
    const band = (to - from) / Math.max(choices.length, 1);
    return {
        place: value => from + band * (keys.indexOf(JSON.stringify(value)) + 0.5),
        ticks: choices.map(value => ({value, label: shorten(formatValue(value), longest),
                                      full: formatValue(value)})),
    };
}

function rangeOf(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
        low = Math.min(low, value);
        high = Math.max(high, value);
    }
    return [low, high];
}

/* The choices of a parameter: the study's, else those that were drawn. */
function choicesOf(parameter, values) {
    if (parameter.choices)
        return parameter.choices;
    if (parameter.type === "bool")
        return [false, true];
    const texts = new Set(values.map(value => JSON.stringify(value)));
    return [...texts].sort().map(text => JSON.parse(text));
}

/* The scale of a parameter of the search space that has these values. */
export function parameterScale(parameter, values, from, to, options = {}) {
    const numeric = parameter.type === "int" || parameter.type === "float";
    if (!numeric || !values.every(isNumber))
        return bandScale(choicesOf(parameter, values), from, to, options);
    let [low, high] = rangeOf([...values, parameter.low, parameter.high].filter(isNumber));
    if (low > high)
        [low, high] = [0, 1];
    if (parameter.log && low > 0)
        return logScale(low, high, from, to, options);
    return linearScale(low, high, from, to, {...options, integers: parameter.type === "int"});
}
