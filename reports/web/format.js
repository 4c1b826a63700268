/* Numbers as reports/format.c writes them. */

const NOTHING = "\u2013";

export function isNumber(value) {
    return typeof value === "number" && Number.isFinite(value);
}

/* 0.99123 -> "99.12 %", with as many decimals as asked for. */
export function formatPercent(share, decimals = 2) {
    return isNumber(share) ? `${(share * 100).toFixed(decimals)} %` : NOTHING;
}

/* 0.99123 -> "0.9912", 1e-7 -> "1.000e-7". */
export function formatMeasure(value) {
    if (!isNumber(value))
        return NOTHING;
    const size = Math.abs(value);
    return size === 0 || (size >= 0.001 && size < 100000) ? value.toFixed(4)
        : value.toExponential(3);
}

export function formatCount(count) {
    return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/* 192.4 -> "3 min 12 s". */
export function formatDuration(seconds) {
    if (!isNumber(seconds) || seconds < 0)
        return NOTHING;
    if (seconds < 10)
        return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    if (whole < 60)
        return `${whole} s`;
    if (whole < 3600)
        return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}

/* A value of a parameter: a number with four significant digits, all else as JSON has it. */
export function formatValue(value) {
    if (value === null || value === undefined)
        return NOTHING;
    if (typeof value === "string")
        return value;
    if (!isNumber(value) || Number.isInteger(value))
        return JSON.stringify(value);
    return String(Number(value.toPrecision(4)));
}

/* At most that many characters; what was longer ends in an ellipsis. */
export function shorten(text, most) {
    const characters = Array.from(text);
    return characters.length <= most ? text : characters.slice(0, most - 1).join("") + "\u2026";
}
