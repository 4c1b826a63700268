/* What a mark says, under the pointer or with the focus.
 *
 * A chart may have thousands of marks but is one stop of the Tab key: the arrow keys go from
 * mark to mark, Escape closes the tip. */
import { htmlElement } from "./svg.js";

let tip = null;

function showTip(lines, box) {
    if (!tip) {
        tip = htmlElement("div", {id: "tip", role: "status"});
        document.body.append(tip);
    }
    tip.replaceChildren(...lines.map(line => htmlElement("p", {}, line)));
    tip.hidden = false;
    const width = tip.offsetWidth, height = tip.offsetHeight, room = 10;
    const left = Math.min(Math.max(box.left + box.width / 2 - width / 2, 6),
                          document.documentElement.clientWidth - width - 6);
    const above = box.top - height - room;
    tip.style.left = `${left + window.scrollX}px`;
    tip.style.top = `${(above > 6 ? above : box.bottom + room) + window.scrollY}px`;
}

export function hideTip() {
    if (tip)
        tip.hidden = true;
}

/* A line is met where the pointer is, anything else in its middle. */
function boxAt(element, event) {
    if (event && element.tagName === "path")
        return {left: event.clientX, top: event.clientY - 6, width: 0, bottom: event.clientY + 6};
    return element.getBoundingClientRect();
}

/* `marks` are {element, lines(), enter?(), leave?()} in the order of the arrow keys. */
export function attachTips(svg, marks) {
    const known = new Map(marks.map(mark => [mark.element, mark]));
    let shown = null;

    function leave() {
        shown?.element.classList.remove("lit");
        shown?.leave?.();
        shown = null;
        hideTip();
    }
    function enter(mark, event) {
        if (shown !== mark)
            leave();
        shown = mark;
        mark.element.classList.add("lit");
        mark.enter?.();
        showTip(mark.lines(), boxAt(mark.element, event));
    }
    function focus(mark) {
        svg.querySelector("[tabindex='0']")?.setAttribute("tabindex", "-1");
        mark.element.setAttribute("tabindex", "0");
        if (!mark.element.hasAttribute("role")) {
            mark.element.setAttribute("role", "img");
            mark.element.setAttribute("aria-label", mark.lines().join(", "));
        }
        mark.element.focus({preventScroll: true});
    }
    svg.addEventListener("pointerover", event => {
        const mark = known.get(event.target);
        if (mark)
            enter(mark, event);
        else
            leave();
    });
    svg.addEventListener("pointerleave", leave);
    svg.addEventListener("click", event => {
        if (known.has(event.target))
            focus(known.get(event.target));
    });
    svg.addEventListener("focusin", event => {
        if (known.has(event.target))
            enter(known.get(event.target), null);
    });
    svg.addEventListener("focusout", leave);
    svg.addEventListener("keydown", event => {
        const at = marks.indexOf(known.get(event.target));
        const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
        if (event.key === "Escape")
            leave();
        if (at < 0 || !step)
            return;
        event.preventDefault();
        focus(marks[(at + step + marks.length) % marks.length]);
    });
    if (marks.length > 0)
        marks[0].element.setAttribute("tabindex", "0");
}
