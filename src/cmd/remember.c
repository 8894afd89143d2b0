/* remember.c - reads and writes lines `name=value`: server, rom, ram */
/* SPDX-License-Identifier: MIT */
#include "cmd/remember.h"
#include "base/buf.h"
#include "os/command.h"
#include "os/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_SIZE = 512, FILE_BYTES_MAX = 4096 };

static int make_folders(const char *config, struct msg *msg)
{
    char folder[REMEMBER_PATH_SIZE + sizeof "/mote"];
    snprintf(folder, sizeof folder, "%s/mote", config);
    int err = os_make_folder(config, msg);
    return err ? err : os_make_folder(folder, msg);
}

/* The file's name; where `is_made`, its folders are there afterwards. */
static int find_path(bool is_made, char ret_path[REMEMBER_PATH_SIZE], struct msg *msg)
{
    char config[REMEMBER_PATH_SIZE];
    const char *given = getenv("MOTE_SESSION");
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (given && *given) {
        int len = snprintf(ret_path, REMEMBER_PATH_SIZE, "%s", given);
        return len < REMEMBER_PATH_SIZE ? 0 : fail(msg, ERR_TOO_BIG, "$MOTE_SESSION is too long");
    }
    bool has_xdg = xdg && *xdg == '/';
    if (!has_xdg && (!home || !*home)) {
        return fail(msg, ERR_NOT_FOUND, "neither $MOTE_SESSION nor $HOME is set");
    }
    int len =
        snprintf(config, sizeof config, "%s%s", has_xdg ? xdg : home, has_xdg ? "" : "/.config");
    bool is_long = len < 0 || (size_t)len >= sizeof config;
    len = snprintf(ret_path, REMEMBER_PATH_SIZE, "%s/mote/session", config);
    if (is_long || len >= REMEMBER_PATH_SIZE) {
        return fail(msg, ERR_TOO_BIG, "the path of the session file is too long");
    }
    return is_made ? make_folders(config, msg) : 0;
}

static void take_id(const char *text, char ret_id[ID_TEXT_LEN + 1])
{
    struct id id;
    if (id_parse(span_of_string(text), &id)) {
        id_format(&id, ret_id);
    }
}

static void take_line(char *line, struct remembered *to)
{
    line[strcspn(line, "\r\n")] = 0;
    char *value = strchr(line, '=');
    if (!value) {
        return;
    }
    *value++ = 0;
    if (strcmp(line, "server") == 0 && strlen(value) < sizeof to->server) {
        memcpy(to->server, value, strlen(value) + 1);
    } else if (strcmp(line, "rom") == 0) {
        take_id(value, to->rom);
    } else if (strcmp(line, "ram") == 0) {
        take_id(value, to->ram);
    }
}

int remember_load(struct remembered *ret_remembered, struct msg *msg)
{
    char path[REMEMBER_PATH_SIZE];
    char line[LINE_SIZE];
    *ret_remembered = (struct remembered){.server = ""};
    if (find_path(false, path, NULL)) {
        return 0; /* saving will say why */
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        return errno == ENOENT ? 0 : fail(msg, ERR_BAD_FILE, "%.300s: %s", path, strerror(errno));
    }
    while (fgets(line, sizeof line, file)) {
        take_line(line, ret_remembered);
    }
    int number = ferror(file) ? errno : 0; /* a folder opens, and cannot be read */
    fclose(file);
    return number ? fail(msg, ERR_BAD_FILE, "%.300s: %s", path, strerror(number)) : 0;
}

int remember_save(const struct remembered *remembered, struct msg *msg)
{
    char path[REMEMBER_PATH_SIZE];
    struct msg why = {{0}};
    struct buf text;
    int err = find_path(true, path, &why);
    if (err) {
        return fail(msg, err, "what was used cannot be remembered: %.300s", why.text);
    }
    buf_init(&text, FILE_BYTES_MAX);
    buf_print(&text, "server=%s\nrom=%s\nram=%s\n", remembered->server, remembered->rom,
              remembered->ram);
    err = text.failed ? fail(&why, ERR_NO_MEMORY, "out of memory")
                      : os_replace_text(path, buf_span(&text), &why);
    buf_deinit(&text);
    return err ? fail(msg, err, "what was used cannot be remembered: %.300s", why.text) : 0;
}
