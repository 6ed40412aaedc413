/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cmd/demo_script.h"

/*
 * Each medium has its turn every quarter of an hour; the first round is over after eight
 * minutes. What the rules of packaging/demo/station.yaml wait for.
 */
static const char *const episodes[] = {
    "sound_level=88@45s+2min/15min",
    "dose_rate_air=430@80s+150s/15min",
    "dose_rate_h10=520@80s+150s/15min",
    "roof-pm/pm1=120@60s+4min/15min",
    "roof-pm/pm2_5=190@60s+4min/15min",
    "roof-pm/pm10=330@60s+4min/15min",
    "river-sonde/ammonia_nitrogen=3.2@2min+150s/15min",
    "outfall-sonde/ph=4.9@150s+150s/15min",
    "outfall-sonde/conductivity=1900@150s+150s/15min",
};

/* What nobody may believe: quality control flags it within two minutes. */
static const char *const disturbances[] = {
    "mast-weather/air_temp=spike:9@70s+5s/3min",
    "soil-near/soil_moisture=show:140@90s+20s/5min",
};

enum {
    EPISODES = sizeof episodes / sizeof episodes[0],
    DISTURBANCES = sizeof disturbances / sizeof disturbances[0],
};

_Static_assert(2 * (EPISODES + DISTURBANCES) <= SCRIPT_WORDS_MAX, "a word for each of them");

static size_t put_all(const char **argv, const char *option, const char *const *values,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        argv[2 * i] = option;
        argv[2 * i + 1] = values[i];
    }
    return 2 * n;
}

size_t script_put(const char **argv)
{
    size_t n = put_all(argv, "--episode", episodes, EPISODES);

    return n + put_all(argv + n, "--disturb", disturbances, DISTURBANCES);
}
