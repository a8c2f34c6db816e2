/* What decides the numbers of a slide, as text: a run goes on only with what was made from the same. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/slide_run.h"
#include "worker/account.h"

/* Which classes get a map: where lrp.target is silent, that follows from other keys. */
static void list_planes(const hlrp_network *net, hlrp_str *out) {
    hlrp_str_add(out, net->targets.predicted ? "the predicted of " : "");
    for (int64_t k = 0; k < net->targets.planes; k++)
        hlrp_str_addf(out, "%s%s", k > 0 ? ", " : "", net->class_names[net->targets.classes[k]]);
}

hlrp_status hlrp_step_key(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    const hlrp_survey *survey = &run->survey;
    hlrp_str planes = {0};
    hlrp_slide_identity identity = {0};
    char *config = NULL, digest[65], features[65] = "", processor[HLRP_PROCESSOR_SIZE];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_identify(survey->slide, &identity, err));
    HLRP_TRY(hlrp_config_result_key(net->config, survey->path, &config, err));
    HLRP_TRY(hlrp_survey_features_hash(survey, features, err));
    hlrp_processor(processor);
    hlrp_sha256_bytes(survey->tiles, (size_t)survey->tile_count * sizeof *survey->tiles, digest);
    list_planes(net, &planes);
    if (planes.failed)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MEMORY, survey->path, NULL, "out of memory"));
    status = hlrp_format(
        &run->key, err,
        "%s%sprogram = histolrp %s\n" HLRP_KEY_MACHINE "processor = %s\n" HLRP_KEY_MACHINE
        "convolutions = %s\n" HLRP_KEY_MACHINE "instructions = %s\n"
        "explained = %s\nmodel.sha256 = %s\nslide.bytes = %lld\nslide.hash = %s\n"
        "slide.pixel = %.17g, %.17g\ntiles = %lld\ntiles.sha256 = %s\n%s%s%s",
        config, config[0] && config[strlen(config) - 1] != '\n' ? "\n" : "", HLRP_VERSION,
        processor, hlrp_backend_version(), hlrp_backend_isa(), planes.text, net->hash,
        (long long)identity.bytes, identity.hash, survey->mpp.x, survey->mpp.y,
        (long long)survey->tile_count, digest, features[0] ? "mil.features.sha256 = " : "",
        features, features[0] ? "\n" : "");
out:
    hlrp_str_free(&planes);
    free(config);
    return status;
}

hlrp_status hlrp_slide_run_journal_key(const hlrp_slide_run *run, hlrp_journal_key *key,
                                       hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    *key = (hlrp_journal_key){
        .text = run->key,
        .classes = net->classes,
        .planes = net->targets.planes,
        .tiles = run->survey.tile_count,
        .layer_values = run->batch->tile_net ? hlrp_account_count(run->batch->tile_net) : 0,
        .any_machine = run->batch->options->any_processor};
    return hlrp_tile_job_parts(&run->survey.grid, net->config->map.downsample, &key->parts_max,
                               err);
}
