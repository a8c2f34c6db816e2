/* How fast a network is on this machine. */
#ifndef HLRP_WORKER_TRIAL_H
#define HLRP_WORKER_TRIAL_H

#include "model/network.h"
#include "sched/sched.h"

/* Seconds for one micro-batch on one thread while all threads compute. */
typedef struct hlrp_trial {
    double forward, back; /* back: 0 where the network only goes forward */
} hlrp_trial;

/* Runs it on empty tiles on all threads for a moment. */
hlrp_status hlrp_worker_trial(const hlrp_network *net, int threads, const hlrp_cancel *cancel,
                              hlrp_trial *out, hlrp_error *err);

#endif
