static void add(int count, const float *one, const float *other, float *output)
{
    for (int i = 0; i < count; i++)
        output[i] = one[i] + other[i];
}
