/* Files: what INI text is understood, what is refused and with which line; overrides; paths. */
#include <limits.h>

#include "config_test.h"

/* Guards: a byte-order mark becoming part of the first section, CR becoming part of values, the
 * continuation of a list, blanks around names. */
static void forms_of_text(void **state) {
    (void)state;
    hlrp_error err = {0};
    const char *text = "\xef\xbb\xbf; a comment\r\n[model]\r\nclasses = normal,\r\n"
                       "  tumor,\r\n\tother\r\n# between\r\n  mpp=0.5\r\n\r\n"
                       "[ map]\r\ndownsample = 4";
    const char *right = "\xef\xbb\xbf; a comment\r\n[model]\r\nclasses = normal,\r\n"
                        "  tumor,\r\n\tother\r\n# between\r\nmpp=0.5\r\n\r\n"
                        "[map]\r\ndownsample = 4";
    assert_null(load_text(text, &err)); /* an indented key continues the list: no class "mpp=0.5" */
    err = (hlrp_error){0};
    hlrp_config *c = load_text(right, &err);
    if (!c)
        fail_msg("%s: %s", err.where, err.what);
    assert_int_equal(c->model.classes.count, 3);
    assert_string_equal(c->model.classes.items[2], "other");
    assert_true(c->model.mpp == 0.5);
    assert_int_equal(c->map.downsample, 4);
    hlrp_config_free(c);
}

/* A value of n characters comes through whole. Guards: fixed line buffers. */
static void check_long_line(size_t n) {
    hlrp_error err = {0};
    hlrp_str s = {0};
    hlrp_str_add(&s, "[batch]\noutput = /");
    for (size_t i = 1; i < n; i++)
        hlrp_str_add(&s, "q");
    hlrp_str_add(&s, "\n[map]\ndownsample = 3\n");
    hlrp_config *c = load_text(s.text, &err);
    if (!c)
        fail_msg("%s: %s", err.where, err.what);
    assert_int_equal(strlen(c->batch.output), n);
    assert_int_equal(c->map.downsample, 3);
    hlrp_config_free(c);
    hlrp_str_free(&s);
}

static void long_lines(void **state) {
    (void)state;
    check_long_line(4096);
    check_long_line(10000);
    check_long_line(200000);
    hlrp_error err = {0};
    hlrp_str s = {0};
    hlrp_str_add(&s, "[rules]\n");
    for (int i = 0; i < 10000; i++)
        hlrp_str_add(&s, "n");
    hlrp_str_add(&s, " = pass\n");
    assert_null(load_text(s.text, &err));
    assert_non_null(strstr(err.where, "line 2"));
    assert_non_null(strstr(err.what, "too long"));
    hlrp_str_free(&s);
}

static void broken_text(void **state) {
    (void)state;
    assert_refused("[lrp]\ngamma = 1\n\ngamma = 2\n", "\"gamma\": the key is given twice", "line 4",
                   "keep one");
    assert_refused("[lrp]\ngamma = 1\n[map]\n[lrp]\nbeta = 2\n", "\"[lrp]\": the section is given",
                   "line 4", "one section");
    assert_refused("[rules]\na/b = pass\na/b = lrp0\n", "given twice", "line 3", "keep one");
    assert_refused("[lrp]\ngamma\n", "neither a section", "line 2", "key = value");
    assert_refused("[lrp\ngamma = 1\n", "no closing ]", "line 1", "[name]");
    assert_refused("[map] ; the map\ndownsample = 1\n", "no closing ]", "line 1", "lines of their");
    assert_refused("[]\n", "no name", "line 1", "[name]");
    assert_refused("[map]\n= 3\n", "no key", "line 2", "key = value");
    assert_refused("[map]\n  downsample = 3\n", "indented", "line 2", "blanks");
    /* libini-config loses the first key before the first section without a word */
    assert_refused("# c\n\ngamma = 1\n[lrp]\n", "\"gamma\" stands before the first", "line 3",
                   "[batch]");
    assert_refused("[map]\ndownsample = 4 ; fine\n",
                   "map.downsample: \"; fine\" behind the value is no comment", "line 2",
                   "line of its own");
}

