/* The layers of a network, forward, for one image; the formulas are those of the trainer.
 *
 * A layer is made of the shape of its input, its settings and the vectors that hold its
 * weights, and is {shape, run}: the shape of its output, and run(values) -> values, where values
 * are a Float32Array [height][width][channels].  A vector has height and width 1.  run() leaves
 * its argument as it is and may return it.  Sums are in double precision. */

function sizeOf(shape) {
    return shape.height * shape.width * shape.channels;
}

/* ---- activations ---- */

/* The error function to 1.5e-7 (Abramowitz & Stegun, Handbook of Mathematical Functions,
 * 7.1.26). */
function errorFunction(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
        + 0.254829592) * t;
    const result = 1 - sum * Math.exp(-x * x);
    return x < 0 ? -result : result;
}

const SLOPE = 0.01; /* of leaky_relu where no setting says */

const activations = {
    none: null,
    relu: () => x => x > 0 ? x : 0,
    leaky_relu: slope => x => x > 0 ? x : slope * x,
    elu: () => x => x > 0 ? x : Math.expm1(x),
    tanh: () => Math.tanh,
    sigmoid: () => x => 1 / (1 + Math.exp(-x)),
    gelu: () => x => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2)),
};

/* The activation of that name, or null where there is none. */
function activationOf(name, settings) {
    if (!Object.hasOwn(activations, name))
        throw new Error(`there is no activation "${name}"`);
    return activations[name] && activations[name](settings.slope ?? SLOPE);
}

function activate(activation, values) {
    if (activation)
        for (let i = 0; i < values.length; i++)
            values[i] = activation(values[i]);
    return values;
}

function activationLayer(shape, settings) {
    const activation = activationOf(settings.type, settings);
    return {shape, run: values => activate(activation, values.slice())};
}

/* ---- products ---- */

/* weights [rows][columns] as [columns / 4][rows][4], the last columns filled up with 0: one
 * after the other as multiply() reads them. */
function packWeights(weights, columns) {
    const rows = weights.length / columns;
    const packed = new Float32Array(Math.ceil(columns / 4) * 4 * rows);
    for (let row = 0; row < rows; row++)
        for (let j = 0; j < columns; j++)
            packed[(Math.floor(j / 4) * rows + row) * 4 + j % 4] = weights[row * columns + j];
    return packed;
}

/* output[at + j] = bias[j] + sum over i of input[i] weights[i][j], four j at a time so that
 * their sums stay in registers. */
function multiply(input, packed, bias, output, at) {
    const count = input.length, columns = bias.length;
    for (let j = 0, w = 0; j < columns; j += 4) {
        let a = 0, b = 0, c = 0, d = 0;
        for (let i = 0; i < count; i++, w += 4) {
            const x = input[i];
            a += x * packed[w];
            b += x * packed[w + 1];
            c += x * packed[w + 2];
            d += x * packed[w + 3];
        }
        output[at + j] = a + bias[j];
        if (j + 1 < columns)
            output[at + j + 1] = b + bias[j + 1];
        if (j + 2 < columns)
            output[at + j + 2] = c + bias[j + 2];
        if (j + 3 < columns)
            output[at + j + 3] = d + bias[j + 3];
    }
}

/* Parameters: weights [input][units], bias [units]. */
function denseLayer(shape, settings, parameters) {
    const units = settings.units;
    const weights = packWeights(parameters.take(shape.channels * units), units);
    const bias = parameters.take(units);
    const activation = activationOf(settings.activation ?? "none", settings);
    const run = values => {
        const output = new Float32Array(units);
        multiply(values, weights, bias, output, 0);
        return activate(activation, output);
    };
    return {shape: {height: 1, width: 1, channels: units}, run};
}

/* ---- windows ---- */

/* How many windows there are along an axis, and the padding before the first. */
function placeWindows(input, size, stride, padding) {
    if (padding !== "same")
        return {count: Math.floor((input - size) / stride) + 1, before: 0};
    const count = Math.ceil(input / stride);
    return {count, before: Math.floor(Math.max((count - 1) * stride + size - input, 0) / 2)};
}

function windowsOf(shape, size, stride, padding) {
    const rows = placeWindows(shape.height, size, stride, padding);
    const columns = placeWindows(shape.width, size, stride, padding);
    return {shape, size, stride, top: rows.before, left: columns.before, height: rows.count,
            width: columns.count};
}

/* Calls visit(pixel, cell) for every cell of a window that is within the image: where its
 * pixel begins in the image, and the cell's number in the window. */
function visitWindow(windows, row, column, visit) {
    const {shape, size, stride} = windows;
    const top = row * stride - windows.top, left = column * stride - windows.left;
    for (let y = Math.max(top, 0); y < Math.min(top + size, shape.height); y++)
        for (let x = Math.max(left, 0); x < Math.min(left + size, shape.width); x++)
            visit((y * shape.width + x) * shape.channels, (y - top) * size + x - left);
}

/* Parameters: weights [kernel][kernel][input channels][filters], bias [filters] unless
 * `plain`. */
