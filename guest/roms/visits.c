/* visits.c - a visit counter: its only variable lives in the session */
/* SPDX-License-Identifier: MIT */
#include <mote.h>
#include <stdio.h>

MOTE_PRESERVE static unsigned visits;

int main(void)
{
    mote_reply_header("Content-Type", "text/plain; charset=utf-8");
    visits++;
    printf("%s Visit number %u.\n", visits == 1 ? "Welcome!" : "Welcome back!", visits);
    return 0;
}
