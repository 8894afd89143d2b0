/* printable.h - text of strangers, made fit for a terminal */
/* SPDX-License-Identifier: MIT */
#pragma once

/* Puts a `?` for whatever could move the cursor, change colours, or turn the direction of writing:
 * control characters (U+009B and its like among them), marks of direction, and bytes that are no
 * UTF-8, which terminals of another encoding may take for controls. Never longer than before. */
void make_printable(char *text);
