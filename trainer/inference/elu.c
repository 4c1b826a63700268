static void elu(int count, const float *input, float *output)
{
    for (int i = 0; i < count; i++)
        output[i] = input[i] > 0.0f ? input[i] : (float)(exponential(input[i]) - 1.0);
}
