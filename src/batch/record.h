/* A journal's record and header as bytes; the layout is in journal.h. */
#ifndef HLRP_RECORD_H
#define HLRP_RECORD_H

#include "batch/journal.h"

#define HLRP_RECORD_HEAD 8 /* bytes before the payload: mark and length */
#define HLRP_RECORD_TAIL 4 /* bytes after it: checksum */

/* Bytes of the largest record of a key, head and tail with it. HLRP_E_MEMORY where a record would
 * exceed 1 GiB; HLRP_E_INTERNAL where the key makes no sense. */
hlrp_status hlrp_record_most(const hlrp_journal_key *key, int64_t *bytes, hlrp_error *err);

/* Writes the record into `to` (room for hlrp_record_most), its size in *size. HLRP_E_INTERNAL where
 * the result does not fit the key. */
hlrp_status hlrp_record_encode(const hlrp_journal_key *key, const hlrp_record *result,
                               unsigned char *to, int64_t *size, hlrp_error *err);

/* Size of the record that starts with these 8 bytes; 0 where it is none of this key. */
int64_t hlrp_record_size(const unsigned char head[HLRP_RECORD_HEAD], int64_t most);

/* Decodes a whole record of `size` bytes; arrays of *result point into it (aligned, where its
 * payload is aligned to 8). False where checksum, sizes or values are wrong. */
bool hlrp_record_decode(const hlrp_journal_key *key, const unsigned char *record, int64_t size,
                        hlrp_record *result);

/* Bytes of the header, and the header of a new journal, appended to out. */
int64_t hlrp_header_size(const hlrp_journal_key *key);
void hlrp_header_encode(const hlrp_journal_key *key, hlrp_str *out);

/* Reads a header: numbers into *key, whose text is *text (the caller's to free), its size in *size.
 * HLRP_E_INPUT naming path. *cut is true where the file ends inside the header. */
hlrp_status hlrp_header_read(int fd, const char *path, hlrp_journal_key *key, char **text,
                             int64_t *size, bool *cut, hlrp_error *err);

/* HLRP_E_INPUT where `have` (of the file) is not `want`, naming the first line that differs. */
hlrp_status hlrp_header_compare(const hlrp_journal_key *have, const hlrp_journal_key *want,
                                const char *path, hlrp_error *err);

/* pread until `size` bytes are there or the file ends; bytes read, or −1 with errno. */
int64_t hlrp_pread_all(int fd, void *to, int64_t size, int64_t at);

#endif
