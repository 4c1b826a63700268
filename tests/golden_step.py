#!/usr/bin/python3
"""Values for tests/test_network.c and tests/test_optimizer.c, computed in double
precision by plain numpy that shares nothing with the trainer.

    /usr/bin/python3 tests/golden_step.py > tests/golden_step.h

The network: 6x6x1 images, conv 3 filters 3x3 same relu, max_pool 2, conv 2 filters
2x2 valid, dropout 0, flatten, dense 4 relu, dense 3.  37 images, so that the last
shard is not full, and three steps of Adam.
"""
import numpy as np

IMAGES, CLASSES, STEPS = 37, 3, 3
SHAPES = [(3, 3, 1, 3), (3,), (2, 2, 3, 2), (2,), (8, 4), (4,), (4, 3), (3,)]


def number(i, salt):
    """A value in [-0.5, 0.5) that C computes alike."""
    return ((i * 7919 + salt * 104729 + 13) % 10007) / 10007 - 0.5


def numbers(count, salt):
    return np.array([number(i, salt) for i in range(count)])


def conv(x, w, b, pad):
    """Also returns the padded input, which the way back needs."""
    n, h, width, _ = x.shape
    k = w.shape[0]
    before = (k - 1) // 2 if pad else 0
    behind = (k - 1) - before if pad else 0
    xp = np.pad(x, ((0, 0), (before, behind), (before, behind), (0, 0)))
    oh, ow = xp.shape[1] - k + 1, xp.shape[2] - k + 1
    y = np.zeros((n, oh, ow, w.shape[3]))
    for i in range(oh):
        for j in range(ow):
            y[:, i, j, :] = np.einsum("nabc,abcf->nf", xp[:, i:i + k, j:j + k, :], w) + b
    return y, xp


def conv_back(dy, xp, w, pad):
    k = w.shape[0]
    dw, dxp = np.zeros_like(w), np.zeros_like(xp)
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            dw += np.einsum("nabc,nf->abcf", xp[:, i:i + k, j:j + k, :], dy[:, i, j, :])
            dxp[:, i:i + k, j:j + k, :] += np.einsum("nf,abcf->nabc", dy[:, i, j, :], w)
    before = (k - 1) // 2 if pad else 0
    behind = (k - 1) - before if pad else 0
    dx = dxp[:, before:dxp.shape[1] - behind, before:dxp.shape[2] - behind, :]
    return dx, dw, dy.sum(axis=(0, 1, 2))


def pool(x):
    n, h, w, c = x.shape
    blocks = x.reshape(n, h // 2, 2, w // 2, 2, c)
    y = blocks.max(axis=(2, 4))
    return y, blocks == y[:, :, None, :, None, :]


def pool_back(dy, mask, shape):
    return (mask * dy[:, :, None, :, None, :]).reshape(shape)


def loss_and_gradients(p, x, labels):
    n = len(x)
    a1, xp1 = conv(x, p[0], p[1], True)
    h1 = np.maximum(a1, 0)
    h2, mask = pool(h1)
    h3, xp3 = conv(h2, p[2], p[3], False)
    f = h3.reshape(n, -1)
    a4 = f @ p[4] + p[5]
    h4 = np.maximum(a4, 0)
    z = h4 @ p[6] + p[7]
    # Far from the kinks, so that float and double take the same branches.
    assert min(np.abs(a1).min(), np.abs(a4).min()) > 1e-6
    e = np.exp(z - z.max(axis=1, keepdims=True))
    prob = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(n)
    loss = -np.log(prob[rows, labels]).mean()
    correct = int((z.argmax(axis=1) == labels).sum())
    dz = prob.copy()
    dz[rows, labels] -= 1
    dz /= n
    da4 = (dz @ p[6].T) * (a4 > 0)
    dh3 = (da4 @ p[4].T).reshape(h3.shape)
    dh2, dw3, db3 = conv_back(dh3, xp3, p[2], False)
    dh1 = pool_back(dh2, mask, h1.shape)
    da1 = dh1 * (a1 > 0)
    _, dw1, db1 = conv_back(da1, xp1, p[0], True)
    return loss, correct, [dw1, db1, dw3, db3, f.T @ da4, da4.sum(0), h4.T @ dz, dz.sum(0)]


def flat(arrays):
    return np.concatenate([a.ravel() for a in arrays])


def unflat(vector):
    parts, at = [], 0
    for shape in SHAPES:
        size = int(np.prod(shape))
        parts.append(vector[at:at + size].reshape(shape))
        at += size
    return parts


def adam(w, g, m, v, t, rate, beta1=0.9, beta2=0.999, epsilon=1e-7):
    m = m + (g - m) * (1 - beta1)
    v = v + (g * g - v) * (1 - beta2)
    alpha = rate * np.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)
    return w - alpha * m / (np.sqrt(v) + epsilon), m, v


