/* run_given.h - what a guest is given of its host by semihosting: a folder, arguments */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: run_given_init -> run_given_folder, command_line -> run_given_deinit. */
#include "base/buf.h"
#include "base/err.h"
#include "cmd/option.h"
#include "os/folder.h"

struct run_options {
#define OPTION OPTION_FIELD
#include "cmd/run.def"
#undef OPTION
};

struct run_given {
    struct os_folder folder;
    bool has_folder;
    struct buf command_line;
};

/* Opens the folder of --dir or --dir-rw and joins what each --arg gave. ERR_USAGE, naming the
 * option: both folders, one that cannot be opened, or arguments that are too long together. */
MUST_CHECK int run_given_init(struct run_given *given, const struct run_options *options,
                              struct msg *msg);
/* Accepts a zeroed one. */
void run_given_deinit(struct run_given *given);
/* NULL where no folder was given. */
const struct os_folder *run_given_folder(const struct run_given *given);
