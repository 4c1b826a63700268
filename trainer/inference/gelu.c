/* x (1 + erf(x / sqrt 2)) / 2, with erf to 1.5e-7 (Abramowitz & Stegun, 7.1.26). */
static void gelu(int count, const float *input, float *output)
{
    for (int i = 0; i < count; i++) {
        double x = input[i], z = (x < 0.0 ? -x : x) * 0.70710678118654752;
        double t = 1.0 / (1.0 + 0.3275911 * z);
        double series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 +
                        t * (-1.453152027 + t * 1.061405429))));
        double tail = 0.5 * series * exponential(-z * z); /* of the normal distribution */
        output[i] = (float)(x * (x < 0.0 ? tail : 1.0 - tail));
    }
}
