/* A drawing made like MNIST's images, as trainer/digit.c does it: light on dark, the digit scaled
 * to fit a box of 20x20 pixels, its centre of mass in the middle of 28x28. */

const DIGIT_SIDE = 28, DIGIT_BOX = 20;
const INK = 32; /* of 255: what counts as drawn */

/* The mean of a rectangle with fractional sides. */
function meanOfArea(pixels, width, top, bottom, left, right) {
    let sum = 0, area = 0;
    for (let y = Math.floor(top); y < bottom; y++) {
        const rows = Math.min(y + 1, bottom) - Math.max(y, top);
        for (let x = Math.floor(left); x < right; x++) {
            const part = rows * (Math.min(x + 1, right) - Math.max(x, left));
            sum += part * pixels[y * width + x];
            area += part;
        }
    }
    return area > 0 ? sum / area : 0;
}

/* Each new pixel is the mean of the area that it covers. */
export function resizeDrawing(pixels, height, width, newHeight, newWidth) {
    const down = height / newHeight, across = width / newWidth;
    const resized = new Uint8Array(newHeight * newWidth);
    for (let y = 0, at = 0; y < newHeight; y++)
        for (let x = 0; x < newWidth; x++)
            resized[at++] = Math.round(meanOfArea(
                pixels, width, y * down, Math.min((y + 1) * down, height),
                x * across, Math.min((x + 1) * across, width)));
    return resized;
}

function findBox(pixels, height, width) {
    let top = height, bottom = -1, left = width, right = -1;
    for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
            if (pixels[y * width + x] >= INK) {
                top = Math.min(top, y);
                bottom = y;
                left = Math.min(left, x);
                right = Math.max(right, x);
            }
    return bottom < 0 ? null : {top, left, height: bottom - top + 1, width: right - left + 1};
}

function cutOut(pixels, width, box) {
    const cut = new Uint8Array(box.height * box.width);
    for (let y = 0; y < box.height; y++) {
        const from = (box.top + y) * width + box.left;
        cut.set(pixels.subarray(from, from + box.width), y * box.width);
    }
    return cut;
}

/* Where `length` pixels begin so that `centre` of them is in the middle, all inside. */
function placeCentre(centre, length) {
    const start = Math.round(DIGIT_SIDE / 2 - centre);
    return Math.min(Math.max(start, 0), DIGIT_SIDE - length);
}

function putCentred(small, height, width) {
    let mass = 0, down = 0, across = 0;
    small.forEach((value, i) => {
        mass += value;
        down += value * (Math.floor(i / width) + 0.5);
        across += value * (i % width + 0.5);
    });
    const top = placeCentre(mass > 0 ? down / mass : height / 2, height);
    const left = placeCentre(mass > 0 ? across / mass : width / 2, width);
    const digit = new Uint8Array(DIGIT_SIDE * DIGIT_SIDE);
    for (let y = 0; y < height; y++)
        digit.set(small.subarray(y * width, (y + 1) * width), (top + y) * DIGIT_SIDE + left);
    return digit;
}

/* `pixels` (0 to 255, light is ink) as 28x28 pixels of 0 to 255; null when nothing is drawn. */
export function centreDigit(pixels, height, width) {
    const box = findBox(pixels, height, width);
    if (!box)
        return null;
    const longest = Math.max(box.height, box.width);
    const scaled = length => Math.max(Math.round(length * DIGIT_BOX / longest), 1);
    const newHeight = scaled(box.height), newWidth = scaled(box.width);
    const small = resizeDrawing(cutOut(pixels, width, box), box.height, box.width, newHeight,
                                newWidth);
    return putCentred(small, newHeight, newWidth);
}
