static void sigmoid(int count, const float *input, float *output)
{
    for (int i = 0; i < count; i++)
        output[i] = (float)(1.0 / (1.0 + exponential(-input[i])));
}
