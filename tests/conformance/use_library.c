/* A program outside the project: finds the library by pkg-config, includes only its installed
 * headers, explains a picture. Guards: headers that need what is not installed, symbols that are
 * not exported. */
#include <histolrp/config.h>
#include <histolrp/error.h>
#include <histolrp/explain.h>
#include <histolrp/log.h>
#include <histolrp/run.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    hlrp_error err = {0};
    hlrp_config *config = NULL;
    const hlrp_explain_options options = {.target = "tumor"};
    if (argc != 4)
        return 2;
    hlrp_status status = hlrp_config_load(argv[1], NULL, 0, &config, &err);
    if (status == HLRP_OK)
        status = hlrp_explain(config, argv[2], argv[3], &options, &err);
    if (status == HLRP_OK) { /* and an error comes back as one, not as an exit */
        hlrp_status refused = hlrp_explain(config, "no-such-picture.png", argv[3], &options, &err);
        status =
            refused == HLRP_E_INPUT && strstr(err.where, "no-such-picture") ? HLRP_OK : refused;
    }
    hlrp_config_free(config);
    if (status != HLRP_OK)
        fprintf(stderr, "%s (%s)\n", err.what, err.where);
    return hlrp_exit_status(status);
}
