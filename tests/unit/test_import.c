/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "gateway/import/guess.h"
#include "gateway/import/tree.h"
#include "gateway/import/write.h"

enum { TEXT_MAX = 4 << 20 };

static const char *source_root(void)
{
    const char *root = getenv("SLUICE_SOURCE");

    return root ? root : ".";
}

/* A file of tests/vectors/import, NULL when there is none. */
static char *load(const char *name, const char *ending, size_t *ret_size)
{
    char path[512];

    snprintf(path, sizeof path, "%s/tests/vectors/import/%s%s", source_root(), name, ending);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    char *text = malloc(TEXT_MAX);
    assert_non_null(text);
    *ret_size = fread(text, 1, TEXT_MAX - 1, f);
    text[*ret_size] = '\0';
    fclose(f);
    return text;
}

static int read_text(const char *format, const char *name, const char *text, size_t size,
                     struct diag *d, struct import_plan **ret)
{
    return import_read(import_format_find(format), name, text, size, d, ret);
}

/* The files of a plan one after another, as the command prints them. */
static void put_files(const struct import_plan *p, struct buf *b)
{
    bool has_one = false;

    for (const struct import_device *d = p->devices; d; d = d->next) {
        if (!d->is_first_of_profile)
            continue;
        buf_printf(b, "%s# ---- profiles.d/%s.yaml\n", has_one ? "\n" : "", d->profile);
        import_write_profile(p, d, "en", b);
        has_one = true;
    }
    buf_printf(b, "\n# ---- conf.d/50-%s.yaml\n", p->base);
    import_write_stanza(p, "en", b);
}

static void check_profiles(const struct import_plan *p, struct diag *d)
{
    for (const struct import_device *dev = p->devices; dev; dev = dev->next) {
        struct buf b = BUF_INIT(TEXT_MAX);
        import_write_profile(p, dev, "zh", &b);
        assert_non_null(buf_text(&b));
        struct profile *loaded = profile_load_text("out", b.data, b.size, d);
        if (!loaded)
            diag_print(d, stderr);
        assert_non_null(loaded);
        assert_int_equal(loaded->points_n, dev->points_n);
        profile_destroy(loaded);
        buf_done(&b);
    }
}

static void compare(const char *format, const char *name)
{
    size_t size = 0, golden_size = 0;
    char *text = load(name, "", &size), *golden = load(name, ".golden", &golden_size);
    struct import_plan *p = NULL;
    struct diag *d;

    assert_non_null(text);
    assert_non_null(golden);
    assert_int_equal(diag_create(&d), 0);
    int err = read_text(format, name, text, size, d, &p);
    diag_print(d, stderr);
    assert_int_equal(err, 0);
    struct buf b = BUF_INIT(TEXT_MAX);
    put_files(p, &b);
    assert_string_equal(buf_text(&b), golden);
    check_profiles(p, d);
    buf_done(&b);
    import_destroy(p);
    diag_destroy(d);
    free(golden);
    free(text);
}

static void shows_every_file_with_its_result(void **state)
{
    (void)state;
    compare("telegraf", "telegraf-register.conf");
    compare("telegraf", "telegraf-request.conf");
    compare("telegraf", "telegraf-metric.conf");
    compare("collectd", "collectd-mixed.conf");
    compare("collectd", "collectd-twins.conf");
    compare("homeassistant", "homeassistant-configuration.yaml");
    compare("homeassistant", "homeassistant-included.yaml");
    compare("neuron-csv", "neuron-water.csv");
    compare("neuron-csv", "neuron-semicolon.csv");
}

/* The line and a part of the first message. */
static void refuses(const char *format, const char *text, int line, const char *part)
{
    struct import_plan *p = NULL;
    struct diag *d;

    assert_int_equal(diag_create(&d), 0);
    int err = read_text(format, "x", text, strlen(text), d, &p);
    if (err != -EINVAL || diag_errors(d) == 0)
        fail_msg("taken, but wrong: %s", text);
    struct diag_message m = diag_get(d, 0);
    if (!strstr(m.text, part) || m.mark.line != line)
        fail_msg("'%s' gives line %d: %s", text, m.mark.line, m.text);
    diag_destroy(d);
}

