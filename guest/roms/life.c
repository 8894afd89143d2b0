/* life.c - Conway's Game of Life, whose world lives in the session's RAM */
/* SPDX-License-Identifier: MIT */
/* Post a picture of `#` and `.` to set the world; post nothing to let a generation pass. */
#include <mote.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 64, HEIGHT = 32 };

MOTE_PRESERVE static unsigned char world[HEIGHT][WIDTH];
MOTE_PRESERVE static unsigned long generation;

/* The world is a torus: what leaves on one side comes back on the other. */
static int neighbours(int row, int column)
{
    int count = 0;
    for (int i = 0; i < 9; i++) {
        int r = (row + i / 3 - 1 + HEIGHT) % HEIGHT;
        int c = (column + i % 3 - 1 + WIDTH) % WIDTH;
        count += i != 4 && world[r][c];
    }
    return count;
}

static void pass_generation(void)
{
    unsigned char next[HEIGHT][WIDTH];
    for (int row = 0; row < HEIGHT; row++) {
        for (int column = 0; column < WIDTH; column++) {
            int count = neighbours(row, column);
            next[row][column] = count == 3 || (count == 2 && world[row][column]);
        }
    }
    memcpy(world, next, sizeof world);
    generation++;
}

static void read_world(void)
{
    memset(world, 0, sizeof world);
    generation = 0;
    int row = 0, column = 0, c;
    while ((c = getchar()) != EOF && row < HEIGHT) {
        if (c == '\n') {
            row++;
            column = 0;
        } else if (column < WIDTH) {
            world[row][column++] = c == '#';
        }
    }
}

int main(void)
{
    if (mote_in_len() != 0) {
        read_world();
    } else {
        pass_generation();
    }
    printf("generation %lu\n", generation);
    for (int row = 0; row < HEIGHT; row++) {
        for (int column = 0; column < WIDTH; column++) {
            putchar(world[row][column] ? '#' : '.');
        }
        putchar('\n');
    }
    return 0;
}
