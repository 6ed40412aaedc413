/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "sensors/core/unit.h"
#include "sensors/core/words.h"
#include "tests/unit/unit.h"

/* `x` in `unit` as the canonical unit of `quantity`; NaN when the two do not convert. */
static double convert(double x, const char *unit, const char *quantity)
{
    const struct unit *u = unit_find_ucum(unit);
    const struct quantity *q = quantity_find(quantity);
    struct unit_conversion c;

    assert_non_null(u);
    assert_non_null(q);
    return unit_conversion_for(u, q, &c) == 0 ? x * c.factor + c.offset : NAN;
}

static void assert_near(double x, double expected)
{
    const double off = fabs(x - expected);

    if (!(off <= 1e-9 + 5e-4 * fabs(expected)))
        fail_msg("%g is not %g", x, expected);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < units_n; i++) {
        assert_true(units[i].code[0] != '\0');
        assert_null(strchr(units[i].code, ' '));
        assert_non_null(units[i].display);
        assert_true(units[i].dimension[0] != '\0');
        assert_true(units[i].factor > 0 && isfinite(units[i].factor));
        assert_true(isfinite(units[i].offset));
    }
}

static void codes_and_aliases_mean_one_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < units_n; i++) {
        assert_ptr_equal(unit_find(units[i].code), &units[i]);
        for (size_t j = 0; j < units_n; j++) {
            if (i == j)
                continue;
            assert_string_not_equal(units[i].code, units[j].code);
            assert_false(words_have(units[j].aliases, units[i].code));
            for (const char *p = units[i].aliases; p && *p; p += strspn(p, " ")) {
                char alias[32] = "";
                const size_t n = strcspn(p, " ");
                assert_true(n < sizeof alias);
                memcpy(alias, p, n);
                assert_false(words_have(units[j].aliases, alias));
                p += n;
            }
        }
    }
}

static void a_profile_must_write_ucum(void **state)
{
    static const char *const refused[] = { "ppb", "ppm",  "NTU", "[NTU]",   "dB(A)", "dB[A]",
                                           "dBm", "cps",  "Ah",  "[R]/h",   "[cfu]", "mg/l",
                                           "°C",  "inHg", "mph", "[MPN]/L", "µg/m³", "" };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_null(unit_find_ucum(refused[i]));
}

