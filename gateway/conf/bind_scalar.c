/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/conf/bind_scalar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/conf/path.h"

enum {
    ID_MAX = 64,          /* an id becomes a topic level and a tag */
    SECRET_MAX = 1 << 20, /* the keys of some thousand LoRa devices */
};

__attribute__((format(printf, 3, 4))) static int problem(struct scalar_problem *p,
                                                         enum diag_code code,
                                                         const char *format, ...)
{
    va_list args;

    p->code = code;
    va_start(args, format);
    int n = vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    if (n < 0)
        p->text[0] = '\0';
    return -EINVAL;
}

const char *bind_join(const char *const *words, char *out, size_t size)
{
    enum { SHOWN_MAX = 12 };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; words[i]; i++) {
        const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        if (i == SHOWN_MAX || used + strlen(words[i]) + 12 > size) {
            snprintf(out + used, size - used, " ...");
            break;
        }
        int n = snprintf(out + used, size - used, "%s%s", before, words[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

void bind_expected(const struct field *f, char *out, size_t size)
{
    static const char *const texts[] = {
        [FIELD_BOOL] = "true or false",
        [FIELD_INT] = "a whole number",
        [FIELD_DOUBLE] = "a number",
        [FIELD_DURATION] = "a duration such as 10s",
        [FIELD_SIZE] = "a size such as 64MiB",
        [FIELD_TEXT] = "a text",
        [FIELD_ID] = "an id",
        [FIELD_REF] = "an id",
    };
    char words[SCALAR_TEXT_MAX];
    size_t n = sizeof texts / sizeof texts[0];

    if (f->words)
        snprintf(out, size, "%s%s", f->words[1] ? "one of " : "",
                 bind_join(f->words, words, sizeof words));
    else
        snprintf(out, size, "%s",
                 (size_t)f->type < n && texts[f->type] ? texts[f->type] : "a value");
}

static int refuse(const struct field *f, const char *text, const char *meant,
                  struct scalar_problem *p)
{
    char expected[SCALAR_TEXT_MAX / 2], shown[DIAG_SHOWN_BYTES];
    enum diag_code code = f->words ? E_WORD : E_VALUE;

    bind_expected(f, expected, sizeof expected);
    utf8_shown(f->flags & FIELD_SECRET ? "***" : text, DIAG_SHOWN_MAX, shown, sizeof shown);
    if (meant)
        return problem(p, code, "expected %s, got '%s', did you mean '%s'?", expected, shown,
                       meant);
    return problem(p, code, "expected %s, got '%s'", expected, shown);
}

static void limit_text(const struct field *f, double v, char *out)
{
    if (f->type == FIELD_DURATION)
        value_duration_text((int64_t)v, out);
    else if (f->type == FIELD_SIZE)
        value_size_text((int64_t)v, out);
    else
        value_double_text(v, out);
}

static int check_range(const struct field *f, double v, const char *text,
                       struct scalar_problem *p)
{
    char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX], shown[DIAG_SHOWN_BYTES];
    bool is_unchecked = f->min == 0 && f->max == 0;
    bool is_signed = f->type == FIELD_INT || f->type == FIELD_DOUBLE;

    if (is_unchecked ? is_signed || v >= 0 : v >= f->min && v <= f->max)
        return 0;
    utf8_shown(text, DIAG_SHOWN_MAX, shown, sizeof shown);
    limit_text(f, f->min, min);
    limit_text(f, f->max, max);
    if (is_unchecked)
        problem(p, E_RANGE, "'%s' must not be negative, got %s", f->name, shown);
    else
        problem(p, E_RANGE, "'%s' must be between %s and %s, got %s", f->name, min, max, shown);
    return -ERANGE;
}

static int scalar_int(const struct field *f, const char *text, int64_t *dest,
                      struct scalar_problem *p)
{
    char guess[VALUE_TEXT_MAX];
    int64_t v = 0;
    int err = f->type == FIELD_INT        ? value_parse_int(text, &v)
              : f->type == FIELD_DURATION ? value_parse_duration(text, &v)
                                          : value_parse_size(text, &v);

    if (err) {
        bool has_guess =
            f->type == FIELD_DURATION && value_guess_duration(text, guess, sizeof guess);
        return refuse(f, text, has_guess ? guess : NULL, p);
    }
    err = check_range(f, (double)v, text, p);
    *dest = v;
    return err;
}

static int scalar_double(const struct field *f, const char *text, double *dest,
                         struct scalar_problem *p)
{
    double v = 0;

    if (value_parse_double(text, &v))
        return refuse(f, text, NULL, p);
    *dest = v;
    return check_range(f, v, text, p);
}

static int scalar_bool(const struct field *f, const char *text, bool *dest,
                       struct scalar_problem *p)
{
    static const char *const yes[] = { "yes", "on", "True", "TRUE", "Yes", "On", "1", NULL };
    static const char *const no[] = { "no", "off", "False", "FALSE", "No", "Off", "0", NULL };

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        *dest = text[0] == 't';
        return 0;
    }
    for (size_t i = 0; yes[i]; i++) {
        if (strcmp(text, yes[i]) == 0)
            return refuse(f, text, "true", p);
        if (strcmp(text, no[i]) == 0)
            return refuse(f, text, "false", p);
    }
    return refuse(f, text, NULL, p);
}

static int word_index(const struct field *f, const char *text, struct scalar_problem *p)
{
    for (int i = 0; f->words[i]; i++) {
        if (strcmp(f->words[i], text) == 0)
            return i;
    }
    return refuse(f, text, nearest_word(text, f->words), p);
}

static bool is_id(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t n = strspn(text, letters);

    return n > 0 && n <= ID_MAX && text[n] == '\0' && text[0] != '_' && text[0] != '-';
}

/* "roof-o3" of "Roof O3"; false when nothing is left of it. */
static bool guess_id(const char *text, char *out, size_t size)
{
    size_t n = 0;

    for (; *text && n + 1 < size; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        out[n++] = c == ' ' || c == '.' || c == '/' ? '-' : c;
    }
    out[n] = '\0';
    return is_id(out);
}

static int refuse_id(const char *text, struct scalar_problem *p)
{
    char shown[DIAG_SHOWN_BYTES], guess[ID_MAX + 1];
    bool has_guess = guess_id(text, guess, sizeof guess);

    utf8_shown(text, DIAG_SHOWN_MAX, shown, sizeof shown);
    return problem(
        p, E_VALUE,
        "expected an id (small letters, digits, '-' and '_', at most %d), got '%s'%s%s%s",
        ID_MAX, shown, has_guess ? ", did you mean '" : "", has_guess ? guess : "",
        has_guess ? "'?" : "");
}

/* What the field itself says of the text, and its duration with the unit put right. */
static int refuse_text(const struct field *f, const char *text, const char *why,
                       struct scalar_problem *p)
{
    char guess[VALUE_TEXT_MAX], unused[SCALAR_TEXT_MAX];
    bool has_guess = value_guess_duration(text, guess, sizeof guess) &&
                     f->is_ok(guess, unused, sizeof unused);

    if (f->flags & FIELD_SECRET)
        return problem(p, E_VALUE, "the secret '%s' is not in a form that can be used",
                       f->name);
    return problem(p, E_VALUE, "%s%s%s%s", why, has_guess ? ", did you mean '" : "",
                   has_guess ? guess : "", has_guess ? "'?" : "");
}

static int check_text(const struct field *f, const char *text, struct scalar_problem *p)
{
    char why[SCALAR_TEXT_MAX / 2] = "";

    if (f->type == FIELD_ID && !is_id(text))
        return refuse_id(text, p);
    if (f->words) {
        int i = word_index(f, text, p);
        return i < 0 ? i : 0;
    }
    if (!f->is_ok || f->is_ok(text, why, sizeof why))
        return 0;
    return refuse_text(f, text, why, p);
}

static int scalar_text(const struct field *f, const char *text, struct arena *a,
                       const char **dest, struct scalar_problem *p)
{
    int err = check_text(f, text, p);

    if (err)
        return err;
    char *copy = arena_text(a, text, strlen(text));
    if (!copy)
        return -ENOMEM;
    *dest = copy;
    return 0;
}

int bind_scalar(const struct field *f, const char *text, struct arena *a, void *dest,
                struct scalar_problem *ret)
{
    int i;

    switch (f->type) {
    case FIELD_BOOL:
        return scalar_bool(f, text, dest, ret);
    case FIELD_INT:
    case FIELD_DURATION:
    case FIELD_SIZE:
        return scalar_int(f, text, dest, ret);
    case FIELD_DOUBLE:
        return scalar_double(f, text, dest, ret);
    case FIELD_ENUM:
        i = word_index(f, text, ret);
        if (i >= 0)
            *(int *)dest = i;
        return i < 0 ? i : 0;
    default:
        return scalar_text(f, text, a, dest, ret);
    }
}

/* The file's bytes without the last line end. O_NONBLOCK: a pipe must not stop the program. */
static int read_secret(const char *path, char *out, size_t size, struct stat *ret_st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    ssize_t got = fstat(fd, ret_st) == 0 ? read(fd, out, size) : -1;
    int err = got < 0 ? -errno : 0;
    close(fd);
    if (err)
        return err;
    size_t n = (size_t)got;
    if (n >= size)
        return -EFBIG;
    if (n > 0 && out[n - 1] == '\n')
        n--;
    if (n > 0 && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    return n == 0 || strlen(out) != n ? -ENODATA : 0;
}

static int copy_secret(const char *path, char *text, struct arena *a, char **ret,
                       struct stat *ret_st)
{
    int err = read_secret(path, text, SECRET_MAX + 1, ret_st);

    if (err)
        return err;
    *ret = arena_text(a, text, strlen(text));
    explicit_bzero(text, strlen(text));
    return *ret ? 0 : -ENOMEM;
}

int bind_read_secret(const char *config_file, const char *path, struct arena *a, char **ret,
                     bool *ret_is_warning, struct scalar_problem *p)
{
    char full[PATH_MAX], shown[DIAG_SHOWN_BYTES];
    char *text = malloc(SECRET_MAX + 1);
    struct stat st;
    int err = text ? path_beside(config_file, path, full, sizeof full) : -ENOMEM;

    utf8_shown(path, DIAG_SHOWN_MAX, shown, sizeof shown);
    if (!err)
        err = copy_secret(full, text, a, ret, &st);
    free(text);
    if (err == -ENOMEM)
        return err;
    if (err == -ENODATA)
        return problem(p, E_SECRET, "the secret file '%s' is empty or no text", shown);
    if (err == -EFBIG)
        return problem(p, E_SECRET, "the secret file '%s' is larger than %d bytes", shown,
                       SECRET_MAX);
    if (err)
        return problem(p, E_SECRET, "cannot read the secret file '%s': %s", shown,
                       strerror(-err));
    *ret_is_warning = (st.st_mode & S_IROTH) != 0;
    if (*ret_is_warning)
        problem(p, E_SECRET,
                "everybody may read the secret file '%s', expected mode 0600 or 0640", shown);
    return 0;
}
