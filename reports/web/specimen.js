/* Images of the test set, cut out of the one picture that holds them all. */
import { formatPercent } from "./format.js";
import { htmlElement, svgElement } from "./svg.js";

const ODDS = 3; /* classes beside an image */

/* Image `index` of the report's images. */
export function digitPicture(data, index) {
    const {width, height, columns, entries} = data.images;
    const x = index % columns * width, y = Math.floor(index / columns) * height;
    const {image, label} = entries[index];
    return svgElement("svg", {class: "digit", viewBox: `${x} ${y} ${width} ${height}`, role: "img"},
                      svgElement("title", {}, `test image ${image}, a ${data.classes[label]}`),
                      svgElement("use", {href: "#sprite"}));
}

/* A class with a bar as long as its probability. */
export function oddsRow(name, probability, decimals = 1) {
    const bar = htmlElement("i");
    bar.style.width = `${(probability * 100).toFixed(1)}%`;
    return htmlElement("li", {}, htmlElement("span", {class: "class"}, name),
                       htmlElement("span", {class: "bar"}, bar),
                       htmlElement("span", {class: "share"}, formatPercent(probability, decimals)));
}

/* Image `index` with its number and the most probable classes. */
export function specimen(data, index) {
    const entry = data.images.entries[index];
    const likely = entry.probabilities.map((probability, i) => [probability, i])
        .sort((a, b) => b[0] - a[0]).slice(0, ODDS);
    return htmlElement("li", {class: "specimen"}, digitPicture(data, index),
                       htmlElement("p", {class: "verdict"}, `image ${entry.image}`),
                       htmlElement("ol", {class: "odds"}, ...likely.map(([probability, i]) =>
                           oddsRow(data.classes[i], probability))));
}
