/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sim/fault.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/sim/noise.h"
#include "gateway/sim/signal.h"

enum {
    UNITS = 248, /* Modbus over serial line 2.2: 1 to 247 */
    DURATION_MAX_MS = 3600 * 1000,
    JUNK_BYTES = 3, /* behind the end of a long answer */
    RSSI = 0xB0,    /* -80 dBm, as Ebyte's modems say it */
    READ_HEAD = 3,  /* unit, function, byte count */
};

/* ---- texts ---- */

static int parse_nothing(const char **text, struct fault *f)
{
    (void)text, (void)f;
    return -EINVAL;
}

static int parse_duration(const char **text, struct fault *f)
{
    int rc = signal_duration_parse(text, &f->ms);

    return rc == 0 && f->ms >= 1 && f->ms <= DURATION_MAX_MS ? 0 : -EINVAL;
}

static int parse_window(const char **text, struct fault *f)
{
    if (signal_duration_parse(text, &f->from_ms) < 0 || strncmp(*text, "..", 2) != 0)
        return -EINVAL;
    *text += 2;
    int rc = signal_duration_parse(text, &f->to_ms);
    return rc == 0 && f->to_ms > f->from_ms ? 0 : -EINVAL;
}

static int parse_number(const char **text, long min, long max, long *ret)
{
    char *end;

    if (**text < '0' || **text > '9')
        return -EINVAL;
    long x = strtol(*text, &end, 0);
    if (x < min || x > max)
        return -EINVAL;
    *text = end;
    *ret = x;
    return 0;
}

/* "2", "2@40", "2@h:40" */
static int parse_exception(const char **text, struct fault *f)
{
    static const char spaces[] = "?cdhi"; /* at the number of enum register_space */
    long code, address;

    if (parse_number(text, 1, UINT8_MAX, &code) < 0)
        return -EINVAL;
    f->code = (uint8_t)code;
    if (**text != '@')
        return 0;
    ++*text;
    const char *space = **text ? strchr(spaces + 1, **text) : NULL;
    if (space && (*text)[1] == ':') {
        f->space = (uint8_t)(space - spaces);
        *text += 2;
    }
    if (parse_number(text, 0, UINT16_MAX, &address) < 0)
        return -EINVAL;
    f->address = (int32_t)address;
    return 0;
}

static int parse_share(const char **text, struct fault *f)
{
    char *end;

    f->share = strtod(*text, &end);
    if (end == *text || !(f->share > 0 && f->share <= 1))
        return -EINVAL;
    *text = end;
    return 0;
}

static int parse_count(const char **text, struct fault *f)
{
    long every;
    int rc = parse_number(text, 1, FAULT_EVERY_MAX, &every);

    if (rc == 0)
        f->every = every;
    return rc;
}

static int parse_order(const char **text, struct fault *f)
{
    static const char orders[][5] = { [ORDER_ABCD] = "ABCD",
                                      [ORDER_CDAB] = "CDAB",
                                      [ORDER_BADC] = "BADC",
                                      [ORDER_DCBA] = "DCBA" };

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (strncmp(*text, orders[i], 4) == 0) {
            f->order = (enum word_order)i;
            *text += 4;
            return 0;
        }
    }
    return -EINVAL;
}

static const struct kind {
    const char *name;
    int (*parse)(const char **text, struct fault *f); /* what follows the = */
    bool needs_value, has_every;
    const char *usage;
} kinds[] = {
    [FAULT_LATE] = { "late", parse_duration, true, true, "late=0.8s or late=0.8s/50" },
    [FAULT_SLOW] = { "slow", parse_duration, true, true, "slow=300ms" },
    [FAULT_SILENT] = { "silent", parse_window, false, true,
                       "silent, silent/3 or silent=10s..20s" },
    [FAULT_EXCEPTION] = { "exception", parse_exception, true, true,
                          "exception=4, exception=2@40 or exception=2@h:40" },
    [FAULT_FOREIGN] = { "foreign", parse_nothing, false, true, "foreign or foreign/10" },
    [FAULT_NOISE] = { "noise", parse_share, true, true, "noise=1e-3" },
    [FAULT_TRICKLE] = { "trickle", parse_duration, true, true, "trickle=5ms" },
    [FAULT_SHORT] = { "short", parse_nothing, false, true, "short or short/10" },
    [FAULT_LONG] = { "long", parse_nothing, false, true, "long or long/10" },
    [FAULT_DISCONNECT] = { "disconnect", parse_count, true, false, "disconnect=30" },
    [FAULT_ORDER] = { "order", parse_order, true, false, "order=CDAB" },
    [FAULT_STUCK] = { "stuck", parse_nothing, false, false, "stuck" },
    [FAULT_NAN] = { "nan", parse_nothing, false, false, "nan" },
    [FAULT_COPY] = { "copy", parse_duration, true, true, "copy=300ms or copy=300ms/10" },
    [FAULT_RSSI] = { "rssi", parse_nothing, false, true, "rssi or rssi/10" },
};

