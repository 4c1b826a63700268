/* Of each pixel; mean, scale, offset [channels]. */
static void normalize(int pixels, int channels, const float *mean, const float *scale,
                      const float *offset, const float *input, float *output)
{
    for (int i = 0; i < pixels * channels; i++)
        output[i] = (input[i] - mean[i % channels]) * scale[i % channels] + offset[i % channels];
}
