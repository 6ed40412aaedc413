/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <uv.h>

#include "gateway/app_view.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/sim_lora.h"
#include "gateway/cmd/sim_texts.h"
#include "gateway/conf/config.h"
#include "gateway/conf/profile_load.h"
#include "gateway/sim/sim.h"
#include "gateway/sim/slave_tcp.h"

enum {
    UNIT_DEFAULT = 1,           /* of a profile that states none */
    ADDRESS_MAX = 300,          /* a host name has at most 253 bytes */
    PAST_MS = 24 * 3600 * 1000, /* where a fast clock of our own starts */
    ZONE_MS = 8 * 3600 * 1000,  /* local time without a station: that of Beijing */
};

struct sim_options {
    const char *profile, *station, *tcp, *rtu_tcp, *pty, *flag, *clock;
    int64_t unit, seed, calibration_min;
    double speed, air_loss, air_twice, air_factor;
    bool is_calm;
    struct option_texts sets, episodes, disturbances, faults, profile_dirs;
};

#define OPTION(member) .offset = offsetof(struct sim_options, member)

static const struct cmd_option options[] = {
    { .name = "profile",
      .letter = 'p',
      .type = OPTION_TEXT,
      OPTION(profile),
      .value = "ID",
      .help = "One instrument of this profile; see sluice profile list." },
    { .name = "station",
      .type = OPTION_TEXT,
      OPTION(station),
      .value = "FILE",
      .help = "Every device of a station's configuration, where its bus expects it." },
    { .name = "tcp",
      .type = OPTION_TEXT,
      OPTION(tcp),
      .value = "ADDR:PORT",
      .help = "Modbus TCP here; port 0 takes a free one (the default is 127.0.0.1:1502)." },
    { .name = "pty",
      .type = OPTION_TEXT,
      OPTION(pty),
      .value = "PATH",
      .help = "Modbus RTU on a pseudo terminal that PATH links to." },
    { .name = "rtu-tcp",
      .type = OPTION_TEXT,
      OPTION(rtu_tcp),
      .value = "ADDR:PORT",
      .help = "RTU frames over TCP here, as a serial device server in raw mode." },
    { .name = "unit",
      .letter = 'u',
      .type = OPTION_INT,
      OPTION(unit),
      .value = "N",
      .dflt = "-1",
      .min = -1,
      .max = 255,
      .help = "Modbus unit; -1: the profile's own." },
    { .name = "seed",
      .type = OPTION_INT,
      OPTION(seed),
      .value = "N",
      .dflt = "1",
      .help = "The same seed gives the same signals." },
    { .name = "speed",
      .type = OPTION_DOUBLE,
      OPTION(speed),
      .value = "N",
      .dflt = "1",
      .min = 1,
      .max = CLOCK_SPEED_MAX,
      .help = "Station time runs N times as fast, from a day ago." },
    { .name = "clock",
      .type = OPTION_TEXT,
      OPTION(clock),
      .value = "TEXT",
      .help = "Station clock shared with other processes, as sluice demo hands it over." },
    { .name = "air-factor",
      .type = OPTION_DOUBLE,
      OPTION(air_factor),
      .value = "N",
      .dflt = "3.2",
      .min = 1,
      .max = 20,
      .help = "Air time of a station's LoRa modems, in multiples of the formula's." },
    { .name = "set",
      .type = OPTION_TEXTS,
      OPTION(sets),
      .value = "POINT=VALUE",
      .help = "Hold a point (or DEVICE/POINT) at a value in the quantity's unit, or at nan." },
    { .name = "flag",
      .type = OPTION_TEXT,
      OPTION(flag),
      .value = "WORD",
      .help = "Hold a status word of the profile: zero, span, maintenance, fault ..." },
    { .name = "episode",
      .type = OPTION_TEXTS,
      OPTION(episodes),
      .value = "TARGET=PEAK@START+LENGTH/EVERY",
      .help = "A quantity or DEVICE/POINT climbs to PEAK: pm2_5=190@1min+4min/10min." },
    { .name = "disturb",
      .type = OPTION_TEXTS,
      OPTION(disturbances),
      .value = "TARGET=KIND:SIZE@START+LENGTH/EVERY",
      .help = "A quantity or DEVICE/POINT measures wrong: pm2_5=spike:400@2min+5s/3min." },
    { .name = "fault",
      .type = OPTION_TEXTS,
      OPTION(faults),
      .value = "[DEVICE:]FAULT[/N]",
      .help = "Misbehave, in every Nth answer: late=0.8s/50, noise=1e-3 ... (see below)." },
    { .name = "air-loss",
      .type = OPTION_DOUBLE,
      OPTION(air_loss),
      .value = "SHARE",
      .dflt = "0",
      .min = 0,
      .max = 1,
      .help = "LoRa: this share of frames is lost in the air, both ways." },
    { .name = "air-twice",
      .type = OPTION_DOUBLE,
      OPTION(air_twice),
      .value = "SHARE",
      .dflt = "0",
      .min = 0,
      .max = 1,
      .help = "LoRa: this share of receptions reaches the gateway twice." },
    { .name = "calm",
      .type = OPTION_FLAG,
      OPTION(is_calm),
      .help = "No episodes, calibrations and status bits but those asked for." },
    { .name = "calibration",
      .type = OPTION_INT,
      OPTION(calibration_min),
      .value = "MINUTES",
      .dflt = "0",
      .min = 0,
      .max = 10080,
      .help = "Zero and span checks so often." },
    { .name = "profiles",
      .type = OPTION_TEXTS,
      OPTION(profile_dirs),
      .value = "DIR",
      .help = "Look for profiles here before the built-in ones." },
    { 0 },
};