static const struct kind *kind_find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strlen(kinds[i].name) == len && strncmp(kinds[i].name, name, len) == 0)
            return &kinds[i];
    }
    return NULL;
}

/* What follows the name: "=VALUE/N". */
static int parse_rest(const struct kind *k, const char *text, struct fault *f)
{
    if (*text == '=') {
        text++;
        if (k->parse(&text, f) < 0)
            return -EINVAL;
    } else if (k->needs_value) {
        return -EINVAL;
    }
    if (*text == '/' && k->has_every) {
        text++;
        if (parse_count(&text, f) < 0)
            return -EINVAL;
    }
    return *text ? -EINVAL : 0;
}

static int refuse_name(const char *text, char *why, size_t size)
{
    int n = snprintf(why, size, "'%s' names no fault; there are", text);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && n > 0 && (size_t)n < size; i++)
        n += snprintf(why + n, size - (size_t)n, " %s", kinds[i].name);
    return -EINVAL;
}

int fault_parse(const char *text, struct fault *ret, char *why, size_t size)
{
    struct fault f = { .every = 1, .to_ms = INT64_MAX, .address = -1 };
    size_t device = strcspn(text, ":=/");
    const char *name = text[device] == ':' ? text + device + 1 : text;
    size_t len = strcspn(name, "=/");

    if (name != text && device < sizeof f.device)
        memcpy(f.device, text, device);
    const struct kind *k = kind_find(name, len);
    if (!k || (name != text && (device == 0 || device >= sizeof f.device)))
        return refuse_name(text, why, size);
    f.kind = (enum fault_kind)(k - kinds);
    if (parse_rest(k, name + len, &f) < 0) {
        snprintf(why, size, "'%s' is no fault; expected %s", text, k->usage);
        return -EINVAL;
    }
    *ret = f;
    return 0;
}

/* ---- answers ---- */

int fault_state_init(struct fault_state *s, const char *device, uint64_t seed,
                     const struct fault *all, size_t n)
{
    *s = (struct fault_state){ .seed = noise_seed(seed, "fault") };
    for (size_t i = 0; i < n; i++) {
        if (all[i].device[0] && strcmp(all[i].device, device) != 0)
            continue;
        if (s->n == FAULTS_MAX)
            return -E2BIG;
        s->faults[s->n++] = all[i];
    }
    return 0;
}

const struct fault *fault_find(const struct fault_state *s, enum fault_kind kind)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->faults[i].kind == kind)
            return &s->faults[i];
    }
    return NULL;
}

void fault_begin(struct fault_state *s, int64_t t_ms)
{
    s->answer++;
    s->t_ms = t_ms;
}

static bool is_due(const struct fault_state *s, const struct fault *f)
{
    return s->answer % f->every == 0 && s->t_ms >= f->from_ms && s->t_ms < f->to_ms;
}

/* The first one of this kind that meets the present answer. */
static const struct fault *due(const struct fault_state *s, enum fault_kind kind)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->faults[i].kind == kind && is_due(s, &s->faults[i]))
            return &s->faults[i];
    }
    return NULL;
}

/* The table that a request reads or writes. */
static uint8_t space_of(uint8_t function)
{
    static const uint8_t written[] = {
        [5] = SPACE_COIL, [6] = SPACE_HOLDING, [15] = SPACE_COIL, [16] = SPACE_HOLDING
    };

    return function < sizeof written && written[function] ? written[function] : function;
}

static bool meets(const struct fault *f, const struct fault_request *r)
{
    bool is_single = r->function == 5 || r->function == 6; /* a value stands for the count */
    unsigned count = is_single ? 1 : r->count;

    if (f->address < 0)
        return true;
    return (!f->space || f->space == space_of(r->function)) &&
           (unsigned)f->address >= r->first && (unsigned)f->address - r->first < count;
}