function convolution(windows, filters, parameters, plain, activation) {
    const channels = windows.shape.channels;
    const cells = windows.size * windows.size * channels;
    const weights = packWeights(parameters.take(cells * filters), filters);
    const bias = plain ? new Float32Array(filters) : parameters.take(filters);
    const shape = {height: windows.height, width: windows.width, channels: filters};
    const run = values => {
        const output = new Float32Array(sizeOf(shape)), patch = new Float32Array(cells);
        const copy = (pixel, cell) => {
            for (let c = 0; c < channels; c++)
                patch[cell * channels + c] = values[pixel + c];
        };
        for (let y = 0, at = 0; y < shape.height; y++)
            for (let x = 0; x < shape.width; x++, at += filters) {
                patch.fill(0);
                visitWindow(windows, y, x, copy);
                multiply(patch, weights, bias, output, at);
            }
        return activate(activation, output);
    };
    return {shape, run};
}

function convLayer(shape, settings, parameters) {
    const windows = windowsOf(shape, settings.kernel, settings.stride ?? 1, settings.padding);
    return convolution(windows, settings.filters, parameters, false,
                       activationOf(settings.activation ?? "none", settings));
}

/* `take(pixels, values, channel)` is what a window becomes. */
function poolLayer(shape, settings, take) {
    const windows = windowsOf(shape, settings.size, settings.stride || settings.size,
                              settings.padding);
    const output = {height: windows.height, width: windows.width, channels: shape.channels};
    const run = values => {
        const pooled = new Float32Array(sizeOf(output));
        for (let y = 0, at = 0; y < output.height; y++)
            for (let x = 0; x < output.width; x++) {
                const pixels = [];
                visitWindow(windows, y, x, pixel => pixels.push(pixel));
                for (let c = 0; c < output.channels; c++)
                    pooled[at++] = take(pixels, values, c);
            }
        return pooled;
    };
    return {shape: output, run};
}

function largestOf(pixels, values, channel) {
    let largest = -Infinity;
    for (const pixel of pixels)
        largest = Math.max(largest, values[pixel + channel]);
    return largest;
}

function meanOf(pixels, values, channel) {
    let sum = 0;
    for (const pixel of pixels)
        sum += values[pixel + channel];
    return sum / pixels.length;
}

function globalPoolLayer(shape) {
    const channels = shape.channels, pixels = [];
    for (let at = 0; at < sizeOf(shape); at += channels)
        pixels.push(at);
    const run = values => Float32Array.from({length: channels},
                                            (_, c) => meanOf(pixels, values, c));
    return {shape: {height: 1, width: 1, channels}, run};
}

/* ---- without weights, or by channel ---- */

function asItIs(shape) {
    return {shape, run: values => values};
}

function flattenLayer(shape) {
    return asItIs({height: 1, width: 1, channels: sizeOf(shape)});
}

/* Parameters: gamma, beta; statistics: mean, variance; [channels] each. */
function batchNormLayer(shape, settings, parameters, statistics) {
    const channels = shape.channels;
    const gamma = parameters.take(channels), beta = parameters.take(channels);
    const mean = statistics.take(channels), variance = statistics.take(channels);
    const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + (settings.epsilon ?? 1e-5)));
    const run = values => values.map((x, i) => {
        const c = i % channels;
        return (x - mean[c]) * scale[c] + beta[c];
    });
    return {shape, run};
}

/* ---- residuals ---- */

function sameShape(a, b) {
    return a.height === b.height && a.width === b.width && a.channels === b.channels;
}

/* Where a residual's layers change the shape: every stride-th pixel by a matrix
 * [input channels][channels], with the smallest stride that makes the sizes fit. */
function shortcutLayer(from, to, parameters) {
    for (let stride = 1; stride <= Math.max(from.height, from.width); stride++) {
        const windows = windowsOf(from, 1, stride, "same");
        if (windows.height === to.height && windows.width === to.width)
            return convolution(windows, to.channels, parameters, true, null);
    }
    throw new Error("no stride brings a shortcut to the shape of its residual");
}

function residualLayer(shape, settings, parameters, statistics) {
    const inner = chainLayers(shape, settings.layers, parameters, statistics);
    const shortcut = sameShape(shape, inner.shape) ? asItIs(shape)
        : shortcutLayer(shape, inner.shape, parameters);
    const run = values => {
        const around = shortcut.run(values);
        return inner.run(values).map((y, i) => y + around[i]);
    };
    return {shape: inner.shape, run};
}

/* ---- all of them ---- */

const layerTypes = {
    conv: convLayer,
    max_pool: (shape, settings) => poolLayer(shape, settings, largestOf),
    avg_pool: (shape, settings) => poolLayer(shape, settings, meanOf),
    global_avg_pool: globalPoolLayer,
    dropout: asItIs,
    flatten: flattenLayer,
    dense: denseLayer,
    relu: activationLayer,
    leaky_relu: activationLayer,
    elu: activationLayer,
    tanh: activationLayer,
    sigmoid: activationLayer,
    gelu: activationLayer,
    batch_norm: batchNormLayer,
    residual: residualLayer,
};

/* The layers of a list, one behind the other, as one. */
export function chainLayers(shape, list, parameters, statistics) {
    const layers = [];
    for (const settings of list) {
        if (!Object.hasOwn(layerTypes, settings.type))
            throw new Error(`there is no layer "${settings.type}"`);
        const layer = layerTypes[settings.type](shape, settings, parameters, statistics);
        layers.push(layer);
        shape = layer.shape;
    }
    return {shape, run: values => layers.reduce((flow, layer) => layer.run(flow), values)};
}