struct job {
    const struct sim_options *o;
    struct clock clock;
    struct diag *diag;
    struct sim *sim;
    struct config *config;   /* with --station */
    struct profile *profile; /* with --profile */
    struct sim_texts texts;
    char host[ADDRESS_MAX], port[16];
};

static int wrong(const char *what, const char *text)
{
    fprintf(stderr, "sluice sim: %s%s%s.\n", what, text ? ": " : "", text ? text : "");
    return EXIT_USAGE;
}

static int set_clock(struct job *j)
{
    if (j->o->clock)
        return clock_parse(j->o->clock, &j->clock) < 0
                   ? wrong("--clock is not a clock's text", j->o->clock)
                   : EXIT_DONE;
    clock_init_past(&j->clock, j->o->speed, PAST_MS);
    return EXIT_DONE;
}

static uint8_t unit_of(int64_t asked, const struct profile *p)
{
    if (asked >= 0)
        return (uint8_t)asked;
    return (uint8_t)(p->serial.unit > 0 ? p->serial.unit : UNIT_DEFAULT);
}

static struct instrument_options instrument_of(const struct job *j, const char *id,
                                               const struct profile *p)
{
    return (struct instrument_options){
        .id = id,
        .profile = p,
        .order = -1,
        .unit = unit_of(j->o->unit, p),
        .seed = (uint64_t)j->o->seed,
        .zone_ms = j->config ? j->config->station.zone_ms : ZONE_MS,
        .origin_ms = clock_wall_ms(&j->clock),
        .is_calm = j->o->is_calm,
        .calibration_ms = j->o->calibration_min * 60000,
        .flag = j->o->flag,
        .sets = j->texts.sets,
        .sets_n = j->texts.sets_n,
        .episodes = j->texts.episodes,
        .episodes_n = j->texts.episodes_n,
        .disturbances = j->texts.disturbances,
        .disturbances_n = j->texts.disturbances_n,
        .faults = j->texts.faults,
        .faults_n = j->texts.faults_n,
    };
}

static int add(struct job *j, const struct instrument_options *o, const struct sim_place *where)
{
    int rc = sim_add(j->sim, o, where);

    if (rc == 0)
        return EXIT_DONE;
    if (rc == -ENOENT)
        fprintf(stderr, "sluice sim: the profile %s has no status word '%s'.\n", o->profile->id,
                o->flag);
    else if (rc == -EEXIST)
        fprintf(stderr, "sluice sim: unit %u is there twice where %s is to be served.\n",
                o->unit, o->id);
    else
        fprintf(stderr, "sluice sim: cannot add %s: %s.\n", o->id,
                rc == -E2BIG ? "too many instruments, or faults of one" : strerror(-rc));
    return EXIT_USAGE;
}

