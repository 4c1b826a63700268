"""As much of Keras as an exported load_keras.py uses, in numpy: each layer plainly by what Keras's
documentation says of it (keras.io/api/layers), channels last, and only to predict.  A setting
that is not known here is an error, as are weights of another number or shape."""
import math
import sys

import numpy


class Value:
    """What a layer gives, [batch, *shape], once there are images."""

    def __init__(self, shape, layer=None, sources=()):
        self.shape, self.layer, self.sources = tuple(shape), layer, sources

    def compute(self, images, known):
        if id(self) not in known:
            known[id(self)] = self.layer.run(*[source.compute(images, known)
                                               for source in self.sources]) \
                if self.layer else images
        return known[id(self)]


class Model:
    def __init__(self, inputs, outputs):
        self.outputs, self.layers = outputs, []
        self.collect(outputs)
        names = [layer.name for layer in self.layers]
        assert len(set(names)) == len(names), f"a name twice: {names}"

    def collect(self, value):
        for source in value.sources:
            self.collect(source)
        if value.layer and value.layer not in self.layers:
            self.layers.append(value.layer)

    def __call__(self, images):
        return self.outputs.compute(numpy.asarray(images, numpy.float32), {})

    def summary(self):
        for layer in self.layers:
            print(type(layer).__name__, layer.name)


def Input(shape, name):
    return Value(shape)


class backend:
    @staticmethod
    def set_image_data_format(name):
        assert name == "channels_last"


# ---- activations ----

ERF = numpy.vectorize(math.erf, otypes=[numpy.float64])
ACTIVATIONS = {
    None: lambda x: x,
    "relu": lambda x: numpy.maximum(x, 0),
    "elu": lambda x: numpy.where(x > 0, x, numpy.expm1(numpy.minimum(x, 0))),
    "tanh": numpy.tanh,
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "gelu": lambda x: (x * (1 + ERF(x / math.sqrt(2))) / 2).astype(numpy.float32),
}


# ---- layers ----

class Layer:
    def __init__(self, name):
        self.name, self.shapes, self.weights = name, [], []

    def __call__(self, inputs):
        sources = inputs if isinstance(inputs, list) else [inputs]
        shape = self.build(*[source.shape for source in sources])
        self.weights = [numpy.zeros(weight) for weight in self.shapes]
        return Value(shape, self, sources)

    def build(self, shape):
        return shape

    def set_weights(self, weights):
        assert [weight.shape for weight in weights] == self.shapes, (self.name, self.shapes)
        assert all(weight.dtype == numpy.float32 for weight in weights), self.name
        self.weights = weights


class Dense(Layer):
    def __init__(self, units, activation=None, use_bias=True, name=None):
        super().__init__(name)
        self.units, self.activation, self.bias = units, ACTIVATIONS[activation], use_bias

    def build(self, shape):
        self.shapes = [(shape[0], self.units)] + [(self.units,)] * self.bias
        return (self.units,)

    def run(self, x):
        return self.activation(sum(self.weights[1:], x @ self.weights[0]))


class Windowed(Layer):
    """Places a window: "valid" within the image; "same" at every stride-th pixel, where what
    lies outside is the smaller half before the image."""

    def __init__(self, size, strides, padding, name):
        super().__init__(name)
        assert padding in ("valid", "same")
        self.size, self.stride, self.same = size, strides, padding == "same"

    def place(self, length):
        """How many windows there are, and the padding before and behind."""
        if not self.same:
            return (length - self.size) // self.stride + 1, 0, 0
        count = -(-length // self.stride)
        padding = max((count - 1) * self.stride + self.size - length, 0)
        return count, padding // 2, padding - padding // 2

    def windows(self, x, outside):
        """[batch, rows, columns, size, size, channels]"""
        rows, top, bottom = self.place(x.shape[1])
        columns, left, right = self.place(x.shape[2])
        x = numpy.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=outside)
        return numpy.stack([numpy.stack([
            x[:, i * self.stride:i * self.stride + self.size,
              j * self.stride:j * self.stride + self.size] for j in range(columns)], 1)
            for i in range(rows)], 1)

    def build(self, shape):
        return (self.place(shape[0])[0], self.place(shape[1])[0], shape[2])


class Conv2D(Windowed):
    def __init__(self, filters, kernel_size, strides=1, padding="valid", activation=None,
                 use_bias=True, name=None):
        super().__init__(kernel_size, strides, padding, name)
        self.filters, self.activation, self.bias = filters, ACTIVATIONS[activation], use_bias

    def build(self, shape):
        self.shapes = [(self.size, self.size, shape[2], self.filters)] + \
            [(self.filters,)] * self.bias
        return (*super().build(shape)[:2], self.filters)

    def run(self, x):
        windows = self.windows(x, 0)
        flat = windows.reshape(*windows.shape[:3], -1)
        kernel = self.weights[0].reshape(-1, self.filters)
        return self.activation(sum(self.weights[1:], flat @ kernel))


class MaxPooling2D(Windowed):
    def __init__(self, pool_size, strides=None, padding="valid", name=None):
        super().__init__(pool_size, strides or pool_size, padding, name)

    def run(self, x):
        return self.windows(x, -numpy.inf).max((3, 4))


class AveragePooling2D(MaxPooling2D):
    def run(self, x):
        return numpy.nanmean(self.windows(x, numpy.nan), (3, 4))


class GlobalAveragePooling2D(Layer):
    def build(self, shape):
        return shape[2:]

    def run(self, x):
        return x.mean((1, 2))


class BatchNormalization(Layer):
    def __init__(self, momentum, epsilon, name):
        super().__init__(name)
        self.epsilon = epsilon

    def build(self, shape):
        self.shapes = [shape[-1:]] * 4
        return shape

    def run(self, x):
        gamma, beta, mean, variance = self.weights
        return gamma * (x - mean) / numpy.sqrt(variance + numpy.float32(self.epsilon)) + beta


class Activation(Layer):
    def __init__(self, activation, name):
        super().__init__(name)
        self.run = ACTIVATIONS[activation]


class ReLU(Layer):
    def __init__(self, negative_slope, name):
        super().__init__(name)
        self.slope = numpy.float32(negative_slope)

    def run(self, x):
        return numpy.where(x > 0, x, self.slope * x)


class Dropout(Layer):
    def __init__(self, rate, name):
        super().__init__(name)
        assert 0 <= rate < 1

    def run(self, x):
        return x


class Flatten(Layer):
    def build(self, shape):
        return (math.prod(shape),)

    def run(self, x):
        return x.reshape(len(x), -1)


class Add(Layer):
    def build(self, shape, other):
        assert shape == other, (self.name, shape, other)
        return shape

    def run(self, x, other):
        return x + other


layers = sys.modules[__name__]
