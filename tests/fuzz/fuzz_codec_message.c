/* SPDX-License-Identifier: Apache-2.0 */
/* What the codec worker and the daemon say to each other, and results of scripts. */
#include <stdlib.h>
#include <string.h>

#include "gateway/codec/message.h"
#include "gateway/codec/result.h"
#include "tests/fuzz/fuzz.h"

static void require(int is_true)
{
    if (!is_true)
        abort();
}

/* What is understood is written the same. */
static void fuzz_stream(const uint8_t *data, size_t size)
{
    struct codec_message m;
    int64_t taken;

    while ((taken = codec_message_get(data, size, &m)) > 0) {
        struct buf b = BUF_INIT(CODEC_MESSAGE_MAX + CODEC_PREFIX_SIZE);
        codec_message_put(&b, &m);
        require(!b.has_failed && b.size == (size_t)taken && memcmp(b.data, data, b.size) == 0);
        buf_done(&b);
        data += taken;
        size -= (size_t)taken;
    }
}

static void fuzz_result(const uint8_t *data, size_t size)
{
    char error[RESULT_ERROR_MAX], *json = malloc(size + 1);
    struct codec_result r;
    uint8_t bytes[64], fport;

    require(json != NULL);
    memcpy(json, data, size);
    json[size] = '\0';
    if (codec_result_parse(json, &r, error) == 0) {
        require(r.n <= RESULT_VALUES_MAX);
        codec_result_done(&r);
    }
    require(codec_downlink_parse(json, bytes, sizeof bytes, &fport, error) <=
            (int)sizeof bytes);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        (data[0] & 1 ? fuzz_result : fuzz_stream)(data + 1, size - 1);
    return 0;
}
