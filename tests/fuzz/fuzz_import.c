/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses the program, the rest is its file. What is taken gives profiles that
 * our own reader loads without an error.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/conf/profile_load.h"
#include "gateway/import/write.h"
#include "tests/fuzz/fuzz.h"

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_profile(const struct import_plan *p, const struct import_device *dev)
{
    struct buf b = BUF_INIT(1 << 20);
    struct diag *d;

    require(diag_create(&d) == 0);
    import_write_profile(p, dev, "en", &b);
    if (buf_text(&b)) {
        struct profile *loaded = profile_load_text("out.yaml", b.data, b.size, d);
        require(loaded && loaded->points_n == dev->points_n);
        profile_destroy(loaded);
    }
    buf_done(&b);
    diag_destroy(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_plan *p = NULL;
    struct diag *d;

    if (size == 0)
        return 0;
    require(diag_create(&d) == 0);
    int rc = import_read(&import_formats[data[0] % 4], "fuzz.conf", (const char *)data + 1,
                         size - 1, d, &p);
    require((rc == 0) == (p != NULL) && (rc == 0) == (diag_errors(d) == 0));
    for (const struct import_device *dev = p ? p->devices : NULL; dev; dev = dev->next)
        check_profile(p, dev);
    import_destroy(p);
    diag_destroy(d);
    return 0;
}