static void refuses_broken_toml_with_its_line(void **state)
{
    (void)state;
    refuses("telegraf", "", 0, "no [[inputs.modbus]]");
    refuses("telegraf", "[[inputs.modbus]\n", 1, "expected ']]'");
    refuses("telegraf", "\n\nname = \"half", 3, "never closed");
    refuses("telegraf", "a = [1, 2\n", 2, "'[' is never closed");
    refuses("telegraf", "a = {b = 1\n", 2, "'{' is never closed");
    refuses("telegraf", "a = \n", 1, "expected a value");
    refuses("telegraf", "a = word\n", 1, "text stands in quotes");
    refuses("telegraf", "a = 1\na = 2\n", 2, "stands twice");
    refuses("telegraf", "[a]\n[a]\n", 2, "stands twice");
    refuses("telegraf", "a = 1\n[a.b]\n", 2, "no table");
    refuses("telegraf", "a = \"\\q\"\n", 1, "escape");
    refuses("telegraf", "a = \"\\ud800\"\n", 1, "no character");
    refuses("telegraf", "a = \"\\u12zz\"\n", 1, "hexadecimal");
    refuses("telegraf", "a = 1 b = 2\n", 1, "end of the line");
    refuses("telegraf", "= 1\n", 1, "expected a key");
    refuses("telegraf", "a = \"\x01\"\n", 1, "control character");
    refuses("telegraf", "a = \"\xff\"\n", 1, "not UTF-8");
}

static void refuses_settings_of_the_wrong_kind_with_their_line(void **state)
{
#define PLUGIN "[[inputs.modbus]]\ncontroller = \"tcp://h:502\"\n"
    (void)state;
    refuses("telegraf", "[inputs]\nmodbus = 3\n", 2, "should be a list");
    refuses("telegraf", "[[inputs.modbus]]\n", 1, "tcp://HOST:PORT");
    refuses("telegraf", "[[inputs.modbus]]\ncontroller = \"tcp://h\"\n", 2, "tcp://HOST:PORT");
    refuses("telegraf", PLUGIN "slave_id = 256\n", 3, "from 0 to 255");
    refuses("telegraf", PLUGIN "slave_id = \"1\"\n", 3, "a whole number");
    refuses("telegraf", PLUGIN "timeout = \"soon\"\n", 3, "a duration");
    refuses("telegraf", PLUGIN "configuration_type = \"other\"\n", 3, "register, request");
    refuses("telegraf", PLUGIN "coils = [1]\n", 3, "group of settings");
    refuses("telegraf", PLUGIN "coils = [{name = \"a\", address = [70000]}]\n", 3, "65535");
    refuses("telegraf", PLUGIN "coils = [{name = \"a\", address = 3}]\n", 3, "a list such as");
    refuses("telegraf", PLUGIN "coils = [{name = \"a\", address = [1, 3]}]\n", 3,
            "follow each");
    refuses("telegraf", PLUGIN "coils = [{address = [1]}]\n", 3, "needs 'name'");
    refuses("telegraf", PLUGIN, 0, "no Modbus device");
    refuses("collectd", "<Plugin modbus>\n", 1, "never closed");
    refuses("collectd", "<Plugin modbus>\n</Other>\n", 2, "another block");
    refuses("collectd", "</Plugin>\n", 1, "another block");
    refuses("collectd", "<Plugin modbus\n", 1, "expected '>'");
    refuses("collectd", "Key \"half\n", 1, "not closed");
    refuses("collectd", "LoadPlugin modbus\n", 0, "no <Plugin modbus>");
    refuses("collectd", "<Plugin modbus>\n<Host a>\n</Host>\n</Plugin>\n", 2, "Address or");
    refuses("collectd", "<Plugin modbus>\n<Host a>\nAddress h\nPort 0\n</Host>\n</Plugin>\n", 4,
            "number");
    refuses("homeassistant", "modbus: 3\n", 1, "list of hubs");
    refuses("homeassistant", "modbus:\n  - 3\n", 2, "a hub");
    refuses("homeassistant", "modbus:\n  - type: tcp\n", 2, "needs 'host'");
    refuses("homeassistant", "modbus:\n  - {type: pigeon, host: h}\n", 2, "tcp, rtuovertcp");
    refuses("homeassistant", "modbus:\n  - {type: tcp, host: h, sensors: 4}\n", 2, "a list");
    refuses("homeassistant", "modbus:\n- {type: tcp, host: h,\n   sensors: [{name: a}]}\n", 3,
            "'name' and 'address'");
    refuses("homeassistant", "modbus:\n  - {type: tcp\n", 3, "");
    refuses("neuron-csv", "", 1, "name the columns");
    refuses("neuron-csv", "name,address\n", 1, "it lacks one: 'type'");
    refuses("neuron-csv", "name,address,type\na,400001,INT16\n", 2, "1!400001");
    refuses("neuron-csv", "name,address,type\na,1!500001,INT16\n", 2, "1!400001");
    refuses("neuron-csv", "name,address,type\na,1!400000,INT16\n", 2, "1!400001");
    refuses("neuron-csv", "name,address,type\na,1!465537,INT16\n", 2, "1!400001");
    refuses("neuron-csv", "name,address,type\n\"a,1!400001,INT16\n", 2, "never closed");
    refuses("neuron-csv", "name,address,type,decimal\na,1!400001,INT16,x\n", 2, "a number");
}

