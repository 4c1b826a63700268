/* The mean of each channel over the whole image; output [channels]. */
static void average_image(int pixels, int channels, const float *input, float *output)
{
    for (int c = 0; c < channels; c++) {
        double sum = 0.0;
        for (int i = 0; i < pixels; i++)
            sum += input[i * channels + c];
        output[c] = (float)(sum / pixels);
    }
}
