/* An OpenBLAS that knows no processor of these years, for tests: loaded by LD_PRELOAD. */
char *openblas_get_corename(void);

char *openblas_get_corename(void)
{
    return "Prescott";
}
