/* A lock on a folder that holds across machines sharing a file system: a small file, made with
 * O_CREAT|O_EXCL, that names its holder (host, process, job) and a random token.
 *
 * It is stale, and taken over, where its process is gone from this very host (same host name and
 * boot), where it was made by an earlier start of this very Slurm task (a requeued job runs again
 * only when its first start has ended), or where its heartbeat (the file's modification time) is
 * older than the timeout. A holder that was suspended meanwhile finds by hlrp_lock_check that its
 * token is gone and must write no more: call it before every append and rename that matters. A
 * take-over moves the old file away, looks at what it moved and puts a wrong one back, so that of
 * several takers one wins. Between a check and the write that follows lies a moment that no file
 * lock can close; the journal's own lock guards its file then. */
#ifndef HLRP_LOCK_H
#define HLRP_LOCK_H

#include "util/util.h"

typedef struct hlrp_lock hlrp_lock;

/* HLRP_E_BUSY where another run holds it, naming host, process and job; HLRP_E_IO. timeout in
 * seconds. */
hlrp_status hlrp_lock_acquire(const char *path, double timeout, hlrp_lock **out, hlrp_error *err);

/* HLRP_E_BUSY where the lock is no longer ours, HLRP_E_IO where it cannot be read. Cheap: one small read. Thread-safe. */
hlrp_status hlrp_lock_check(const hlrp_lock *lock, hlrp_error *err);

/* What a failure is worth to one who holds the lock: where the lock was lost meanwhile, the work may have
 * failed because of the run that took it over, and is being done there: HLRP_E_BUSY, with *err saying
 * so. Else `status`, with *err as it is. lock may be NULL. */
hlrp_status hlrp_lock_judge(const hlrp_lock *lock, hlrp_status status, hlrp_error *err);

/* Checks, then renews the heartbeat: call it every timeout / 4 or so. */
hlrp_status hlrp_lock_beat(const hlrp_lock *lock, hlrp_error *err);

/* From now on a thread of the lock's own renews the heartbeat every `seconds`, through steps of any
 * length, until release. HLRP_E_MEMORY where there can be no thread. */
hlrp_status hlrp_lock_keep(hlrp_lock *lock, double seconds, hlrp_error *err);

/* Removes the file if it is still ours, and frees. NULL is fine. */
void hlrp_lock_release(hlrp_lock *lock);

/* For reports: whether somebody (this process too) holds the lock, and who, as text for a person
 * ("host n1, process 4711, job 12"), in buf; empty where nobody. Changes nothing. */
bool hlrp_lock_held(const char *path, double timeout, char buf[256]);

#endif
