/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc - CRC-32C eight bytes at a time; by the instruction of SSE 4.2 where there is one.
 *
 * The slice tables hold the remainder of each byte at each of eight distances. A remainder is
 * linear in the bits of its byte, so eight constants for each distance say it all and the
 * compiler fills the tables in.
 */
#include "sensors/core/crc.h"

#include "sensors/core/bytes.h"

/* clang-format off */
#define BIT(i, b, c) ((i) >> (b) & 1 ? (c) : 0u)
#define MIX(i, c0, c1, c2, c3, c4, c5, c6, c7) \
    (BIT(i, 0, c0) ^ BIT(i, 1, c1) ^ BIT(i, 2, c2) ^ BIT(i, 3, c3) ^ \
     BIT(i, 4, c4) ^ BIT(i, 5, c5) ^ BIT(i, 6, c6) ^ BIT(i, 7, c7))

#define BASIS_0(i) \
    MIX(i, 0xF26B8303u, 0xE13B70F7u, 0xC79A971Fu, 0x8AD958CFu, \
        0x105EC76Fu, 0x20BD8EDEu, 0x417B1DBCu, 0x82F63B78u)
#define BASIS_1(i) \
    MIX(i, 0x13A29877u, 0x274530EEu, 0x4E8A61DCu, 0x9D14C3B8u, \
        0x3FC5F181u, 0x7F8BE302u, 0xFF17C604u, 0xFBC3FAF9u)
#define BASIS_2(i) \
    MIX(i, 0xA541927Eu, 0x4F6F520Du, 0x9EDEA41Au, 0x38513EC5u, \
        0x70A27D8Au, 0xE144FB14u, 0xC76580D9u, 0x8B277743u)
#define BASIS_3(i) \
    MIX(i, 0xDD45AAB8u, 0xBF672381u, 0x7B2231F3u, 0xF64463E6u, \
        0xE964B13Du, 0xD725148Bu, 0xABA65FE7u, 0x52A0C93Fu)
#define BASIS_4(i) \
    MIX(i, 0x38116FACu, 0x7022DF58u, 0xE045BEB0u, 0xC5670B91u, \
        0x8F2261D3u, 0x1BA8B557u, 0x37516AAEu, 0x6EA2D55Cu)
#define BASIS_5(i) \
    MIX(i, 0xEF306B19u, 0xDB8CA0C3u, 0xB2F53777u, 0x6006181Fu, \
        0xC00C303Eu, 0x85F4168Du, 0x0E045BEBu, 0x1C08B7D6u)
#define BASIS_6(i) \
    MIX(i, 0x68032CC8u, 0xD0065990u, 0xA5E0C5D1u, 0x4E2DFD53u, \
        0x9C5BFAA6u, 0x3D5B83BDu, 0x7AB7077Au, 0xF56E0EF4u)
#define BASIS_7(i) \
    MIX(i, 0x493C7D27u, 0x9278FA4Eu, 0x211D826Du, 0x423B04DAu, \
        0x847609B4u, 0x0D006599u, 0x1A00CB32u, 0x34019664u)

#define FOUR(f, i)    f((i)), f((i) + 1), f((i) + 2), f((i) + 3)
#define SIXTEEN(f, i) FOUR(f, (i)), FOUR(f, (i) + 4), FOUR(f, (i) + 8), FOUR(f, (i) + 12)
#define QUARTER(f, i) \
    SIXTEEN(f, (i)), SIXTEEN(f, (i) + 16), SIXTEEN(f, (i) + 32), SIXTEEN(f, (i) + 48)
#define TABLE(f) { QUARTER(f, 0), QUARTER(f, 64), QUARTER(f, 128), QUARTER(f, 192) }

static const uint32_t slice[8][256] = {
    TABLE(BASIS_0), TABLE(BASIS_1), TABLE(BASIS_2), TABLE(BASIS_3),
    TABLE(BASIS_4), TABLE(BASIS_5), TABLE(BASIS_6), TABLE(BASIS_7),
};
/* clang-format on */

static uint32_t crc_by_table(uint32_t crc, const uint8_t *p, size_t len)
{
    for (; len >= 8; len -= 8, p += 8) {
        uint32_t a = get_le32(p) ^ crc, b = get_le32(p + 4);
        crc = slice[7][a & 255] ^ slice[6][a >> 8 & 255] ^ slice[5][a >> 16 & 255] ^
              slice[4][a >> 24] ^ slice[3][b & 255] ^ slice[2][b >> 8 & 255] ^
              slice[1][b >> 16 & 255] ^ slice[0][b >> 24];
    }
    for (; len; len--, p++)
        crc = crc >> 8 ^ slice[0][(crc ^ *p) & 255];
    return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc_by_instruction(uint32_t crc,
                                                                     const uint8_t *p,
                                                                     size_t len)
{
    uint64_t c = crc;

    for (; len >= 8; len -= 8, p += 8)
        c = __builtin_ia32_crc32di(c, get_le64(p));
    for (; len; len--, p++)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return (uint32_t)c;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_by_instruction(~crc, data, len);
    return ~crc_by_table(~crc, data, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
    return ~crc_by_table(~crc, data, len);
}

#endif
