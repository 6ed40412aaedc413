/* SPDX-License-Identifier: Apache-2.0 */
/* sim_texts - --set, --episode, --disturb and --fault of sluice sim: read, and held against
 * what there is. */
#pragma once

#include "gateway/cmd/cmd.h"
#include "gateway/sim/instrument.h"

enum { SIM_TEXTS_MAX = 64 }; /* as struct option_texts */

struct sim_texts { /* points into the options' texts */
    const struct option_texts *set_texts, *episode_texts, *disturb_texts, *fault_texts;
    struct instrument_set sets[SIM_TEXTS_MAX];
    char set_names[SIM_TEXTS_MAX][128];
    struct signal_episode episodes[SIM_TEXTS_MAX];
    struct disturbance disturbances[SIM_TEXTS_MAX];
    struct fault faults[SIM_TEXTS_MAX];
    size_t sets_n, episodes_n, disturbances_n, faults_n;
};

struct sim_device {
    const char *id;
    const struct profile *profile;
    bool has_checksum; /* RTU frames */
};

/* Both return an exit status and say on stderr what is wrong. */
int sim_texts_parse(struct sim_texts *t, const struct option_texts *sets,
                    const struct option_texts *episodes,
                    const struct option_texts *disturbances, const struct option_texts *faults);
int sim_texts_check(const struct sim_texts *t, const struct sim_device *devices, size_t n);
