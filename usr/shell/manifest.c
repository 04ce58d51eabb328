/* SPDX-License-Identifier: MIT */
/*
 * Reading a manifest (shell/manifest.h): the line's end and its semicolons become zeros.
 */
#include "shell/manifest.h"

#include "os2/abi.h"
#include "os2/string.h"

/* Cuts the field at *rest off, without blanks around it; *rest is null behind the last one. */
static char *field_cut(char **rest) {
    char *field = *rest, *end;

    if (!field)
        return NULL;
    while (*field == ' ')
        field++;
    for (end = field; *end && *end != ';';)
        end++;
    *rest = *end ? end + 1 : NULL;
    while (end > field && end[-1] == ' ')
        end--;
    *end = 0;
    return field;
}

/* Null, or what is wrong with the line. */
static const char *line_read(char *line, struct manifest_program *ret_program) {
    char *name = field_cut(&line), *arguments = field_cut(&line), *summary = field_cut(&line);
    const char *rights = field_cut(&line);

    if (!summary || line || !*name || !*summary)
        return "not NAME; ARGUMENTS; SUMMARY[; RIGHTS]";
    if (rights && strcmp(rights, "observe") != 0)
        return "no such right";
    *ret_program = (struct manifest_program){
        .name = name, .arguments = arguments, .summary = summary, .rights = rights ? OS2_RIGHT_OBSERVE : 0};
    return NULL;
}

/* The end of the line that begins at `at`. False: there is none, or it is no text. */
static bool line_end(const struct manifest *manifest, size_t *ret_end) {
    bool text = true;
    size_t end = manifest->at;

    for (; end < manifest->size && manifest->text[end] != '\n'; end++)
        text &= (unsigned char)manifest->text[end] >= ' ' && manifest->text[end] != 0x7f;
    *ret_end = end;
    return text && end < manifest->size;
}

enum manifest_result manifest_next(struct manifest *manifest, struct manifest_program *ret_program,
                                   const char **ret_reason) {
    while (manifest->at < manifest->size) {
        char *line = manifest->text + manifest->at;
        size_t end;
        bool good = line_end(manifest, &end);

        manifest->at = end + 1;
        manifest->line++;
        *ret_reason = "no text, or no line end";
        if (!good)
            return MANIFEST_ERROR;
        manifest->text[end] = 0;
        if (*line && *line != '#')
            return (*ret_reason = line_read(line, ret_program)) ? MANIFEST_ERROR : MANIFEST_PROGRAM;
    }
    return MANIFEST_END;
}