/* Every beginning of every vector: an answer, no crash, no hang; under the sanitizers too. */
static void survives_every_truncation(void **state)
{
    static const struct {
        const char *format, *name;
    } files[] = { { "telegraf", "telegraf-register.conf" },
                  { "telegraf", "telegraf-metric.conf" },
                  { "collectd", "collectd-mixed.conf" },
                  { "homeassistant", "homeassistant-configuration.yaml" },
                  { "neuron-csv", "neuron-water.csv" } };
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size = 0;
        char *text = load(files[i].name, "", &size);
        assert_non_null(text);
        for (size_t n = 0; n < size; n += 1 + n / 97) {
            struct import_plan *p = NULL;
            struct diag *d;
            char *part = malloc(n + 1); /* exactly so long: a sanitizer sees a step beyond */
            assert_non_null(part);
            memcpy(part, text, n);
            assert_int_equal(diag_create(&d), 0);
            int err = read_text(files[i].format, files[i].name, part, n, d, &p);
            assert_true(err == 0 || diag_errors(d) > 0);
            import_destroy(p);
            diag_destroy(d);
            free(part);
        }
        free(text);
    }
}

static void refuses_what_is_too_deep_or_too_large(void **state)
{
    char deep[400] = "a = ";
    (void)state;
    memset(deep + 4, '[', 300);
    refuses("telegraf", deep, 1, "32 levels");
    char blocks[4000] = "";
    for (int i = 0; i < 100; i++)
        memcpy(blocks + (ptrdiff_t)i * 4, "<a>\n", 4);
    refuses("collectd", blocks, 33, "32 levels");
    char *huge = malloc(TREE_FILE_MAX + 2);
    assert_non_null(huge);
    memset(huge, '#', TREE_FILE_MAX + 1);
    huge[TREE_FILE_MAX + 1] = '\0';
    refuses("telegraf", huge, 0, "1 MiB");
    free(huge);
    char *keys = malloc(40000);
    size_t n = 0;
    assert_non_null(keys);
    for (int i = 0; i < 1001; i++)
        n += (size_t)snprintf(keys + n, 40000 - n, "key%d = 1\n", i);
    refuses("telegraf", keys, 1001, "1000 keys");
    free(keys);
}

