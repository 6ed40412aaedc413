/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - lines on stderr with a journald priority prefix ("<4>") when not a terminal.
 *
 * error = needs a person; warning = degraded, and says how; notice = state change; info =
 * start, stop; debug. One failure, one level, one line; tail of key=value. Secrets never. Any
 * thread.
 */
#pragma once

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* What is printed at most; LOG_INFO at start. */
void log_set_level(enum log_level level);

void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_DEBUG, __VA_ARGS__)