/* "127.0.0.1:1502", "[::1]:1502" */
static int split_address(struct job *j, const char *text)
{
    const char *colon = strrchr(text, ':');
    bool is_v6 = text[0] == '[' && colon && colon > text && colon[-1] == ']';
    const char *host = is_v6 ? text + 1 : text;
    size_t len = colon ? (size_t)(colon - host) - is_v6 : 0;

    if (len == 0 || len >= sizeof j->host || !slave_tcp_port_is_ok(colon + 1))
        return -EINVAL;
    snprintf(j->host, sizeof j->host, "%.*s", (int)len, host);
    snprintf(j->port, sizeof j->port, "%s", colon + 1);
    return 0;
}

static int add_profile(struct job *j)
{
    const struct sim_options *o = j->o;
    bool is_known = false;

    if (!cmd_has_folders("sim", &o->profile_dirs))
        return EXIT_USAGE;
    j->profile = profile_load_by_id(o->profile, o->profile_dirs.text, o->profile_dirs.n,
                                    j->diag, &is_known);
    if (!j->profile) {
        diag_print(j->diag, stderr);
        return is_known ? EXIT_USAGE : wrong("no such profile", o->profile);
    }
    if (j->profile->payload)
        return wrong("a LoRaWAN device is simulated with its network alone: give --station",
                     o->profile);
    const char *address = o->rtu_tcp ? o->rtu_tcp : o->tcp ? o->tcp : "127.0.0.1:1502";
    if (split_address(j, address) < 0)
        return wrong(o->rtu_tcp ? "--rtu-tcp expects ADDR:PORT with a port up to 65535"
                                : "--tcp expects ADDR:PORT with a port up to 65535",
                     address);
    struct sim_place where = {
        .host = j->host, .port = j->port, .path = o->pty, .is_rtu = o->rtu_tcp != NULL
    };
    struct instrument_options in = instrument_of(j, j->profile->id, j->profile);
    return add(j, &in, &where);
}

static struct modem_setup modem_of(const struct job *j, const struct bus_modem_conf *c)
{
    int bits = c->line.format[1] == 'N' ? 9 : 10; /* "8N1" */

    bits += c->line.format[2] - '0';
    return (struct modem_setup){ .rate = (enum serial_modem_rate)c->air_rate,
                                 .packet = lora_modem_packet(c),
                                 .repeaters = (int)c->repeaters,
                                 .char_us = INT64_C(1000000) * bits / c->line.baud,
                                 .air_factor = j->o->air_factor };
}

static int add_device(struct job *j, const struct device_conf *d, char *port, size_t port_size)
{
    const char *kind = d->bus_found->type.kind->name;
    struct instrument_options in = instrument_of(j, d->id, d->profile_found);
    struct sim_place where = { 0 };

    in.unit = unit_of(d->unit, d->profile_found);
    in.order = d->order - 1;
    const struct bus_modem_conf *modem = lora_modem_of(d->bus_found);

    if (modem) {
        where.path = modem->line.port;
        where.modem = modem_of(j, modem);
    } else if (strcmp(kind, "modbus-rtu") == 0) {
        const struct bus_rtu_conf *rtu = d->bus_found->type.options;
        where.path = rtu->port;
    } else {
        const struct bus_tcp_conf *tcp = d->bus_found->type.options;
        snprintf(port, port_size, "%" PRId64, tcp->port);
        where.host = tcp->host;
        where.port = port;
        where.is_rtu = strcmp(kind, "modbus-tcp") != 0;
    }
    return add(j, &in, &where);
}

/* Modbus devices where their bus expects them; LoRa devices come with the loop, and what hangs
 * on a bridge or at a network server elsewhere is not simulated. */
static bool is_served(const struct device_conf *d)
{
    return d->is_enabled && !lora_bus_is(d->bus_found) && !lora_bridge_of(d->bus_found);
}

static int add_station(struct job *j, char (*ports)[8])
{
    const struct device_conf *devices = j->config->devices.items;

    for (size_t i = 0; i < j->config->devices.n; i++) {
        int rc = is_served(&devices[i]) ? add_device(j, &devices[i], ports[i], sizeof ports[i])
                                        : EXIT_DONE;
        if (rc != EXIT_DONE)
            return rc;
    }
    return EXIT_DONE;
}

