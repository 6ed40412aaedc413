/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event of a network server: its topic on the first line, then its bytes. What is taken
 * keeps within its bounds and is known the second time; what is not is told in a sentence. The
 * bytes may also be the state of a device, or the template of an administrator.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/lns/command.h"
#include "gateway/lns/seen.h"
#include "tests/fuzz/fuzz.h"

enum { TOPIC_MAX = 512 };

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static bool has_end(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static void use(struct feed_message *m)
{
    static const struct feed_conf servers[] = {
        { .server = FEED_CHIRPSTACK, .url = "mqtt://h" },
        { .server = FEED_TTN, .url = "mqtt://h", .application = "a@t" },
    };
    struct seen *s;
    uint8_t one[SEEN_STATE_MAX], two[SEEN_STATE_MAX];
    char topic[FEED_TOPIC_MAX];

    require(m->dev_eui != 0 && has_end(m->key[0], 64) && has_end(m->key[1], 64) &&
            has_end(m->text, sizeof m->text) && has_end(m->code, sizeof m->code) &&
            has_end(m->gateway, sizeof m->gateway) && has_end(m->rate, sizeof m->rate) &&
            has_end(m->device_id, FEED_NAME_MAX) && has_end(m->application, FEED_NAME_MAX));
    require(!m->object || strlen(m->object) <= FEED_OBJECT_MAX);
    require(seen_create(&s) == 0);
    if (m->kind == FEED_UPLINK) {
        require(seen_take(s, m).answer == SEEN_NEW);
        size_t n = seen_save(s, m->dev_eui, one);
        require(seen_restore(s, m->dev_eui, one, n) == 0);
        require(seen_save(s, m->dev_eui, two) == n && memcmp(one, two, n) == 0);
        require(seen_take(s, m).answer == SEEN_AGAIN);
    }
    seen_destroy(s);
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        const struct feed_command k = { m->dev_eui, m->device_id, m->application,  m->fport,
                                        m->payload, m->n,         m->is_confirmed, m->key[0] };
        struct buf b = BUF_INIT(FEED_COMMAND_MAX);
        if (feed_command_print(&servers[i], &k, topic, &b) == 0)
            require(has_end(topic, sizeof topic) && buf_text(&b) != NULL);
        buf_done(&b);
    }
    free(m->object);
}

static void parse(const char *topic, const uint8_t *json, size_t n)
{
    struct feed_message m;
    char why[FEED_TEXT_MAX];
    int64_t at_ms;

    for (int i = 0; i < 3; i++) {
        memset(why, 'x', sizeof why);
        int rc = i == 0   ? chirpstack_parse(topic, json, n, &m, why, sizeof why)
                 : i == 1 ? ttn_parse(topic, json, n, &m, why, sizeof why)
                          : ttn_stored_parse(json, n, &m, &at_ms, why, sizeof why);
        require(rc == 0 || rc == -ENOENT || rc == -EBADMSG || rc == -EIO);
        require(rc != -EBADMSG || has_end(why, sizeof why));
        if (rc == 0)
            use(&m);
    }
}

static void restore(const uint8_t *data, size_t n)
{
    uint8_t out[SEEN_STATE_MAX];
    struct seen *s;

    require(seen_create(&s) == 0);
    if (seen_restore(s, 1, data, n) == 0)
        require(seen_save(s, 1, out) == n);
    seen_destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char topic[TOPIC_MAX], filters[FEED_FILTERS_MAX][FEED_TOPIC_MAX];
    const uint8_t *end = memchr(data, '\n', size);
    size_t n = end ? (size_t)(end - data) : size;

    restore(data, size);
    if (n >= sizeof topic)
        return 0;
    memcpy(topic, data, n);
    topic[n] = '\0';
    const struct feed_conf c = { .url = "mqtt://h", .topic = topic };
    if (feed_filters(&c, filters) > 0)
        require(has_end(filters[0], FEED_TOPIC_MAX));
    if (end)
        parse(topic, end + 1, size - n - 1);
    return 0;
}
