/* run_given.h - what a guest is given of its host by semihosting: a folder, arguments */
/* SPDX-License-Identifier: MIT */
#pragma once
/* Life cycle: run_given_init -> run_given_folder, command_line -> run_given_deinit. */
#include "base/buf.h"
#include "base/err.h"
#include "cmd/option.h"
#include "os/folder.h"

/* A row of run.def for each command, by its TAKERS: itself or nothing. */
#define RV32IM_TAKES_ALL(...)    __VA_ARGS__
#define RV32IM_TAKES_PLAIN(...)  __VA_ARGS__
#define RV32IM_TAKES_RV32IM(...) __VA_ARGS__
#define RV32IM_TAKES_MOTE(...)
#define MOTE_RUN_TAKES_ALL(...)   __VA_ARGS__
#define MOTE_RUN_TAKES_PLAIN(...) __VA_ARGS__
#define MOTE_RUN_TAKES_RV32IM(...)
#define MOTE_RUN_TAKES_MOTE(...) __VA_ARGS__
#define MOTE_GDB_TAKES_ALL(...)  __VA_ARGS__
#define MOTE_GDB_TAKES_PLAIN(...)
#define MOTE_GDB_TAKES_RV32IM(...)
#define MOTE_GDB_TAKES_MOTE(...) __VA_ARGS__

struct run_options {
#define OPTION(takers, ...) RV32IM_TAKES_##takers(OPTION_FIELD(__VA_ARGS__))
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