static void unknown_names(void **state) {
    (void)state;
    assert_refused("[lrp]\n\n# c\ngama = 1\n", "unknown key \"gama\" in [lrp]", "line 4",
                   "did you mean \"gamma\" in [lrp]");
    assert_refused("[tiles]\ndownsample = 1\n", "unknown key \"downsample\" in [tiles]", "line 2",
                   "did you mean \"downsample\" in [map]");
    assert_refused("[Lrp]\ngamma = 1\n", "unknown section [Lrp]", "line 2", "did you mean [lrp]");
    assert_refused("[map]\n\n[Tiles]\n[lrp]\ngamma = 1\n", "unknown section [Tiles]", "line 3",
                   "did you mean [tiles]"); /* guards: a section without keys going unseen */
    assert_refused("[ruls]\na = pass\n", "unknown section", "line 2", "did you mean [rules]");
    assert_refused("[slide:]\nmpp = 1\n", "unknown section", "line 2", "slide:NAME");
    assert_refused("[slide:x]\nmp = 1\n", "unknown key \"mp\"", "line 2", "\"mpp\"");
    assert_refused("[map]\nDownsample = 1\n", "unknown key \"Downsample\"", "line 2",
                   "\"downsample\"");
    assert_refused("[map]\ndownsample = x\n", "map.downsample: \"x\" is not an integer", "line 2",
                   "integer in [1, 65536]");
}

/* Guards: NUL and other control bytes, UTF-16, a truncated byte-order mark; none may crash. */
static void not_text(void **state) {
    (void)state;
    hlrp_error err = {0};
    assert_null(load_bytes("[map]\ndown\0sample = 1\n", 22, &err));
    assert_non_null(strstr(err.where, "line 2"));
    assert_null(load_bytes("\xff\xfe[\0m\0]\0", 8, &err));
    assert_null(load_bytes("\xfe\xff", 2, &err));
    assert_int_equal(err.status, HLRP_E_CONFIG);
    err = (hlrp_error){0};
    hlrp_config *c = load_text("", &err);
    assert_non_null(c); /* an empty file: all defaults */
    hlrp_config_free(c);
    hlrp_config *none = NULL;
    assert_int_equal(hlrp_config_load("/nonexistent/x.ini", NULL, 0, &none, &err), HLRP_E_CONFIG);
    assert_int_equal(hlrp_config_load("/tmp", NULL, 0, &none, &err), HLRP_E_CONFIG);
    assert_null(none);
}

/* Node names hold what libini-config cannot: capitals that matter, '!', UTF-8, '%'. */
static void rules_keep_names_and_order(void **state) {
    (void)state;
    static const char *const names[] = {"/layer4/layer4.0/Conv",
                                        "@first",
                                        "*",
                                        "/A/Conv:0",
                                        "/a/Conv:0",
                                        "layer [!0-3]?",
                                        "rules",
                                        "b%41\xc3\xa9",
                                        "two words"};
    hlrp_str s = {0};
    hlrp_error err = {0};
    hlrp_str_add(&s, "[rules]\n");
    for (size_t i = 0; i < HLRP_COUNT(names); i++)
        hlrp_str_addf(&s, "%s = alphabeta(2, %zu)\n", names[i], i);
    hlrp_config *c = load_text(s.text, &err);
    if (!c)
        fail_msg("%s: %s", err.where, err.what);
    assert_int_equal(c->rule_count, HLRP_COUNT(names));
    for (size_t i = 0; i < HLRP_COUNT(names); i++) {
        assert_string_equal(c->rules[i].node, names[i]);
        assert_int_equal(c->rules[i].rule[13], '0' + (int)i);
        assert_int_equal(c->rules[i].line, (int)i + 2);
    }
    hlrp_config_free(c);
    hlrp_str_free(&s);
    assert_refused("[rules]\nx =\n", "\"x\" has no rule", "line 2", "NODE = RULE");
}

static void slides_have_sections(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_config *c = load_text("[slide:CMU-1.svs]\nmpp = 0.25, 0.26\nmask = m.png\n"
                               "[slide:\xc3\x84 [2]]\nannotation = /a/b.xml\n",
                               &err);
    assert_non_null(c);
    assert_int_equal(c->slide_count, 2);
    const hlrp_config_slide *s = hlrp_config_find_slide(c, "/data/CMU-1.svs");
    assert_non_null(s);
    assert_int_equal(s->mpp.count, 2);
    assert_true(s->mpp.items[1] == 0.26);
    assert_string_equal(hlrp_path_name(s->mask), "m.png");
    assert_int_equal(s->mask[0], '/');
    s = hlrp_config_find_slide(c, "\xc3\x84 [2].ndpi");
    assert_non_null(s);
    assert_string_equal(s->annotation, "/a/b.xml");
    assert_null(hlrp_config_find_slide(c, "CMU-1.ndpi"));
    assert_null(hlrp_config_find_slide(c, "CMU"));
    hlrp_config_free(c);
}

