static void leaky_relu(int count, float slope, const float *input, float *output)
{
    for (int i = 0; i < count; i++)
        output[i] = input[i] > 0.0f ? input[i] : slope * input[i];
}
