/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml - writes elements with text, indented by two blanks. Text may be hostile: it is escaped,
 * what XML 1.0 has no way to say becomes U+FFFD. Pure.
 */
#pragma once

#include "gateway/base/buf.h"

void xml_begin(struct buf *b, unsigned depth, const char *name);
void xml_end(struct buf *b, unsigned depth, const char *name);
/* <name>text</name>; nothing when there is no text. */
void xml_text(struct buf *b, unsigned depth, const char *name, const char *text);
/* <name><valueName>key</valueName><value>text</value></name>, as CAP has its parameters. */
void xml_pair(struct buf *b, unsigned depth, const char *name, const char *key,
              const char *text);