/* Guards: an override losing against the file, a rule being there twice, '=' and '.' in texts. */
static void overrides_win(void **state) {
    (void)state;
    char path[64], where[200];
    hlrp_error err = {0};
    hlrp_config *c = NULL;
    const char *const overrides[] = {"lrp.gamma=0.5",     "lrp.gamma=0.75",
                                     "rules./a.b/c=pass", "slide:CMU-1.svs.mpp=0.3",
                                     "gate.class=a=b.c",  "rules.@first = flat"};
    const char *text = "[lrp]\ngamma = 0.1\nalpha = 2\n[rules]\n/a.b/c = lrp0\n* = zplus\n";
    make_file(text, strlen(text), path);
    assert_int_equal(hlrp_config_load(path, overrides, HLRP_COUNT(overrides), &c, &err), HLRP_OK);
    unlink(path);
    assert_true(c->lrp.gamma == 0.75);
    assert_int_equal(c->rule_count, 3);
    assert_string_equal(c->rules[0].node, "*");
    assert_string_equal(c->rules[1].rule, "pass");
    assert_string_equal(c->rules[2].node, "@first");
    assert_string_equal(c->rules[2].rule, "flat");
    assert_string_equal(c->gate.class_name, "a=b.c");
    assert_true(hlrp_config_find_slide(c, "CMU-1.svs")->mpp.items[0] == 0.3);
    assert_string_equal(hlrp_config_where(c, "lrp.gamma", where, sizeof where), "-s lrp.gamma");
    assert_non_null(strstr(hlrp_config_where(c, "lrp.alpha", where, sizeof where), "line 3"));
    assert_string_equal(hlrp_config_where(c, "lrp.beta", where, sizeof where),
                        "default of lrp.beta");
    assert_non_null(strstr(hlrp_config_where_rule(c, 0, where, sizeof where), "line 6"));
    assert_string_equal(hlrp_config_where_rule(c, 1, where, sizeof where), "-s rules./a.b/c");
    hlrp_config_free(c);
    assert_override_refused("gamma=1", "sets no key", "section.key=value");
    assert_override_refused("lrp.gamma", "sets no key", "section.key=value");
    assert_override_refused("lrp.=1", "sets no key", "section.key=value");
    assert_override_refused("lrp.gama=1", "unknown key", "gamma");
    assert_override_refused("gate.class=a\nb", "control character", "text");
    assert_override_refused("rules.[x]=pass", "cannot be written", "NODE = RULE");
}

/* Guards: paths that depend on where the program is started; a pattern losing its {dir}. */
static void paths_start_from_the_file(void **state) {
    (void)state;
    char folder[] = "/tmp/hlrp-[conf]-XXXXXX", path[64], here[PATH_MAX], wanted[PATH_MAX + 64];
    hlrp_error err = {0};
    hlrp_config *c = NULL;
    const char *text = "[batch]\nslides = s/*.svs, one.svs, @list.txt, /abs/*.tif\noutput = out\n"
                       "[regions]\nannotation = {dir}/{stem}.xml\nmask = {stem}.png\n"
                       "[model]\npath = net.onnx\n";
    const char *const overrides[] = {"model.path=other.onnx"};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/c.ini", folder);
    assert_int_equal(hlrp_write_file(path, text, strlen(text), &err), HLRP_OK);
    assert_int_equal(hlrp_config_load(path, overrides, 1, &c, &err), HLRP_OK);
    assert_string_equal(c->folder, folder);
    snprintf(wanted, sizeof wanted, "%s/out", folder);
    assert_string_equal(c->batch.output, wanted);
    snprintf(wanted, sizeof wanted, "/tmp/hlrp-\\[conf]-%s/s/*.svs", folder + 17);
    assert_string_equal(c->batch.slides.items[0], wanted); /* the folder's own [ is no glob */
    snprintf(wanted, sizeof wanted, "%s/one.svs", folder);
    assert_string_equal(c->batch.slides.items[1], wanted);
    snprintf(wanted, sizeof wanted, "@%s/list.txt", folder);
    assert_string_equal(c->batch.slides.items[2], wanted);
    assert_string_equal(c->batch.slides.items[3], "/abs/*.tif");
    assert_string_equal(c->regions.annotation, "{dir}/{stem}.xml");
    snprintf(wanted, sizeof wanted, "%s/{stem}.png", folder);
    assert_string_equal(c->regions.mask, wanted);
    snprintf(wanted, sizeof wanted, "%s/other.onnx", getcwd(here, sizeof here));
    assert_string_equal(c->model.path, wanted); /* what is typed starts from where it is typed */
    hlrp_config_free(c);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_text),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(broken_text),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(not_text),
        cmocka_unit_test(rules_keep_names_and_order),
        cmocka_unit_test(slides_have_sections),
        cmocka_unit_test(overrides_win),
        cmocka_unit_test(paths_start_from_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
