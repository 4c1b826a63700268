/* A click on a cell of the confusion matrix shows its images. */
import { specimen } from "./specimen.js";
import { htmlElement } from "./svg.js";
import { attachTips } from "./tip.js";

const IMAGES_FIRST = 12; /* shown at once; a button shows the rest */

function cellHeading(data, label, predicted, stored) {
    const count = data.test.confusion[label][predicted];
    const names = label === predicted ? `${data.classes[label]}, recognised`
        : `${data.classes[label]}, taken for ${data.classes[predicted]}`;
    const images = `${count} image${count === 1 ? "" : "s"}`;
    const kept = stored < count ? `, of which ${stored} are stored` : "";
    return htmlElement("h3", {}, names, " ", htmlElement("small", {}, images + kept));
}

function showImages(data, list, indices) {
    list.append(...indices.slice(0, IMAGES_FIRST).map(index => specimen(data, index)));
    if (indices.length <= IMAGES_FIRST)
        return [];
    const more = htmlElement("button", {type: "button"}, `Show all ${indices.length}`);
    more.addEventListener("click", () => {
        list.append(...indices.slice(IMAGES_FIRST).map(index => specimen(data, index)));
        more.remove();
    });
    return [more];
}

/* Fills and opens `place`; closing gives the focus back to the cell. */
function openCell(data, place, cell) {
    const label = Number(cell.dataset.label), predicted = Number(cell.dataset.predicted);
    const indices = data.cells[`${label},${predicted}`] ?? [];
    const list = htmlElement("ul", {class: "specimens"});
    const close = htmlElement("button", {type: "button", class: "close"}, "Close");
    close.addEventListener("click", () => {
        place.hidden = true;
        cell.classList.remove("chosen");
        cell.focus({preventScroll: true});
    });
    place.replaceChildren(cellHeading(data, label, predicted, indices.length), close, list,
                          ...showImages(data, list, indices));
    place.hidden = false;
    place.scrollIntoView({block: "nearest"});
}

/* Makes the cells of the matrix below `section` show their images in `place`. */
export function connectCells(data, section, place) {
    const cells = [...section.querySelectorAll("rect[data-label][data-predicted]")]
        .filter(cell => data.cells[`${cell.dataset.label},${cell.dataset.predicted}`]?.length);
    const svg = cells[0]?.ownerSVGElement;
    if (!svg)
        return;
    section.querySelector("figcaption")?.append(htmlElement(
        "span", {class: "hint"}, " A click on a cell shows its images."));
    function open(cell) {
        cells.forEach(other => other.classList.toggle("chosen", other === cell));
        openCell(data, place, cell);
    }
    attachTips(svg, cells.map(cell => {
        const title = cell.querySelector("title")?.textContent ?? "";
        cell.querySelector("title")?.remove(); /* the tip says it */
        cell.setAttribute("role", "button");
        cell.setAttribute("aria-label", title);
        cell.addEventListener("click", () => open(cell));
        cell.addEventListener("keydown", event => {
            if (event.key === "Enter" || event.key === " ") {
                event.preventDefault();
                open(cell);
            }
        });
        return {element: cell, lines: () => [title, "click to see the images"]};
    }));
}
