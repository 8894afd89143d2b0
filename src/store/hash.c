/* hash.c - SHA-256 by libcrypto */
/* SPDX-License-Identifier: MIT */
#include "store/hash.h"
#include "os/file.h"

#include <openssl/evp.h>

enum { READ_BYTES = 65536 };

void hash_span(struct span bytes, uint8_t ret_sha256[SHA256_SIZE])
{
    check(EVP_Digest(bytes.data, bytes.len, ret_sha256, NULL, EVP_sha256(), NULL) == 1);
}

static int hash_all(EVP_MD_CTX *context, int fd, uint64_t size)
{
    uint8_t bytes[READ_BYTES];
    for (uint64_t at = 0; at < size;) {
        size_t part = size - at < sizeof bytes ? (size_t)(size - at) : sizeof bytes;
        size_t got;
        int err = os_file_read(fd, bytes, part, at, &got);
        if (err) {
            return err;
        }
        if (got < part) {
            return ERR_ARGUMENT;
        }
        if (EVP_DigestUpdate(context, bytes, got) != 1) {
            return ERR_NO_MEMORY;
        }
        at += got;
    }
    return 0;
}

int hash_file(int fd, uint64_t size, uint8_t ret_sha256[SHA256_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return ERR_NO_MEMORY;
    }
    int err = hash_all(context, fd, size);
    if (err == 0 && EVP_DigestFinal_ex(context, ret_sha256, NULL) != 1) {
        err = ERR_NO_MEMORY;
    }
    EVP_MD_CTX_free(context);
    return err;
}

void hash_format(const uint8_t sha256[SHA256_SIZE], char ret_text[SHA256_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret_text[2 * i] = digits[sha256[i] >> 4];
        ret_text[2 * i + 1] = digits[sha256[i] & 15];
    }
    ret_text[2 * SHA256_SIZE] = '\0';
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hash_parse(struct span text, uint8_t ret_sha256[SHA256_SIZE])
{
    if (text.len != 2 * SHA256_SIZE) {
        return false;
    }
    uint8_t sha256[SHA256_SIZE];
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        int high = digit_of(text.data[2 * i]);
        int low = digit_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        sha256[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret_sha256, sha256, sizeof sha256);
    return true;
}
