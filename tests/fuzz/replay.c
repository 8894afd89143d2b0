/* replay.c - feed every file of a corpus folder to a fuzz target, without libFuzzer */
/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 1 << 20 };

/* The bytes are copied to memory of just their size, so that AddressSanitizer sees an overrun. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    static uint8_t input[INPUT_BYTES_MAX];
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    uint8_t *exact = malloc(size + !size);
    if (!exact) {
        perror(path);
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        exact[i] = input[i];
    }
    fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER (that can be read)\n", argv[0]);
        return 2;
    }
    int failed = 0;
    int passed = 0;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        char path[4096];
        if (entry->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (replay_file(path)) {
            failed++;
        } else {
            passed++;
        }
    }
    closedir(folder);
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed; /* an empty corpus proves nothing */
}
