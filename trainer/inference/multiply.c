/* weights [inputs][units], bias [units] or NULL; output [units] */
static void multiply(int inputs, int units, const float *weights, const float *bias,
                     const float *input, float *restrict output)
{
    for (int u = 0; u < units; u++)
        output[u] = bias ? bias[u] : 0.0f;
    for (int i = 0; i < inputs; i++, weights += units) {
        for (int u = 0; u < units; u++)
            output[u] += input[i] * weights[u];
    }
}
