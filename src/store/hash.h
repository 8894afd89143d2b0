/* hash.h - SHA-256 of bytes and of files */
/* SPDX-License-Identifier: MIT */
#pragma once

#include "store/store.h"

enum { SHA256_TEXT_SIZE = 2 * SHA256_SIZE + 1 };

void hash_span(struct span bytes, uint8_t ret_sha256[SHA256_SIZE]);
/* Reads the file's first `size` bytes. ERR_ARGUMENT where it is shorter. */
MUST_CHECK int hash_file(int fd, uint64_t size, uint8_t ret_sha256[SHA256_SIZE]);
/* Lower-case hexadecimal digits and a NUL. */
void hash_format(const uint8_t sha256[SHA256_SIZE], char ret_text[SHA256_TEXT_SIZE]);
MUST_CHECK bool hash_parse(struct span text, uint8_t ret_sha256[SHA256_SIZE]);
