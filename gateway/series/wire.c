/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/series/wire.h"

uint64_t wire_get_long_varint(struct wire_in *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = wire_get_byte(in);
        if (shift == 63 && byte > 1) /* the tenth byte holds one bit of the 64 */
            break;
        v |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return v;
    }
    in->is_bad = true;
    return 0;
}
