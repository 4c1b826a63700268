#include "trainer/onnx_call.h"

#include <math.h>

static const int64_t SIDE_MOST = 1 << 20;

struct frame {
    int64_t size[2], strides[2], before[2];
    int64_t input[2], output[2]; /* height, width */
};

static bool read_frame(const struct onnx_call *call, struct frame *frame)
{
    const struct onnx_tensor *input = call->inputs[0];
    const struct onnx_setting *size = onnx_setting(call, "kernel_shape");
    const struct onnx_setting *strides = onnx_setting(call, "strides");
    const struct onnx_setting *pads = onnx_setting(call, "pads");
    if (input->rank != 4 || !size || size->count != 2 || !strides || strides->count != 2 ||
        !pads || pads->count != 4)
        return false;
    for (size_t i = 0; i < 2; i++) {
        int64_t before = pads->integers[i], after = pads->integers[2 + i];
        frame->size[i] = size->integers[i];
        frame->strides[i] = strides->integers[i];
        frame->before[i] = before;
        frame->input[i] = input->dims[2 + i];
        /* No window lies on padding alone. */
        if (frame->strides[i] < 1 || frame->size[i] < 1 || frame->size[i] > SIDE_MOST ||
            frame->input[i] > SIDE_MOST || before < 0 || before >= frame->size[i] || after < 0 ||
            after >= frame->size[i])
            return false;
        int64_t padded = before + frame->input[i] + after;
        if (padded < frame->size[i])
            return false;
        frame->output[i] = (padded - frame->size[i]) / frame->strides[i] + 1;
    }
    return true;
}

/* Where a cell of the window at an output pixel lies in the image; -1: outside. */
static int64_t cell_index(const struct frame *frame, int64_t y, int64_t x, int64_t row,
                          int64_t column)
{
    int64_t at_y = y * frame->strides[0] - frame->before[0] + row;
    int64_t at_x = x * frame->strides[1] - frame->before[1] + column;
    bool inside = at_y >= 0 && at_y < frame->input[0] && at_x >= 0 && at_x < frame->input[1];
    return inside ? at_y * frame->input[1] + at_x : -1;
}

/* One output pixel of one plane: the largest value under the window, or the mean of those that
 * are not padding. */
static double pool_pixel(const struct frame *frame, const float *plane, bool largest, int64_t y,
                         int64_t x)
{
    double most = -(double)INFINITY, sum = 0.0, count = 0.0;
    for (int64_t row = 0; row < frame->size[0]; row++) {
        for (int64_t column = 0; column < frame->size[1]; column++) {
            int64_t at = cell_index(frame, y, x, row, column);
            if (at < 0)
                continue;
            most = fmax(most, (double)plane[at]);
            sum += (double)plane[at];
            count += 1.0;
        }
    }
    return largest ? most : sum / count;
}

int onnx_pool(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    struct frame frame;
    if (call->input_count != 1 || !read_frame(call, &frame))
        return onnx_misfit(call, why);
    const int64_t dims[] = {input->dims[0], input->dims[1], frame.output[0], frame.output[1]};
    float *output = onnx_make(call, 4, dims, why);
    if (!output)
        return -1;
    const float *plane = input->values;
    for (int64_t i = 0; i < dims[0] * dims[1]; i++, plane += frame.input[0] * frame.input[1]) {
        for (int64_t y = 0; y < dims[2]; y++) {
            for (int64_t x = 0; x < dims[3]; x++)
                *output++ = (float)pool_pixel(&frame, plane, onnx_is(call, "MaxPool"), y, x);
        }
    }
    return 0;
}

/* One output pixel of one filter, without bias. */
static double conv_pixel(const struct frame *frame, const float *image, int64_t channels,
                         const float *weights, int64_t y, int64_t x)
{
    double sum = 0.0;
    for (int64_t c = 0; c < channels; c++, image += frame->input[0] * frame->input[1]) {
        for (int64_t row = 0; row < frame->size[0]; row++) {
            for (int64_t column = 0; column < frame->size[1]; column++, weights++) {
                int64_t at = cell_index(frame, y, x, row, column);
                if (at >= 0)
                    sum += (double)image[at] * (double)*weights;
            }
        }
    }
    return sum;
}

int onnx_conv(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0], *weights = call->inputs[1];
    const struct onnx_tensor *bias = call->input_count == 3 ? call->inputs[2] : NULL;
    struct frame frame;
    if (call->input_count < 2 || call->input_count > 3 || !read_frame(call, &frame) ||
        weights->rank != 4 || weights->dims[1] != input->dims[1] ||
        weights->dims[2] != frame.size[0] || weights->dims[3] != frame.size[1] ||
        (bias && onnx_size(bias) != (size_t)weights->dims[0]))
        return onnx_misfit(call, why);
    const int64_t dims[] = {input->dims[0], weights->dims[0], frame.output[0], frame.output[1]};
    int64_t image = input->dims[1] * frame.input[0] * frame.input[1];
    int64_t cells = input->dims[1] * frame.size[0] * frame.size[1];
    float *output = onnx_make(call, 4, dims, why);
    if (!output)
        return -1;
    for (int64_t i = 0; i < dims[0] * dims[1]; i++) {
        int64_t filter = i % dims[1];
        double offset = bias ? (double)bias->values[filter] : 0.0;
        for (int64_t pixel = 0; pixel < dims[2] * dims[3]; pixel++)
            *output++ = (float)(offset + conv_pixel(&frame, input->values + i / dims[1] * image,
                                                    input->dims[1],
                                                    weights->values + filter * cells,
                                                    pixel / dims[3], pixel % dims[3]));
    }
    return 0;
}

/* ---- a whole image ---- */

int onnx_global_pool(const struct onnx_call *call, struct failure *why)
{
    const struct onnx_tensor *input = call->inputs[0];
    if (call->input_count != 1 || input->rank != 4)
        return onnx_misfit(call, why);
    const int64_t dims[] = {input->dims[0], input->dims[1], 1, 1};
    size_t pixels = (size_t)(input->dims[2] * input->dims[3]);
    float *output = onnx_make(call, 4, dims, why);
    if (!output)
        return -1;
    for (size_t i = 0; i < onnx_size(call->output); i++) {
        double sum = 0.0;
        for (size_t pixel = 0; pixel < pixels; pixel++)
            sum += (double)input->values[i * pixels + pixel];
        output[i] = (float)(sum / (double)pixels);
    }
    return 0;
}
