/* What run.json says of a slide's run. */
#include "run/provenance.h"

#include <stdlib.h>

#include "pipelines/slide_run.h"
#include "run/agreement.h"

static hlrp_status write_facts(const hlrp_slide_run *run, const char *slide, const char *config,
                               const char *agreement, const char *warnings, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    const hlrp_survey *survey = &run->survey;
    const hlrp_slide_progress *where = run->folder.where;
    const hlrp_tile_times *times = &run->times;
    const char *outcome = !run->complete                 ? HLRP_OUTCOME_BEGUN
                          : hlrp_slide_run_is_empty(run) ? "empty"
                                                         : "complete";
    hlrp_slide_identity identity = {0};
    char now[32], hdf5[32], processor[HLRP_PROCESSOR_SIZE];
    const hlrp_status status = hlrp_slide_identify(survey->slide, &identity, err);
    if (status != HLRP_OK)
        return status;
    hlrp_timestamp(now);
    hlrp_processor(processor);
    const hlrp_fact facts[] = {
        {"program", .text = "histolrp " HLRP_VERSION},
        {"openslide", .text = hlrp_slide_version()},
        {"hdf5", .text = hlrp_hdf5_version(hdf5)},
        {"processor", .text = processor},
        {"convolutions", .text = hlrp_backend_version()},
        {"instructions", .text = hlrp_backend_isa()},
        {"model", .text = net->config->model.path},
        {"model_sha256", .text = net->hash},
        {"slide", .text = slide},
        {"slide_hash", .text = identity.hash},
        {"slide_hash_kind", .text = identity.kind},
        {"slide_bytes", .number = (double)identity.bytes},
        {"mpp_x", .number = survey->mpp.x},
        {"mpp_y", .number = survey->mpp.y},
        {"mpp_source", .text = survey->mpp_source},
        {"outcome", .text = outcome},
        {"started", .text = where->started},
        {"finished", .text = now},
        {"tiles", .number = (double)survey->tile_count},
        {"explained", .number = (double)where->explained},
        {"gated", .number = (double)where->gated},
        {"unreadable", .number = (double)where->unreadable},
        {"class", .text = where->scored ? where->class : NULL, .json = "null"},
        {"score", .json = where->scored ? NULL : "null", .number = where->score},
        {"threads", .number = run->batch->threads},
        {"compute_seconds", .number = run->compute_seconds},
        {"core_seconds_read", .number = (double)times->read / 1e9},
        {"core_seconds_forward", .number = (double)times->forward / 1e9},
        {"core_seconds_relevance", .number = (double)times->relevance / 1e9},
        {"core_seconds_keep", .number = (double)times->keep / 1e9},
        {"assemble_seconds", .number = run->assemble_seconds},
        {"output_seconds", .number = run->output_seconds},
        {"tiles_per_second", .number = where->rate},
        {"peak_memory_bytes", .number = (double)hlrp_peak_memory()},
        {"result_key", .text = run->key},
        {"agreement", .json = agreement},
        {"warnings", .json = warnings},
        {"config", .text = config},
    };
    return hlrp_provenance_write(&run->folder, facts, HLRP_COUNT(facts), err);
}

hlrp_status hlrp_step_provenance(const hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_network *net = run->batch->net;
    hlrp_str agreement = {0}, warnings = {0};
    char *config = NULL;
    char *slide = realpath(run->survey.path, NULL); /* merge may be run from another folder */
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_config_effective(net->config, &config, err));
    hlrp_agreement_json(&run->agreement, &run->shown_agreement,
                        net->class_names[net->targets.classes[run->shown]], &agreement);
    hlrp_warnings_json(run->folder.warnings, &warnings);
    if (agreement.failed || warnings.failed)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MEMORY, run->folder.path, NULL, "out of memory"));
    status = write_facts(run, slide ? slide : run->survey.path, config, agreement.text,
                         warnings.text, err);
out:
    hlrp_str_free(&agreement);
    hlrp_str_free(&warnings);
    free(slide);
    free(config);
    return status;
}
