/* folder.h - a folder on the disk with hostile things in it and something precious beside it */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRECIOUS "what lies outside stays"

struct scene {
    char base[64];   /* holds `outside` and the folder `inside` */
    char inside[80]; /* `a` (abc), `d/b` (b), the links out, up, in and dd, the pipe `pipe` */
    char outside[80];
};

static inline void scene_write(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Is `text` all that the file holds? */
static inline void scene_assert_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    char bytes[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t len = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    assert_true(len >= 0);
    bytes[len] = 0;
    assert_string_equal(bytes, text);
}

static inline void scene_init(struct scene *s)
{
    snprintf(s->base, sizeof s->base, "/tmp/mote-folder-XXXXXX");
    assert_non_null(mkdtemp(s->base));
    snprintf(s->inside, sizeof s->inside, "%s/inside", s->base);
    snprintf(s->outside, sizeof s->outside, "%s/outside", s->base);
    assert_int_equal(mkdir(s->inside, 0700), 0);
    int fd = open(s->inside, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_int_equal(mkdirat(fd, "d", 0700), 0);
    assert_int_equal(symlinkat("../outside", fd, "out"), 0);
    assert_int_equal(symlinkat("..", fd, "up"), 0);
    assert_int_equal(symlinkat("a", fd, "in"), 0);
    assert_int_equal(symlinkat("d", fd, "dd"), 0);
    assert_int_equal(symlinkat("/", fd, "root"), 0);
    assert_int_equal(mkfifoat(fd, "pipe", 0600), 0);
    close(fd);
    scene_write(s->base, "outside", PRECIOUS);
    scene_write(s->inside, "a", "abc");
    scene_write(s->inside, "d/b", "b");
}

static inline int scene_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

/* What was outside is there as it was, and nothing came to it. */
static inline void scene_deinit(struct scene *s)
{
    scene_assert_file(s->base, "outside", PRECIOUS);
    assert_int_equal(nftw(s->inside, scene_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
    assert_int_equal(unlink(s->outside), 0);
    assert_int_equal(rmdir(s->base), 0);
}
