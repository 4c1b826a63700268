/* e to the power x: a short series at x / 1024, squared ten times. */
static double exponential(double x)
{
    double most = 700.0, small = (x > most ? most : x < -most ? -most : x) / 1024.0, power = 1.0;
    for (int i = 7; i > 0; i--)
        power = 1.0 + power * small / i;
    for (int i = 0; i < 10; i++)
        power *= power;
    return power;
}
