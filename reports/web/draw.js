/* A canvas to draw on, and what the study's best network takes the drawing for. */
import { centreDigit, resizeDrawing } from "./digit.js";
import { loadNetwork, networkLogits, softmax } from "./network.js";
import { oddsRow } from "./specimen.js";
import { htmlElement } from "./svg.js";

const SIDE = 280;      /* pixels of the canvas */
const PEN = 22;        /* of them: a stroke is as thick beside a digit as in MNIST */
const CLASSES_MOST = 10;
const DIGIT = 28;      /* the size of image in which a drawing is centred as a digit */

/* Strokes that are drawn onto a canvas; their ink is what covers it. */
class Drawing {
    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext("2d", {willReadFrequently: true});
        this.strokes = [];
    }

    redraw() {
        const {context} = this;
        context.clearRect(0, 0, SIDE, SIDE);
        context.lineWidth = PEN;
        context.lineCap = context.lineJoin = "round";
        context.strokeStyle = getComputedStyle(this.canvas).color;
        for (const stroke of this.strokes) {
            context.beginPath();
            context.moveTo(...stroke[0]);
            for (const point of stroke)
                context.lineTo(...point);
            context.stroke();
        }
    }

    /* 0 to 255 for each pixel. */
    ink() {
        const rgba = this.context.getImageData(0, 0, SIDE, SIDE).data;
        return Uint8Array.from({length: SIDE * SIDE}, (_, i) => rgba[4 * i + 3]);
    }
}

/* Where a pointer is, in pixels of the canvas. */
function pointAt(canvas, event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * SIDE,
            (event.clientY - box.top) / box.height * SIDE];
}

function followPointer(canvas, drawing, changed) {
    let pointer = null;
    canvas.addEventListener("pointerdown", event => {
        if (event.button !== 0 || pointer !== null)
            return;
        pointer = event.pointerId;
        canvas.setPointerCapture(pointer);
        drawing.strokes.push([pointAt(canvas, event)]);
        changed();
    });
    canvas.addEventListener("pointermove", event => {
        if (event.pointerId !== pointer)
            return;
        const between = event.getCoalescedEvents?.() ?? [];
        for (const part of between.length > 0 ? between : [event])
            drawing.strokes.at(-1).push(pointAt(canvas, part));
        changed();
    });
    for (const end of ["pointerup", "pointercancel"])
        canvas.addEventListener(end, event => {
            if (event.pointerId === pointer)
                pointer = null;
        });
}

/* The drawing as the network takes it, pixels of 0 to 255; null when nothing is drawn. */
function imageOf(drawing, input) {
    const ink = drawing.ink();
    if (input.height === DIGIT && input.width === DIGIT)
        return centreDigit(ink, SIDE, SIDE);
    return ink.some(value => value > 0) ? resizeDrawing(ink, SIDE, SIDE, input.height, input.width)
        : null;
}

/* What the network is given. */
function showSeen(canvas, image) {
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++)
        pixels.data.set([255, 255, 255, image ? image[i] : 0], 4 * i);
    context.putImageData(pixels, 0, 0);
}

/* The classes by number, or only the most probable where there are many. */
function showOdds(list, classes, shares) {
    let rows = classes.map((name, i) => ({name, i, share: shares ? shares[i] : 0}));
    if (rows.length > CLASSES_MOST)
        rows = rows.sort((a, b) => b.share - a.share).slice(0, CLASSES_MOST);
    const best = shares ? shares.indexOf(Math.max(...shares)) : -1;
    list.replaceChildren(...rows.map(({name, i, share}) => {
        const row = oddsRow(name, share);
        if (i === best)
            row.className = "best";
        return row;
    }));
}

function makeParts(input) {
    const canvas = htmlElement("canvas", {
        class: "paper", width: SIDE, height: SIDE, tabindex: "0", role: "img",
        "aria-label": "draw here with the pointer; Escape or Delete clears"});
    const seen = htmlElement("canvas", {class: "seen", width: input.width, height: input.height,
                                        role: "img", "aria-label": "what the network is given"});
    return {canvas, seen, clear: htmlElement("button", {type: "button"}, "Clear"),
            undo: htmlElement("button", {type: "button"}, "Undo"),
            answer: htmlElement("output", {class: "answer", "aria-live": "polite"}),
            sure: htmlElement("p", {class: "sure"}), odds: htmlElement("ol", {class: "odds all"})};
}

/* Asks the network at most once a frame, and for a slow one no more than half of the time. */
function askLater(ask) {
    let waiting = false, pause = 0;
    return () => {
        if (waiting)
            return;
        waiting = true;
        setTimeout(() => requestAnimationFrame(() => {
            const start = performance.now();
            waiting = false;
            ask();
            pause = performance.now() - start;
        }), pause > 16 ? pause : 0);
    };
}

function startDrawing(section, classes, network) {
    const parts = makeParts(network.input), drawing = new Drawing(parts.canvas);
    const ask = askLater(() => {
        const image = imageOf(drawing, network.input);
        const shares = image && softmax(networkLogits(network,
                                                      Float32Array.from(image, p => p / 255)));
        const best = shares ? shares.indexOf(Math.max(...shares)) : -1;
        showSeen(parts.seen, image);
        showOdds(parts.odds, classes, shares);
        parts.answer.textContent = shares ? classes[best] : "?";
        parts.sure.textContent = shares ? `${(shares[best] * 100).toFixed(1)} % sure`
            : "Draw with the mouse, a finger or a pen.";
    });
    function changed() {
        drawing.redraw();
        ask();
    }
    function clear() {
        drawing.strokes = [];
        changed();
    }
    followPointer(parts.canvas, drawing, changed);
    parts.clear.addEventListener("click", clear);
    parts.undo.addEventListener("click", () => {
        drawing.strokes.pop();
        changed();
    });
    parts.canvas.addEventListener("keydown", event => {
        if (["Escape", "Delete", "Backspace"].includes(event.key)) {
            event.preventDefault();
            clear();
        }
    });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
    section.append(htmlElement("div", {class: "drawing"},
        htmlElement("div", {class: "board"}, parts.canvas,
                    htmlElement("p", {class: "buttons"}, parts.undo, parts.clear)),
        htmlElement("div", {class: "verdict-now"}, parts.answer, parts.sure, parts.seen,
                    htmlElement("p", {class: "remark-line"}, "what the network sees")),
        parts.odds));
    changed();
}

/* Fills the section with the canvas, or with why there is none. */
export function connectDrawing(data, section) {
    const say = text => section.append(htmlElement("p", {class: "notice"}, text));
    if (!data.network)
        return say(data.network_note || "The network is not in this page.");
    if (data.network.input.channels !== 1)
        return say("This network takes colour pictures, which cannot be drawn here.");
    return startDrawing(section, data.classes, loadNetwork(data.network));
}