uint8_t fault_exception(const struct fault_state *s, const struct fault_request *r)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct fault *f = &s->faults[i];
        if (f->kind == FAULT_EXCEPTION && is_due(s, f) && meets(f, r))
            return f->code;
    }
    return 0;
}

/* Every other time that it strikes, from the first on. */
static bool is_odd_turn(const struct fault_state *s, const struct fault *f)
{
    return s->answer / f->every % 2 == 1;
}

static bool is_read(const uint8_t *p, size_t n)
{
    return n >= READ_HEAD && p[1] >= SPACE_COIL && p[1] <= SPACE_INPUT;
}

/* One register (of bits: one byte of them) fewer, in a frame that is sound otherwise. */
static bool shorten(uint8_t *p, size_t *n)
{
    size_t step = p[1] >= SPACE_HOLDING ? 2 : 1;

    if (!is_read(p, *n) || p[2] < step || *n < READ_HEAD + step)
        return false;
    p[2] = (uint8_t)(p[2] - step);
    *n -= step;
    return true;
}

static bool lengthen(uint8_t *p, size_t *n)
{
    size_t step = p[1] >= SPACE_HOLDING ? 2 : 1;

    if (!is_read(p, *n) || p[2] + step > 250) /* a PDU has 253 bytes at most */
        return false;
    p[2] = (uint8_t)(p[2] + step);
    memset(p + *n, 0x55, step);
    *n += step;
    return true;
}

bool fault_content(const struct fault_state *s, uint8_t *p, size_t *n)
{
    const struct fault *is_short = due(s, FAULT_SHORT), *is_long = due(s, FAULT_LONG);
    bool is_foreign = due(s, FAULT_FOREIGN) != NULL, is_changed = is_foreign;

    if (is_foreign) {
        p[0] = (uint8_t)(p[0] % (UNITS - 1) + 1);
        for (size_t i = READ_HEAD; is_read(p, *n) && i < *n; i++)
            p[i] = (uint8_t)~p[i]; /* taken for the device's own it would be seen */
    }
    if (is_short && is_odd_turn(s, is_short))
        is_changed |= shorten(p, n);
    if (is_long && is_odd_turn(s, is_long))
        is_changed |= lengthen(p, n);
    return is_changed;
}

static void add_noise(const struct fault_state *s, double share, struct fault_answer *a)
{
    for (size_t i = 0; i < a->n; i++) {
        int64_t index = s->answer * FAULT_BYTES_MAX + (int64_t)i;
        if (noise_uniform(s->seed, index) < share)
            a->bytes[i] ^= (uint8_t)(1 + noise_bits(s->seed + 1, index) % 255);
    }
}

static void add_junk(const struct fault_state *s, struct fault_answer *a)
{
    for (size_t i = 0; i < JUNK_BYTES && a->n < FAULT_BYTES_MAX; i++)
        a->bytes[a->n++] =
            (uint8_t)noise_bits(s->seed + 2, s->answer * JUNK_BYTES + (int64_t)i);
}

static void add_rssi(struct fault_answer *a)
{
    if (a->n > 0 && a->n < FAULT_BYTES_MAX)
        a->bytes[a->n++] = RSSI;
}

static int64_t ms_of(const struct fault *f)
{
    return f ? f->ms : 0;
}

void fault_shape(const struct fault_state *s, bool is_serial, struct fault_answer *a)
{
    const struct fault *is_short = due(s, FAULT_SHORT), *is_long = due(s, FAULT_LONG),
                       *noise = due(s, FAULT_NOISE);

    if (is_short && !is_odd_turn(s, is_short))
        a->n /= 2;
    if (is_long && !is_odd_turn(s, is_long))
        add_junk(s, a);
    if (due(s, FAULT_RSSI) && is_serial)
        add_rssi(a);
    if (noise && is_serial)
        add_noise(s, noise->share, a);
    a->late_ms = ms_of(due(s, FAULT_LATE));
    a->slow_ms = ms_of(due(s, FAULT_SLOW));
    a->copy_ms = ms_of(due(s, FAULT_COPY));
    a->trickle_ms = ms_of(due(s, FAULT_TRICKLE));
    a->is_hang_up = due(s, FAULT_DISCONNECT) != NULL;
    if (due(s, FAULT_SILENT) || a->is_hang_up)
        a->n = 0;
}