static void configuration_may_write_what_people_write(void **state)
{
    static const struct {
        const char *text, *code;
    } met[] = {
        { "μg/m³", "ug/m3" },    { "µg/m³", "ug/m3" },     { "ug/m^3", "ug/m3" },
        { "ppb", "[ppb]" },      { "PPM", "[ppm]" },       { "℃", "Cel" },
        { "degC", "Cel" },       { "C", "Cel" },           { "%RH", "%" },
        { "inHg", "[in_i'Hg]" }, { "mmHg", "mm[Hg]" },     { "kn", "[kn_i]" },
        { "mph", "[mi_i]/h" },   { "degree", "deg" },      { "W/㎡", "W/m2" },
        { "Lux", "lx" },         { "dB(A)", "dB{A}" },     { "dBm", "dB{mW}" },
        { "pH", "[pH]" },        { "us/cm", "uS/cm" },     { "NTU", "{NTU}" },
        { "µSv/h", "uSv/h" },    { "cpm", "{count}/min" }, { "cps", "{count}/s" },
        { "l/min", "L/min" },    { "#/cm³", "/cm3" },      { "VWC", "m3/m3" },
        { "mg/l", "mg/L" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof met / sizeof *met; i++) {
        assert_non_null(unit_find(met[i].text));
        assert_string_equal(unit_find(met[i].text)->code, met[i].code);
    }
    assert_null(unit_find("furlong"));
}

static void ppb_becomes_mass_concentration_through_the_molar_mass(void **state)
{
    static const struct {
        const char *quantity;
        double per_ppb;
    } table[] = {
        /* facts: units and quantities, section 8 */
        { "sulfur_dioxide", 2.618 },   { "nitrogen_dioxide", 1.881 },
        { "nitric_oxide", 1.227 },     { "ozone", 1.962 },
        { "benzene", 3.193 },          { "hydrogen_chloride", 1.490 },
        { "hydrogen_sulfide", 1.393 }, { "ammonia", 0.696 },
        { "formaldehyde", 1.227 },     { "toluene", 3.766 },
        { "chlorine", 2.898 },         { "nitrogen_oxides", 1.881 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_near(convert(1, "[ppb]", table[i].quantity), table[i].per_ppb);
        assert_near(convert(1, "[ppm]", table[i].quantity), 1000 * table[i].per_ppb);
    }
    assert_near(convert(1, "[ppm]", "carbon_monoxide"), 1.145);
    assert_near(convert(1, "[ppb]", "carbon_monoxide"), 0.001145);
    assert_near(convert(1.799, "mg/m3", "carbon_dioxide"), 1);
    assert_near(convert(0.65563, "mg/m3", "methane"), 1);
}

static void what_has_no_molar_mass_is_not_guessed(void **state)
{
    (void)state;
    assert_true(isnan(convert(1, "ug/m3", "tvoc")));
    assert_true(isnan(convert(1, "[ppb]", "pm2_5")));
    assert_true(isnan(convert(1, "[ppb]", "xylenes")));
    assert_true(isnan(convert(1, "[ppb]", "abs_humidity")));
    assert_true(isnan(convert(1, "mmol/L", "chloride")));
    assert_true(isnan(convert(1, "[ppm]", "dissolved_oxygen"))); /* ppm in water is ambiguous */
}

static void temperatures_convert_with_their_zero(void **state)
{
    (void)state;
    assert_near(convert(0, "Cel", "air_temp"), 0);
    assert_near(convert(293.15, "K", "air_temp"), 20);
    assert_near(convert(212, "[degF]", "water_temp"), 100);
    assert_near(convert(-40, "[degF]", "air_temp"), -40);
    assert_near(convert(32, "[degF]", "air_temp"), 0);
}

static void known_conversions_hold(void **state)
{
    static const struct {
        double x;
        const char *unit, *quantity;
        double canonical;
    } known[] = {
        { 29.92, "[in_i'Hg]", "press", 1013.21 },
        { 760, "mm[Hg]", "press", 1013.25 },
        { 101325, "Pa", "press", 1013.25 },
        { 101.3, "kPa", "press", 1013 },
        { 1013, "mbar", "press", 1013 },
        { 14.5038, "[psi]", "press", 1000 },
        { 36, "km/h", "wind_speed", 10 },
        { 10, "[kn_i]", "wind_speed", 5.14444 },
        { 10, "[mi_i]/h", "wind_speed", 4.4704 },
        { 3.14159265, "rad", "wind_dir", 180 },
        { 1, "[in_i]", "precip", 25.4 },
        { 3.5, "[ft_i]", "water_level", 1.0668 },
        { 12, "cm", "snow_depth", 0.12 },
        { 0.5, "mm/min", "precip_intensity", 30 },
        { 0.35, "m3/m3", "soil_moisture", 35 },
        { 1.2, "kW/m2", "irradiance", 1200 },
        { 1.413, "mS/cm", "conductivity", 1413 },
        { 0.1413, "S/m", "conductivity", 1413 },
        { 12, "mS/m", "soil_ec", 120 },
        { 0.11, "uSv/h", "dose_rate_h10", 110 },
        { 0.11, "uGy/h", "dose_rate_air", 110 },
        { 2, "{count}/s", "count_rate", 120 },
        { 20, "{CPM}", "count_rate", 20 },
        { 0.05, "Bq/m3", "aerosol_beta", 50 },
        { 700, "cm3/min", "sample_flow", 0.7 },
        { 3600, "m3/h", "water_flow", 1 },
        { 250, "L/s", "water_flow", 0.25 },
        { 0.012, "mg/L", "lead", 12 },
        { 0.035, "mg/m3", "pm2_5", 35 },
        { 35, "ng/m3", "pm2_5", 0.035 },
        { 1500, "ug/m3", "carbon_monoxide", 1.5 },
        { 35000, "mg/kg", "salinity", 35 },
        { 1000, "/L", "particles_n", 1 },
        { 12, "{particles}/mL", "particles_n", 12 },
        { 12000, "mV", "battery", 12 },
        { 56.3, "dB{A}", "laeq", 56.3 },
        { 18.2, "MOhm.cm", "resistivity", 18200000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_near(convert(known[i].x, known[i].unit, known[i].quantity), known[i].canonical);
}

static void ions_convert_to_their_element_alone(void **state)
{
    (void)state;
    assert_near(convert(10, "mg/L{NO3}", "nitrate_nitrogen"), 2.259);
    assert_near(convert(1, "mg/L{NH4}", "ammonia_nitrogen"), 0.7765);
    assert_near(convert(1, "mg/L{PO4}", "phosphate_p"), 0.3261);
    assert_true(isnan(convert(1, "mg/L{NO3}", "ammonia_nitrogen")));
    assert_true(isnan(convert(1, "mg/L{NO3}", "chloride")));
    assert_true(isnan(convert(1, "mg/L{PO4}", "nitrate_nitrogen")));
}

static void what_is_another_thing_is_refused_and_leaves_the_result(void **state)
{
    static const struct {
        const char *unit, *quantity;
    } pairs[] = {
        { "{FNU}", "turbidity" },     { "{NTU}", "turbidity_fnu" }, { "{FTU}", "turbidity" },
        { "nGy/h", "dose_rate_h10" }, { "nSv/h", "dose_rate_air" }, { "hPa", "air_temp" },
        { "mg/L", "ozone" },          { "ug/m3", "cod" },           { "Cel", "rh" },
        { "mm", "precip_intensity" }, { "Bq/L", "radon" },
    };
    struct unit_conversion c = { 7, 8, true };

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        assert_int_equal(unit_conversion_for(unit_find_ucum(pairs[i].unit),
                                             quantity_find(pairs[i].quantity), &c),
                         -EDOM);
        assert_true(c.factor == 7 && c.offset == 8 && c.is_identity);
    }
}

static void another_name_of_the_same_unit_changes_no_digit(void **state)
{
    struct unit_conversion c;

    (void)state;
    assert_int_equal(unit_conversion_for(unit_find("nmol/mol"), quantity_find("tvoc"), &c), 0);
    assert_true(c.is_identity);
    assert_int_equal(unit_conversion_for(unit_find("mbar"), quantity_find("press"), &c), 0);
    assert_true(c.is_identity);
    assert_int_equal(unit_conversion_for(unit_find("kPa"), quantity_find("press"), &c), 0);
    assert_false(c.is_identity);
    assert_true(c.factor == 10 && c.offset == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(codes_and_aliases_mean_one_unit),
        cmocka_unit_test(a_profile_must_write_ucum),
        cmocka_unit_test(configuration_may_write_what_people_write),
        cmocka_unit_test(ppb_becomes_mass_concentration_through_the_molar_mass),
        cmocka_unit_test(what_has_no_molar_mass_is_not_guessed),
        cmocka_unit_test(temperatures_convert_with_their_zero),
        cmocka_unit_test(known_conversions_hold),
        cmocka_unit_test(ions_convert_to_their_element_alone),
        cmocka_unit_test(what_is_another_thing_is_refused_and_leaves_the_result),
        cmocka_unit_test(another_name_of_the_same_unit_changes_no_digit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