static void reads_toml_as_it_is_defined(void **state)
{
    static const char text[] = "[agent]\ninterval = '1m'\n"
                               "[[inputs.modbus]]\n"
                               "controller=\"tcp://\\u0061.example:5_02\"\n" /* no number */;
    static const char good[] =
        "inputs.other.x = 1979-05-27T07:32:00Z\n"
        "[[inputs.modbus]]\n"
        "name = '''\nlong'''\n"
        "controller=\"tcp://\\u0061.example:502\"\n"
        "slave_id = 0x1_0\n"
        "coils = [ # comment\n"
        "  { \"name\" = \"\"\"\\\n   c\"\"\", address\t = [ 7, ], },\n]\n";
    struct import_plan *p = NULL;
    struct diag *d;
    (void)state;
    refuses("telegraf", text, 4, "tcp://HOST:PORT");
    assert_int_equal(diag_create(&d), 0);
    int err = read_text("telegraf", "x.conf", good, sizeof good - 1, d, &p);
    if (err)
        diag_print(d, stderr);
    assert_int_equal(err, 0);
    assert_string_equal(p->buses->host, "a.example");
    assert_string_equal(p->devices->name, "long");
    assert_int_equal(p->devices->unit, 16);
    assert_string_equal(p->devices->points->name, "c");
    assert_int_equal(p->devices->points->first, 7);
    import_destroy(p);
    diag_destroy(d);
}

static void gives_a_quantity_only_where_it_is_certain(void **state)
{
    char bare[64];
    bool is_bare;
    (void)state;
    assert_string_equal(guess_quantity("Ozone", unit_find("[ppb]"), &is_bare)->id, "ozone");
    assert_null(guess_quantity("Ozone", NULL, &is_bare));
    assert_null(guess_quantity("Ozone", unit_find("Cel"), &is_bare));
    assert_null(guess_quantity("Motor temperature", unit_find("Cel"), &is_bare));
    assert_string_equal(guess_quantity("温度", unit_find("℃"), &is_bare)->id, "air_temp");
    assert_true(is_bare);
    assert_true(guess_is_elsewhere("Cabin 3"));
    assert_true(guess_is_elsewhere("站房温湿度"));
    assert_false(guess_is_elsewhere("roof"));
    assert_string_equal(guess_unit_in("温度（℃）", bare, sizeof bare)->code, "Cel");
    assert_string_equal(bare, "温度");
    assert_string_equal(guess_unit_in("co2_ppm", bare, sizeof bare)->code, "[ppm]");
    assert_null(guess_unit_in("ppm", bare, sizeof bare));
}

static void shares_a_profile_between_equal_devices(void **state)
{
    size_t size = 0;
    char *text = load("collectd-twins.conf", "", &size);
    struct import_plan *p = NULL;
    struct diag *d;
    (void)state;
    assert_non_null(text);
    assert_int_equal(diag_create(&d), 0);
    assert_int_equal(read_text("collectd", "t.conf", text, size, d, &p), 0);
    assert_int_equal(p->devices_n, 3);
    assert_int_equal(p->profiles_n, 1);
    import_destroy(p);
    diag_destroy(d);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_every_file_with_its_result),
        cmocka_unit_test(refuses_broken_toml_with_its_line),
        cmocka_unit_test(refuses_settings_of_the_wrong_kind_with_their_line),
        cmocka_unit_test(survives_every_truncation),
        cmocka_unit_test(refuses_what_is_too_deep_or_too_large),
        cmocka_unit_test(reads_toml_as_it_is_defined),
        cmocka_unit_test(gives_a_quantity_only_where_it_is_certain),
        cmocka_unit_test(shares_a_profile_between_equal_devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
