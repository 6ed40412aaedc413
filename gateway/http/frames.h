/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames - the log as it is stored.
 *
 * /api/v1/frames?channel=roof-o3/ozone&hours=24    (or stream=dev.roof-o3; &from=MS&to=MS)
 *     An SF1 file: of each segment of the stream with rows of that time the stored frames from
 *     the first to the last that has such rows, so it decodes; it may begin with earlier rows.
 *     An answer that would be too large, or take too long, ends early: its header
 *     Sluice-Next-From is the `from` to go on with. Rows that are in no frame yet, the newest
 *     minutes, are in /api/v1/history only.
 *
 * /api/v1/layout?id=1a2b3c4d
 *     The dictionary that a key frame names by its layout number.
 */
#pragma once

#include "gateway/http/server.h"

enum MHD_Result frames_serve(struct request *r);
enum MHD_Result layout_serve(struct request *r);
