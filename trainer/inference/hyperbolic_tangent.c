/* tanh(x) = 1 - 2 / (exp(2x) + 1) */
static void hyperbolic_tangent(int count, const float *input, float *output)
{
    for (int i = 0; i < count; i++)
        output[i] = (float)(1.0 - 2.0 / (exponential(2.0 * input[i]) + 1.0));
}