static void print_place(void *user, const char *address, const struct instrument *const *in,
                        size_t n)
{
    (void)user;
    printf(" %s", address);
    for (size_t i = 0; i < n; i++) {
        const struct instrument_options *o = instrument_options_of(in[i]);
        printf("%c%s:%u", i ? ',' : '=', o->id, o->unit);
    }
}

static void on_end(uv_signal_t *s, int number)
{
    (void)number;
    uv_stop(s->loop);
}

/* A station of hundreds of ports needs more descriptors than a shell allows by default. */
static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static struct instrument_options lora_instrument_of(void *user, const struct device_conf *d)
{
    return instrument_of(user, d->id, d->profile_found);
}

static int start_lora(struct job *j, uv_loop_t *loop, struct lora_site **ret, char *error,
                      size_t size)
{
    const struct sim_lora_options o = { .config = j->config,
                                        .clock = &j->clock,
                                        .seed = (uint64_t)j->o->seed,
                                        .loss = j->o->air_loss,
                                        .duplicate = j->o->air_twice,
                                        .instrument = lora_instrument_of,
                                        .user = j };

    *ret = NULL;
    return j->config ? sim_lora_create(&o, loop, ret, error, size) : 0;
}

static int serve(struct job *j)
{
    static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
    char error[512];
    uv_loop_t loop;
    uv_signal_t signals[3];

    signal(SIGPIPE, SIG_IGN);
    raise_descriptors();
    if (uv_loop_init(&loop) < 0)
        return EXIT_FOUND;
    struct lora_site *lora = NULL;
    int rc = sim_start(j->sim, &loop, error, sizeof error);
    if (rc == 0)
        rc = start_lora(j, &loop, &lora, error, sizeof error);
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(&loop, &signals[i]);
        uv_signal_start(&signals[i], on_end, ends[i]);
    }
    if (rc < 0) {
        fprintf(stderr, "sluice sim: %s.\n", error);
    } else {
        printf("ready");
        sim_each_place(j->sim, print_place, NULL);
        if (lora) {
            sim_lora_print(j->config);
            lora_site_start(lora);
        }
        printf("\n");
        fflush(stdout);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    sim_stop(j->sim);
    lora_site_destroy(lora);
    for (size_t i = 0; i < 3; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return rc < 0 ? EXIT_FOUND : EXIT_DONE;
}

/* Do --set, --episode, --disturb and --fault name what there is? */
static int check_texts(const struct job *j)
{
    size_t n = j->config ? j->config->devices.n : 1;
    struct sim_device *devices = calloc(n + 1, sizeof *devices);

    if (!devices)
        return wrong("out of memory", NULL);
    if (j->profile)
        devices[0] =
            (struct sim_device){ j->profile->id, j->profile, j->o->pty || j->o->rtu_tcp };
    for (size_t i = 0; j->config && i < n; i++) {
        const struct device_conf *d = (const struct device_conf *)j->config->devices.items + i;
        devices[i] =
            (struct sim_device){ d->id, d->profile_found,
                                 strcmp(d->bus_found->type.kind->name, "modbus-tcp") != 0 };
    }
    int rc = sim_texts_check(&j->texts, devices, n);
    free(devices);
    return rc;
}

static int load_and_serve(struct job *j)
{
    char(*ports)[8] = NULL; /* texts of the station's TCP ports */
    int rc;

    if (j->o->profile) {
        rc = add_profile(j);
    } else if (config_load(j->o->station, uplink_choices(), j->diag, &j->config) < 0) {
        diag_print(j->diag, stderr);
        return EXIT_USAGE;
    } else {
        ports = calloc(j->config->devices.n + 1, sizeof *ports);
        rc = ports ? add_station(j, ports) : wrong("out of memory", NULL);
    }
    if (rc == EXIT_DONE)
        rc = check_texts(j);
    if (rc == EXIT_DONE)
        rc = serve(j);
    sim_destroy(j->sim);
    j->sim = NULL;
    free(ports);
    return rc;
}

static int prepare(struct job *j)
{
    const struct sim_options *o = j->o;

    if (!o->profile == !o->station)
        return wrong("give either --profile or --station", NULL);
    if ((o->tcp != NULL) + (o->pty != NULL) + (o->rtu_tcp != NULL) > 1)
        return wrong("give one of --tcp, --rtu-tcp and --pty", NULL);
    if (o->station && (o->tcp || o->pty || o->rtu_tcp || o->unit >= 0 || o->flag))
        return wrong(
            "--tcp, --rtu-tcp, --pty, --unit and --flag go with --profile; a station's "
            "configuration says where its devices are",
            NULL);
    int rc = sim_texts_parse(&j->texts, &o->sets, &o->episodes, &o->disturbances, &o->faults);
    if (rc == EXIT_DONE)
        rc = set_clock(j);
    if (rc != EXIT_DONE)
        return rc;
    if (diag_create(&j->diag) < 0 || sim_create(&j->clock, &j->sim) < 0)
        return wrong("out of memory", NULL);
    return EXIT_DONE;
}

static int run(const void *opt, int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);

    (void)argc, (void)argv;
    if (!j)
        return EXIT_FOUND;
    j->o = opt;
    int rc = prepare(j);
    if (rc == EXIT_DONE)
        rc = load_and_serve(j);
    sim_destroy(j->sim);
    config_destroy(j->config);
    profile_destroy(j->profile);
    diag_destroy(j->diag);
    free(j);
    return rc;
}

