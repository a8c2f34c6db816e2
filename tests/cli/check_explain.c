/* check_explain FILE.h5 START TARGET[,TARGET…] [LAYERS]: what `explain` wrote, from the file alone:
 * shapes and types; /target; /start from /logits by the definitions of the starts; and with the
 * number of nodes, every layer's relevance: its sum is the attribute, the output's is /start
 * itself. Guards: targets shifted by a sample, a start of the wrong sign, layers that come apart.
 */
#include "check.h"

static void check_type(hid_t file, const char *name, H5T_class_t kind, size_t bytes, int rank) {
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (!check(set >= 0, "no dataset %s", name))
        return;
    const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    check(H5Tget_class(type) == kind && H5Tget_size(type) == bytes, "%s: another type", name);
    check(H5Sget_simple_extent_ndims(space) == rank, "%s: another rank", name);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
}

/* The starting relevance of class k where `target` is explained, from logits z [n]. */
static double start_of(const char *kind, const double *z, int64_t n, int64_t target, int64_t k) {
    double all = 0, others = 0;
    for (int64_t j = 0; j < n; j++) {
        all += exp(z[j] - z[target]);
        others += j == target ? 0 : exp(z[j] - z[target]);
    }
    if (strcmp(kind, "logodds") == 0)
        return k == target ? z[k] : -z[k] * exp(z[k] - z[target]) / others;
    if (strcmp(kind, "auto") == 0)
        return k == target ? z[k] : -exp(z[k] - z[target]) / others * (z[target] + log(others));
    if (strncmp(kind, "pair:", 5) == 0)
        return k == target ? z[k] : k == atoll(kind + 5) ? -z[k] : 0;
    if (k != target)
        return 0;
    return strcmp(kind, "one") == 0 ? 1 : strcmp(kind, "probability") == 0 ? 1 / all : z[k];
}

static void check_starts(hid_t file, const char *kind, const dataset *target) {
    const dataset logits = read_dataset(file, "/logits"), start = read_dataset(file, "/start");
    const int64_t n = (int64_t)logits.d[1];
    for (int64_t i = 0; i < target->count; i++)
        for (int64_t k = 0; k < n; k++) {
            const double want = start_of(kind, logits.v + i * n, n, (int64_t)target->v[i], k);
            check(fabs(start.v[i * n + k] - want) <= 1e-5 * fabs(want) + 1e-7,
                  "sample %lld, class %lld starts at %.9g, not %.9g", (long long)i, (long long)k,
                  start.v[i * n + k], want);
        }
}

/* The class of the largest logit. */
static int64_t best(const dataset *logits, int64_t i) {
    const int64_t n = (int64_t)logits->d[1];
    int64_t k = 0;
    for (int64_t c = 1; c < n; c++)
        if (logits->v[i * n + c] > logits->v[i * n + k])
            k = c;
    return k;
}

static void check_predicted(hid_t file, const dataset *target) {
    const dataset logits = read_dataset(file, "/logits");
    for (int64_t i = 0; i < target->count; i++)
        check(target->v[i] == (double)best(&logits, i), "sample %lld: target %g is not predicted",
              (long long)i, target->v[i]);
}

static void check_targets(const dataset *target, char *list) {
    char *rest = NULL, *word = strtok_r(list, ",", &rest);
    for (int64_t i = 0; i < target->count; i++) {
        check(target->v[i] == atof(word), "sample %lld: target %g, not %s", (long long)i,
              target->v[i], word);
        char *next = strtok_r(NULL, ",", &rest);
        word = next ? next : word;
    }
}

static void check_layer(hid_t file, int64_t index, int64_t samples) {
    char name[64];
    double sum[64] = {0};
    snprintf(name, sizeof name, "/layers/%03lld/relevance", (long long)index);
    const dataset r = read_dataset(file, name);
    static const char *const texts[] = {"node", "output", "rule", "bias_share", "stabilizer_share"};
    for (int i = 0; i < 5; i++)
        check(H5Aexists_by_name(file, name, texts[i], H5P_DEFAULT) > 0, "%s: no %s", name,
              texts[i]);
    const hid_t attribute = H5Aopen_by_name(file, name, "sum", H5P_DEFAULT, H5P_DEFAULT);
    demand(attribute >= 0 && samples <= 64, "%s: no sum", name);
    const hid_t space = H5Aget_space(attribute);
    check(H5Sget_simple_extent_npoints(space) == samples, "%s: sums", name);
    H5Aread(attribute, H5T_NATIVE_DOUBLE, sum);
    H5Sclose(space);
    H5Aclose(attribute);
    check((int64_t)r.d[0] == samples, "%s: %llu samples", name, (unsigned long long)r.d[0]);
    for (int64_t i = 0; i < samples; i++) {
        const int64_t size = r.count / samples;
        double total = 0, absolute = 0;
        for (int64_t p = i * size; p < (i + 1) * size; p++) {
            total += r.v[p];
            absolute += fabs(r.v[p]);
        }
        check(fabs(total - sum[i]) <= 1e-5 * absolute, "%s, sample %lld: sum %.9g, attribute %.9g",
              name, (long long)i, total, sum[i]);
        check(absolute > 0, "%s, sample %lld: nothing but zeros", name, (long long)i);
    }
}

static void check_layers(hid_t file, int64_t count, int64_t samples) {
    char name[64];
    for (int64_t i = 0; i < count; i++)
        check_layer(file, i, samples);
    snprintf(name, sizeof name, "/layers/%03lld/relevance", (long long)count - 1);
    const dataset last = read_dataset(file, name), start = read_dataset(file, "/start");
    demand(last.count == start.count, "the last layer has another shape than /start");
    for (int64_t i = 0; i < last.count; i++)
        check(last.v[i] == start.v[i], "the output's relevance %g is not its start %g", last.v[i],
              start.v[i]);
}

int main(int argc, char **argv) {
    demand(argc == 4 || argc == 5, "check_explain FILE.h5 START TARGET[,TARGET] [LAYERS]");
    const hid_t file = open_h5(argv[1]);
    check_type(file, "/input", H5T_FLOAT, 4, 4);
    check_type(file, "/relevance", H5T_FLOAT, 4, 4);
    check_type(file, "/logits", H5T_FLOAT, 4, 2);
    check_type(file, "/start", H5T_FLOAT, 4, 2);
    check_type(file, "/target", H5T_INTEGER, 8, 1);
    const dataset target = read_dataset(file, "/target"), input = read_dataset(file, "/input");
    const dataset relevance = read_dataset(file, "/relevance");
    check(input.count == relevance.count && (int64_t)input.d[0] == target.count, "other shapes");
    if (strcmp(argv[3], "predicted") == 0)
        check_predicted(file, &target);
    else
        check_targets(&target, argv[3]);
    check_starts(file, argv[2], &target);
    if (argc == 5)
        check_layers(file, atoll(argv[4]), target.count);
    check(argc == 5 || H5Lexists(file, "/layers", H5P_DEFAULT) <= 0,
          "layers that nobody asked for");
    H5Fclose(file);
    return verdict();
}
