/* SPDX-License-Identifier: Apache-2.0 */
/* The options of every pack: what a station must know of its place to judge by a standard. */
#include <math.h>
#include <string.h>

#include "gateway/conf/packs.h"
#include "gateway/conf/value.h"

#define AT(member) .offset = offsetof(struct pack_options, member)

static const char *const colours[] = { "blue", "yellow", "orange", "red", NULL };
static const char *const grades[] = { "1", "2", NULL };
static const char *const limits[] = { "by_date", "transition", "final", NULL };
static const char *const others[] = { "none", "applied", NULL };
static const char *const plans[] = { "four", "three", NULL };
static const char *const zones[] = { "0", "1", "2", "3", "4a", "4b", NULL };
static const char *const classes[] = { "I", "II", "III", "IV", "V", NULL };
static const char *const sources[] = { "II", "III", NULL };
static const char *const waters[] = { "river", "lake", NULL };
static const char *const inputs[] = { "hour", "value", NULL };
static const char *const areas[] = { "0", "1", "2", "3", "4", "site", NULL };

#define WORD(word, member, words_, default_, text) \
    { \
        .name = word, .type = FIELD_TEXT, AT(member), .dflt = default_, .words = words_, \
        .help = text \
    }
#define NUMBER(word, member, default_, min_, max_, text) \
    { \
        .name = word, .type = FIELD_DOUBLE, AT(member), .dflt = default_, .min = min_, \
        .max = max_, .help = text \
    }
#define COLOUR WORD("colour", colour, colours, "yellow", "Colour of a limit that is exceeded.")
#define CHANNEL(word, member, text) \
    { \
        .name = word, .type = FIELD_TEXT, AT(member), .help = text \
    }
#define WIND \
    CHANNEL("wind", wind, "Wind speed beside; none. Not given: the first of the station.")
#define RAIN \
    CHANNEL("rain", rain, \
            "Intensity of rain beside; none. Not given: the first of the station.")

static const struct field gb3095[] = {
    WORD("grade", grade, grades, "2", "Area: 1 national parks and reserves, 2 elsewhere."),
    WORD("limits", limits, limits, "by_date",
         "Transition limits to 2030-12-31, final ones from 2031; or one of them alone."),
    WORD("other", other, others, "none",
         "Whether table 2 (NOx, TSP) applies: as the ministry or the province decides."),
    COLOUR,
    { 0 },
};

static const struct field heavy_pollution[] = {
    WORD("plan", plan, plans, "four",
         "Levels of the city's plan: four, or three without blue."),
    NUMBER("lower", lower, "200", 100, 500, "AQI of the day that days are counted above."),
    NUMBER("upper", upper, "300", 100, 500, "AQI of the day that is severe."),
    { 0 },
};

static const struct field gb3096[] = {
    WORD("zone", zone, zones, "2", "Acoustic zone of the place."),
    COLOUR,
    WORD("early", early, colours, "blue", "Colour of an hour above the limit of its period."),
    WIND,
    RAIN,
    { 0 },
};

static const struct field gb3838[] = {
    WORD("class", class, classes, "III", "Class that the water is to keep."),
    WORD("water", water, waters, "river", "River, or lake and reservoir."),
    WORD("input", input, inputs, "hour",
         "Means of an hour, or each value of instruments that give fewer."),
    CHANNEL("saturation", saturation,
            "Class I: oxygen saturation beside, 90 % of which keep it, too. Not given: none."),
    COLOUR,
    { 0 },
};

static const struct field radiation[] = {
    NUMBER("background", background, NULL, 1, 1e6,
           "Known background, nGy/h or nSv/h. Not given: what the last day shows."),
    NUMBER("net", net, "100", 1, 1e6, "Rise over the background, nGy/h or nSv/h."),
    NUMBER("factor", factor, "2", 1.01, 100, "Times the known background."),
    NUMBER("deviations", deviations, "3", 1, 20, "Deviations over the background: a notice."),
    NUMBER("high", high, "1000", 10, 1e9, "High, whatever the background, nGy/h or nSv/h."),
    NUMBER("counts", counts, NULL, 1, 1e7,
           "Limit of count rates, 1/min, that events are measured by. Not given: not judged."),
    RAIN,
    { 0 },
};

static const struct field fence_line[] = {
    WORD("area", area, areas, "3",
         "Acoustic zone outside the fence, by GB 12348; site: a construction site, GB 12523."),
    COLOUR,
    WORD("early", early, colours, "blue", "Colour of the first sign: a rise, an event."),
    WIND,
    RAIN,
    { 0 },
};

static const struct field drinking_water_intake[] = {
    WORD("class", class, sources, "II",
         "Protection zone of the source: II the first, III the second."),
    WORD("input", input, inputs, "hour",
         "Means of an hour, or each value of instruments that give fewer."),
    COLOUR,
    WORD("early", early, colours, "orange", "Colour of a sudden change."),
    { 0 },
};

#define PACK(name_, fields_, text) \
    { \
        .name = name_, .fields = fields_, .size = sizeof(struct pack_options), .help = text \
    }

const struct field_kind pack_kinds[] = {
    PACK("gb3095", gb3095, "Ambient air, GB 3095-2026."),
    PACK("heavy-pollution", heavy_pollution, "Days of heavy air pollution by the city's plan."),
    PACK("gb3096", gb3096, "Noise by acoustic zone, GB 3096-2008."),
    PACK("gb3838", gb3838, "Surface water by target class, GB 3838-2002."),
    PACK("radiation", radiation, "Gamma radiation: absolute, over background, rain in view."),
    PACK("fence-line", fence_line, "Industrial fence line: noise, odour, fugitive emissions."),
    PACK("drinking-water-intake", drinking_water_intake,
         "Intake of drinking water: limits of the source, sudden changes."),
    { 0 },
};

const char *pack_option_quantity(const char *option)
{
    static const char *const channels[][2] = {
        { "wind", "wind_speed" },
        { "rain", "precip_intensity" },
        { "saturation", "dissolved_oxygen_sat" },
    };

    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        if (strcmp(channels[i][0], option) == 0)
            return channels[i][1];
    return NULL;
}

const char *pack_option_text(const struct field *f, const struct pack_options *o, char *buf)
{
    const void *member = (const char *)o + f->offset;

    if (f->type != FIELD_DOUBLE) {
        const char *text = *(const char *const *)member;
        return text && pack_option_quantity(f->name) && strcmp(text, "none") == 0 ? NULL : text;
    }
    const double number = *(const double *)member;
    if (isnan(number))
        return NULL;
    value_double_text(number, buf);
    return buf;
}

struct pack_options pack_defaults(const struct field_kind *kind)
{
    struct pack_options o = { 0 };

    for (const struct field *f = kind->fields; f->name; f++) {
        void *member = (char *)&o + f->offset;
        if (f->type != FIELD_DOUBLE)
            *(const char **)member = f->dflt;
        else if (!f->dflt || value_parse_double(f->dflt, member) < 0)
            *(double *)member = NAN;
    }
    return o;
}
