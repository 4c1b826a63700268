/* Starts everything that the page has a place for. */
import { bestChart } from "./best.js";
import { connectCells } from "./cells.js";
import { curvesChart } from "./curves.js";
import { connectDrawing } from "./draw.js";
import { parallelChart } from "./parallel.js";
import { rungsChart } from "./rungs.js";
import { scatterChart } from "./scatter.js";
import { readStudy } from "./study.js";
import { htmlElement } from "./svg.js";
import { timelineChart } from "./timeline.js";

const charts = {
    best: bestChart, curves: curvesChart, parallel: parallelChart, rungs: rungsChart,
    scatter: scatterChart, timeline: timelineChart,
};

/* One part that fails says so in its place and leaves the others alone. */
function startPart(place, start) {
    try {
        start();
    } catch (error) {
        console.error(error);
        place.append(htmlElement("p", {class: "notice"},
                                 `This could not be shown: ${error.message}.`));
    }
}

function startPage(data) {
    const study = readStudy(data);
    for (const place of document.querySelectorAll("[data-chart]"))
        startPart(place, () => charts[place.dataset.chart]?.(place, study));
    const draw = document.getElementById("draw"), cell = document.getElementById("cell");
    if (draw)
        startPart(draw, () => connectDrawing(data, draw));
    if (cell && data.cells && data.images)
        startPart(cell, () => connectCells(data, document.getElementById("confusion"), cell));
}

startPage(JSON.parse(document.getElementById("report-data").textContent));
