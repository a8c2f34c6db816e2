/* How fast a network is on this machine. */
#ifndef HLRP_WORKER_TRIAL_H
#define HLRP_WORKER_TRIAL_H

#include "model/network.h"
#include "sched/sched.h"

/* Runs it on empty tiles on all threads for a moment: *seconds for one micro-batch on one thread while all
 * threads compute. */
hlrp_status hlrp_worker_trial(const hlrp_network *net, int threads, const hlrp_cancel *cancel,
                              double *seconds, hlrp_error *err);

#endif
