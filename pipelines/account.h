/* The account: where relevance went, layer by layer, and a word where a layer makes it explode. */
#ifndef HLRP_PIPELINES_ACCOUNT_H
#define HLRP_PIPELINES_ACCOUNT_H

#include "pipelines/slide_run.h"

/* Reads /layers of the slide's result and warns where relevance grows more than a hundredfold, in one
 * layer or from the output to the pixels, naming the (at most three) layers and rules that do it. The
 * warning says whether float32 is to blame: the tiles with the largest maps, at most three and at most
 * about a minute's work, are explained again in float64. */
hlrp_status hlrp_step_account(const hlrp_slide_run *run, hlrp_error *err);

#endif