def rmsprop(w, g, v, rate, rho=0.9, epsilon=1e-7):
    v = rho * v + (1 - rho) * g * g
    return w - rate * g / np.sqrt(v + epsilon), v


def table(name, values):
    print(f"static const double {name}[] = {{")
    for i in range(0, len(values), 4):
        print("    " + ", ".join(f"{v:.12e}" for v in values[i:i + 4]) + ",")
    print("};\n")


def network_tables():
    w = numbers(sum(int(np.prod(s)) for s in SHAPES), 1)
    x = numbers(IMAGES * 36, 2).reshape(IMAGES, 6, 6, 1) + 0.5
    labels = np.array([(i * 5 + i // 4) % CLASSES for i in range(IMAGES)])
    m, v = np.zeros_like(w), np.zeros_like(w)
    losses, corrects = [], []
    for t in range(1, STEPS + 1):
        loss, correct, gradients = loss_and_gradients(unflat(w), x, labels)
        g = flat(gradients)
        if t == 1:
            table("golden_gradient", g)
        losses.append(loss)
        corrects.append(correct)
        w, m, v = adam(w, g, m, v, t, 0.01)
    table("golden_losses", losses)
    print("static const size_t golden_correct[] = {" + ", ".join(map(str, corrects)) + "};\n")
    table("golden_parameters", w)


def sgd(w, g, v, rate, momentum=0.0, nesterov=False):
    v = momentum * v - rate * g
    return w + (momentum * v - rate * g if nesterov else v), v


def clipped(g, most):
    """As tf.clip_by_global_norm."""
    return g * most / max(np.sqrt(np.sum(g * g)), most)


def optimizer_step(name, w, g, m, v, t, rate):
    decay = 0.03
    if name == "sgd":
        w, _ = sgd(w, g, v, rate)
    elif name == "momentum":
        w, v = sgd(w, g, v, rate, 0.8)
    elif name == "nesterov":
        w, v = sgd(w, g, v, rate, 0.8, True)
    elif name == "sgd_decay":
        w, v = sgd(w, g + decay * w, v, rate, 0.8)
    elif name == "sgd_clip_decay":
        w, v = sgd(w, clipped(g, 0.7) + decay * w, v, rate)
    elif name == "rmsprop":
        w, v = rmsprop(w, g, v, rate, 0.7, 1e-3)
    elif name == "rmsprop_decay":
        w, v = rmsprop(w, g + decay * w, v, rate, 0.7, 1e-3)
    elif name == "adam":
        w, m, v = adam(w, g, m, v, t, rate, 0.8, 0.95, 1e-2)
    elif name == "adam_clip_decay":
        w, m, v = adam(w, clipped(g, 0.7) + decay * w, m, v, t, rate, 0.8, 0.95, 1e-2)
    elif name == "adamw":
        w, m, v = adam(w - rate * decay * w, g, m, v, t, rate, 0.8, 0.95, 1e-2)
    return w, m, v


def optimizer_tables():
    """Four steps on 7 parameters; the gradient of step t is numbers(7, 10 + t)."""
    for name in ("sgd", "momentum", "rmsprop", "adam", "nesterov", "sgd_decay", "sgd_clip_decay",
                 "rmsprop_decay", "adam_clip_decay", "adamw"):
        w, m, v = numbers(7, 3), np.zeros(7), np.zeros(7)
        for t in range(1, 5):
            w, m, v = optimizer_step(name, w, numbers(7, 10 + t), m, v, t, 0.1 / t)
        table("golden_" + name, w)
    lengths = [np.sqrt(np.sum(numbers(7, 10 + t) ** 2)) for t in range(1, 5)]
    assert min(lengths) < 0.7 < max(lengths), lengths


print("/* Written by tests/golden_step.py; do not edit. */")
print("#include <stddef.h>\n")
network_tables()
optimizer_tables()
