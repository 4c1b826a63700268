/* Elements of HTML and SVG.  Text goes in as text: nothing from a study is ever markup. */

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes))
        if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name, value === true ? "" : value);
    element.append(...children);
    return element;
}

export function htmlElement(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
}

/* Numbers are rounded to a hundredth of a unit, finer than any screen. */
export function svgElement(name, attributes = {}, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key of Object.keys(attributes))
        if (typeof attributes[key] === "number")
            attributes[key] = Math.round(attributes[key] * 100) / 100;
    return fill(element, attributes, children);
}

/* An empty picture of that size; `label` is read out where it cannot be seen. */
export function picture(width, height, label) {
    return svgElement("svg", {class: "plot", width, height, viewBox: `0 0 ${width} ${height}`,
                              role: "group", "aria-label": label});
}

export function svgText(x, y, className, anchor, text) {
    return svgElement("text", {x, y, class: className, "text-anchor": anchor}, text);
}

/* The same, where the `full` text may have been cut: the pointer shows it. */
export function svgLabel(x, y, className, anchor, text, full) {
    const label = svgText(x, y, className, anchor, text);
    if (full && full !== text)
        label.append(svgElement("title", {}, full));
    return label;
}

/* "M x y L x y ..." through points that are all finite. */
export function pathThrough(points) {
    return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}
