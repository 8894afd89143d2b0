/* echo.c - gives the request's body back, whole and in one piece */
/* SPDX-License-Identifier: MIT */
#include <mote.h>
#include <string.h>

/* IN and OUT are plain memory, so an echo is one copy and the word how long it is. */
int main(void)
{
    memcpy(mote_out(), mote_in(), mote_in_len());
    mote_out_len_set(mote_in_len());
    return 0;
}
