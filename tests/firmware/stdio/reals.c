/* reals.c - real numbers through printf and scanf, with the digits that a float has */
/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

int main(void)
{
    static const float values[] = {0.0f,  1.0f,      -2.5f,     3.14159f, 1e10f,
                                   1e-7f, 123456.0f, 0.333333f, 65504.0f};
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        printf("%g|%.3f|%10.2e|%-12g|%+.0f\n", printf_float(values[i]), printf_float(values[i]),
               printf_float(values[i]), printf_float(values[i]), printf_float(values[i]));
    }
    printf("%f %f %g\n", printf_float(INFINITY), printf_float(-INFINITY), printf_float(-0.0f));
    float first = 0, second = 0;
    int count = sscanf("2.5e3 -0.125", "%f %f", &first, &second);
    printf("%d %g %g %g\n", count, printf_float(first), printf_float(second),
           printf_float(sqrtf(first / second * second)));
    return 0;
}
