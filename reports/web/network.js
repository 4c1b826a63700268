/* The study's best network, to be asked in the page. */
import { chainLayers } from "./layers.js";

/* A vector that layers take their weights from, in the order of a checkpoint. */
class Weights {
    constructor(values) {
        this.values = values;
        this.taken = 0;
    }

    take(count) {
        this.taken += count;
        if (this.taken > this.values.length)
            throw new Error("there are fewer weights than this network needs");
        return this.values.subarray(this.taken - count, this.taken);
    }
}

/* Little-endian float32, as every machine that browsers run on has them. */
function decodeFloats(base64) {
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    return new Float32Array(bytes.buffer);
}

/* From `network` of the report: {input, classes, layer}; throws an Error in words. */
export function loadNetwork(description) {
    const parameters = new Weights(decodeFloats(description.weights));
    const statistics = new Weights(decodeFloats(description.statistics));
    const layer = chainLayers(description.input, description.layers, parameters, statistics);
    if (parameters.taken < parameters.values.length)
        throw new Error("there are more weights than this network needs");
    return {input: description.input, classes: layer.shape.channels, layer};
}

/* One logit for each class, of an image [height][width][channels] of 0 to 1. */
export function networkLogits(network, image) {
    return network.layer.run(image);
}

/* The share of each class. */
export function softmax(logits) {
    const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const shares = Array.from(logits, logit => Math.exp(logit - largest));
    const sum = shares.reduce((a, b) => a + b, 0);
    return shares.map(share => share / sum);
}