const struct cmd cmd_sim = {
    .name = "sim",
    .usage = "",
    .summary = "Serve simulated instruments over real Modbus.",
    .details =
        "Serves any profile as a Modbus slave on a TCP port or a pseudo terminal, or a whole\n"
        "station. Tells its vendor and model (function 43/14), takes the writes of the\n"
        "profile's commands and does what they say. Signals follow the course of the day, "
        "with\n"
        "noise, episodes above the usual limits, zero and span checks and passing status "
        "bits,\n"
        "all repeatable by --seed.\n"
        "Prints one line beginning with \"ready\" when every port is open, and serves until\n"
        "SIGTERM or Ctrl-C.\n\n"
        "What measures wrong while its answers are sound, in the unit of its quantity:\n"
        "  drift:20, step:20 goes off by so much over LENGTH; is off by so much\n"
        "  spike:400         the same, up and down in turn; LENGTH as long as one poll\n"
        "  noise:15          scatters more, by this standard deviation\n"
        "  show:9999         shows this value: out of range, or a code for \"no value\"\n"
        "  stuck, dropout    stands still; has no value\n\n"
        "Faults, of one DEVICE or all, in every answer or with /N in every Nth:\n"
        "  late=0.8s/50      comes so much later; other requests are answered meanwhile\n"
        "  slow=300ms        thinks so long; other requests wait\n"
        "  silent            does not answer; silent=10s..20s: from then to then\n"
        "  exception=2@h:40  refuses holding register 40 (c d h i as in profiles, or none)\n"
        "  foreign           sends a sound answer of another unit with other data instead\n"
        "  noise=1e-3        each byte is wrong with this probability (RTU frames only)\n"
        "  trickle=5ms       sends byte by byte, so far apart\n"
        "  short, long       a register too few or too many, and bytes, in turn\n"
        "  disconnect=30     hangs up instead of each 30th answer; a serial line is pulled\n"
        "                    for half a second and comes back under another name\n"
        "  order=CDAB        sends its words in another order than the profile says\n"
        "  stuck, nan        values stand still; every point says that it has no value\n"
        "  copy=300ms/10     comes once more so much later, as repeaters do it\n"
        "  rssi              a byte behind each answer, as a modem adds it that is set so\n\n"
        "Examples:\n"
        "  sluice sim --profile teledyne-t400 --tcp 127.0.0.1:1502\n"
        "  sluice sim --profile hamilton-ph-arc --pty ./tty-sim --unit 3 --set ph=5.2\n"
        "  sluice sim --station station.yaml --episode pm2_5=190@1min+4min/10min\n"
        "  sluice sim --station station.yaml --disturb roof-o3/ozone=drift:30@5min+1h\n"
        "  sluice sim --profile eh-liquiline-cm44x --rtu-tcp 127.0.0.1:4001 --fault noise=1e-3",
    .options = options,
    .options_size = sizeof(struct sim_options),
    .run = run,
};
