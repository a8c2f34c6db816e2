/* Private to src/sink: the page's style and script; static. */
#ifndef HLRP_REPORT_STYLE_H
#define HLRP_REPORT_STYLE_H

extern const char *const hlrp_report_css[]; /* lines, NULL after the last */
/* Sorts the table. The page allows this script alone, by its hash. */
extern const char hlrp_report_js[];

#endif
