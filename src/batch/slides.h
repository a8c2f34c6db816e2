/* The list of slides of a batch. */
#ifndef HLRP_SLIDES_H
#define HLRP_SLIDES_H

#include "util/util.h"

/* Expands what `batch.slides` or --slide name into paths, sorted bytewise, in *out
 * (zero-initialised; the caller frees it, also on failure). An item is one of
 *     @list.txt   a text file with one item per line; blank lines and lines that start with # are
 *                 skipped; no further @ inside
 *     a folder    its files with a slide's extension, letter case aside, not those of folders below
 *     a glob      the files it matches
 *     a file      kept even where it does not exist: it then fails by itself, with a row of its own
 * Relative paths are relative to the working directory, in a list to the list's folder. Brackets that
 * match nothing are part of a file's name.
 * HLRP_E_CONFIG: a glob or folder without a slide, the same path twice, two slides of one stem
 * (their results would share a folder), an unreadable list, nothing at all. */
hlrp_status hlrp_slides_expand(const hlrp_strings *items, hlrp_strings *out, hlrp_error *err);

/* OUTPUT/<file name without extension> in *folder, the caller's to free. */
hlrp_status hlrp_slides_folder(const char *output, const char *slide, char **folder,
                               hlrp_error *err);

#endif
