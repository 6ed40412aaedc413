/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histories - /api/v1/histories: rows of several channels, each stream of the log read once.
 *
 *     ?channel=a/x@1min&channel=a/y@1min&hours=720[&points=700]    or &from=MS&to=MS for hours
 *
 * Answers {"histories":[...]}, for each channel in the order asked what /api/v1/history does,
 * but of that channel itself: no coarser series takes its place, is_cut says when there were
 * more than 45000 rows. At most 32 channels.
 */
#pragma once

#include "gateway/http/server.h"

enum MHD_Result histories_serve(struct request *r);
