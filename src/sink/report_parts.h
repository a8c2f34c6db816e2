/* Private to src/sink: parts of a slide's fragment. Each appends HTML. */
#ifndef HLRP_REPORT_PARTS_H
#define HLRP_REPORT_PARTS_H

#include "sink/report_numbers.h"

/* The thumbnail with regions and the overlay, with color bar and scale bar. */
hlrp_status hlrp_report_views(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err);

/* Tiles with the most relevance: picture, heatmap, where they are. */
hlrp_status hlrp_report_pairs(const hlrp_report_input *in, const hlrp_report_numbers *n,
                              hlrp_str *s, hlrp_error *err);

/* Whether map and network agree; nothing where no tile was compared. */
void hlrp_report_agreement(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s);

/* Relevance by ground; nothing without ground. */
void hlrp_report_by_ground(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s);

void hlrp_report_histogram(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s);

/* The conservation account. */
hlrp_status hlrp_report_account(const hlrp_report_input *in, const hlrp_report_numbers *n,
                                hlrp_str *s, hlrp_error *err);

#endif
