/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/codec/lower.h"

#include <errno.h>

#include "lowered.h"
#include "unit.h"

static struct lower_result lower(const char *source)
{
    struct lower_result r;
    int e = lower_source(source, strlen(source), &r);

    if (e != 0)
        fail_msg("refused at %d:%d: %s\n%s", r.line, r.column, r.why, source);
    return r;
}

static int lines_of(const char *p, size_t n)
{
    int lines = 1;

    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

/* The source sets R. What comes out has its lines, says the same each time, and is ES5: a
 * second pass leaves it alone. */
static void check(const char *source, const char *json)
{
    struct lower_result r = lower(source), again = lower(source), second = lower(r.text);
    char *value = lowered_value(r.text, r.size, "R");

    if (strcmp(value, json) != 0)
        fail_msg("%s\nbecame\n%s\nand gave %s, not %s", source, r.text, value, json);
    assert_int_equal(lines_of(source, strlen(source)), lines_of(r.text, r.size));
    assert_string_equal(r.text, again.text);
    if (!second.is_unchanged)
        fail_msg("%s\nis not ES5 yet", r.text);
    free(value);
    free(r.text);
    free(again.text);
    free(second.text);
}

struct example {
    const char *source, *json;
};

static void check_all(const struct example *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(e[i].source, e[i].json);
}

#define CHECK_ALL(e) check_all(e, sizeof(e) / sizeof(e)[0])

static void check_refused(const char *source, int line, int column, const char *part)
{
    struct lower_result r;

    assert_int_equal(lower_source(source, strlen(source), &r), -EINVAL);
    assert_null(r.text);
    if (r.line != line || r.column != column || !strstr(r.why, part))
        fail_msg("%s\nis refused at %d:%d: %s", source, r.line, r.column, r.why);
}

/* ---- ES5 ---- */

static void leaves_es5_as_it_is(void **state)
{
    static const char *const sources[] = {
        "",
        "\xef\xbb\xbfvar a = 1;\r\nvar b = a / 2 / 1, c = /[/`]=>/g.test('`')\n",
        "var let = 1, of = 2, async = 3, yield = 4, get = 5;\nlet = of\n++async",
        "a: for (;;) { break a }\nfunction f() { return\n1 }",
        "var o = { get a() { return 1 }, set a(v) {}, 'if': 1, if: 2, 1: 3, let: 4 };\no.class",
        "if (x) /re/.test(y); else /* ` => */ z--\n// let ${x}\n",
        "do x++; while (x < 5) y\nfor (var k in o) if (o[k]) continue; else break",
        "switch (a) { case 1: default: ; }\nwith (o) { p }\ntry { } catch (e) { } finally { }",
        "x = a ? b : c ? d : e, new new F().g(), typeof void 0, a in b, a instanceof b",
        "<!-- an old\nvar x = 1\n--> comment\n",
        "var s = 'a\\\nb'; var n = 0x1F + 1.e3 + .5 + 017 + 1..toFixed()",
        "this is not a program at all (",
        "function f(a, b) { 'use strict'; return { a, b, [a]: 1, c() { return 2 ** 3 } } }",
    };

    (void)state;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        struct lower_result r = lower(sources[i]);
        assert_true(r.is_unchanged);
        assert_int_equal(r.found, 0);
        assert_int_equal(r.size, strlen(sources[i]));
        assert_string_equal(r.text, sources[i]);
        free(r.text);
    }
}

static void comments_the_first_line_of_a_shell_out(void **state)
{
    (void)state;
    check("#!/usr/bin/env node\nvar R = 1", "1");
    check("\xef\xbb\xbf// mark\r\nconst R = `a\r\nb`\r\n", "\"a\\nb\"");
}

/* ---- Blocks ---- */

static void gives_blocks_their_own_names(void **state)
{
    static const struct example e[] = {
        { "const a = 1; var R = [a]; { const a = 2; R.push(a) } R.push(a)", "[1,2,1]" },
        { "let x = 1; { let x = 2; { let x = 3 } } var R = x", "1" },
        { "function f(a) { { let a = 2 } return a } var R = f(1)", "1" },
        { "var R; { let q = 1 } try { R = q } catch (e) { R = e.name }", "\"ReferenceError\"" },
        { "let g = 1; function f() { { let g = 2 } return g } var R = f()", "1" },
        { "var R = []; for (let i = 0; i < 2; i++) { let i = 7; R.push(i) }", "[7,7]" },
        { "let i = 9; for (let i = 0; i < 2; i++); for (const i in [1]); var R = i", "9" },
        { "var R; switch (1) { case 1: let R = 5 } R = R === undefined", "true" },
        { "let x = 1, R; { let x = 2; R = { x } }", "{\"x\":2}" },
        { "var R = []; let w = 0; while (w < 2) { let q; R.push(q); q = ++w }", "[null,null]" },
        { "let \\u0061b = 1; { let ab = 2 } var R = ab", "1" },
        { "var R = 0; for (let i = 0, b = ('x' in { x: 1 }); i < 2; i++) R += b ? 1 : 0", "2" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void gives_closures_in_loops_a_binding_for_each_turn(void **state)
{
#define RUN " var R = fs.map(function (f) { return f() })"
    static const struct example e[] = {
        { "var fs = []; for (let i = 0; i < 3; i++) fs.push(() => i);" RUN, "[0,1,2]" },
        { "var fs = []; for (let i = 0; i < 6; i++) { if (i == 1) continue; if (i == 4) break;"
          " fs.push(() => i) }" RUN,
          "[0,2,3]" },
        { "var fs = []; for (let i = 0; i < 6; i++) { fs.push(() => i); i++ }" RUN, "[1,3,5]" },
        { "var fs = []; for (const k in { a: 1, b: 2 }) fs.push(() => k);" RUN,
          "[\"a\",\"b\"]" },
        { "var fs = []; for (const [a, { b = a }] of [[1, {}], [2, { b: 5 }]])"
          " fs.push(() => a + b);" RUN,
          "[2,7]" },
        { "var fs = [], n = 0; while (n < 2) { let a, b = n++; fs.push(() => [a, b]); a = b "
          "}" RUN,
          "[[0,0],[1,1]]" },
        { "var fs = []; l: for (let a = 0; a < 3; a++) for (let b = 0; b < 3; b++) {"
          " fs.push(() => a * 10 + b); if (b == 1) continue l; if (a == 2) break l }" RUN,
          "[0,1,10,11,20]" },
        { "function f() { for (let i = 0; ; i++) { const j = i * 2; if (j == 4)"
          " return () => i + j } } var R = f()()",
          "6" },
        { "var fs = []; for (let q = 0; q < 2; q++) switch (q) { case 0: let t = q;"
          " fs.push(() => t); break; default: fs.push(() => q) }" RUN,
          "[0,1]" },
        { "var fs = []; for (let i = 0; i < 2; i++) { let f = n => n ? f(n - 1) : i;"
          " fs.push(() => f(2)) }" RUN,
          "[0,1]" },
    };
#undef RUN

    (void)state;
    CHECK_ALL(e);
}

/* ---- Functions ---- */

static void rewrites_arrows(void **state)
{
    static const struct example e[] = {
        { "const f = a => b => c => a ? b : c; var R = [f(1)(2)(3), f(0)(2)(3)]", "[2,3]" },
        { "const f = () => ({ a: 1 }), g = () => { }; var R = [f(), g()]", "[{\"a\":1},null]" },
        { "var R = (c1 =>\n // why\n c1 + 1)(1)", "2" },
        { "function f() { return (() => (() => this.k + arguments[0])())() } "
          "var R = f.call({ k: 1 }, 2)",
          "3" },
        { "var o = { k: 3, f() { 'use strict'; return [1].map(() => this.k) } }; var R = o.f()",
          "[3]" },
        { "const f = () => { return 1 }\n[2].forEach(v => { R = v })\nvar R", "2" },
        { "var R = 1\nx => x\nR++", "2" },
        { "if (1) x => x; else y => y\nvar R = (async => async)(4)", "4" },
        { "var R = [3, 1, 2].sort((a, b) => a - b,)", "[1,2,3]" },
        { "var R = typeof (x => x) + (1 ? a => 1 : b => 2)(0)", "\"function1\"" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void moves_what_parameters_do_into_the_body(void **state)
{
    static const struct example e[] = {
        { "function f(a, b = a, c = a + b) { return [a, b, c] } var R = f(1)", "[1,1,2]" },
        { "function f({ a, b = 2 } = { a: 1 }, [c = a, , d] = [], ...[e, f]) {"
          " return [a, b, c, d, e, f] } var R = [f(), f({ a: 3 }, 'xyz', 6, 7)]",
          "[[1,2,1,null,null,null],[3,2,\"x\",\"z\",6,7]]" },
        { "var R = ((...n) => n.length)(...[1, 2], 3)", "3" },
        { "var R = ((a, ...n) => [a, n])(1)", "[1,[]]" },
        { "var v = 1; function f(a = () => v) { var v = 2; return a() } var R = f()", "1" },
        { "var o = { n: 2, m(a = () => this.n) { return a() } }; var R = o.m()", "2" },
        { "function f({\n  a = () => {\n    return 1\n  },\n  b,\n}, [\n  c ] = [3]) {\n"
          "  return a() + b + c }\nvar R = f({ b: 2 })",
          "6" },
    };

    (void)state;
    CHECK_ALL(e);
}

/* ---- Expressions ---- */

static void rewrites_templates(void **state)
{
    static const struct example e[] = {
        { "var R = `a${1 + 1}b${`n${/[`}]/.test('}') ? `{${{ a: 1 }.a}}` : ''}`}`",
          "\"a2bn{1}\"" },
        { "var R = `\\`\\${}$\\{ \"q\" \\x41\\u0042\\u{43}$ {`",
          "\"`${}${ \\\"q\\\" ABC$ {\"" },
        { "var R = `a\nb\\\nc ${1 +\n 2}`", "\"a\\nbc 3\"" },
        { "var R = `${1, 2}${[3, 4]}`", "\"23,4\"" },
        { "var R = typeof`x`", "\"string\"" },
        { "var R = `${{ valueOf() { return 1 }, toString() { return 't' } }}`", "\"t\"" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void rewrites_destructuring(void **state)
{
    static const struct example e[] = {
        { "const { a, b: [c, , d = 5, ...e], ...z } = { a: 1, b: [2, 3, undefined, 6], q: 9 };"
          " var R = [a, c, d, e, z]",
          "[1,2,5,[6],{\"q\":9}]" },
        { "const k = 'y', { [k + 1]: v, 'z z': w, ...r } = { y1: 1, 'z z': 2, u: 3 };"
          " var R = [v, w, r]",
          "[1,2,{\"u\":3}]" },
        { "let a = 1, b = 2;\n[a, b] = [b, a]; var R = [a, b]", "[2,1]" },
        { "let a, o = {}; ({ a = 1, x: o.x = 5, y: [o.y] } = { y: 'q' }); var R = [a, o]",
          "[1,{\"x\":5,\"y\":\"q\"}]" },
        { "var R = ({ q } = { q: 1, p: 2 }).p, q", "2" },
        { "const [a, b] = new Map([[1, 2], [3, 4]]); var R = [a, b]", "[[1,2],[3,4]]" },
        { "var R; try { throw { message: 'm' } } catch ({ message, code = 1 }) {"
          " R = [message, code] }",
          "[\"m\",1]" },
        { "const {\n  a,\n  f = function () { // why\n    return 2\n  }\n} = { a: 1 }\n"
          "var R = a + f()",
          "3" },
        { "let a = 5; [a = a + 1] = []; var R = a", "6" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void rewrites_spread(void **state)
{
    static const struct example e[] = {
        { "var R = [...[1, , 3], , 4, ...'ab', ...new Set([5])]",
          "[1,null,3,null,4,\"a\",\"b\",5]" },
        { "var R = [Math.max(...[1, 9], 3), Math.max(0, ...[],)]", "[9,0]" },
        { "var o = { n: 1, add(...v) { this.n += v.length; return this } };"
          " var R = o.add(...[1, 2]).add(...[3]).n",
          "4" },
        { "var R = { ...'ab', ...[9], ...null, z: 1, ...{ z: 2 }, get() { return 1 } }",
          "{\"0\":9,\"1\":\"b\",\"z\":2}" },
        { "var a = { x: 1 }, y = 2; var R = { y, ...a, x: 3, }", "{\"y\":2,\"x\":3}" },
        { "(function () { R = [...arguments] })(1, 2); var R", "[1,2]" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void rewrites_for_of(void **state)
{
    static const struct example e[] = {
        { "var R = []; for (const x of 'ab') { if (x === 'a') continue; R.push(x) }",
          "[\"b\"]" },
        { "var R = []; for (const [k, v] of Object.entries({ a: 1 })) R.push(k + v)",
          "[\"a1\"]" },
        { "var R = []; for (const x of new Uint8Array([1, 257])) R.push(x)", "[1,1]" },
        { "var R = {}; for (R.x of [1, 2]); for ([R.y] of [[3]]);", "{\"x\":2,\"y\":3}" },
        { "var R = []; const a = [1]; for (let x of a) { R.push(x); if (x < 3) a.push(x + 1) }",
          "[1,2,3]" },
        { "var of = [1], R; for (of of of) R = of", "1" },
        { "var R = []; o: for (const a of [1, 2]) for (const b of [1, 2]) {"
          " if (b == 2) continue o; R.push(a) }",
          "[1,2]" },
        { "var R = []; for (const {\n a = 1,\n b\n} of [\n { b: 2 }\n])\n R.push(a, b)",
          "[1,2]" },
        { "var R; try { for (const x of null); } catch (e) { R = e.name }", "\"TypeError\"" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void rewrites_optional_chains(void **state)
{
    static const struct example e[] = {
        { "var n = null, v = { a: { b: [1, 2], f(x) { return this.b[x] } } };"
          " var R = [n?.a.b.c, v?.a?.b?.[1], v.a?.f(1), v.a.f?.(0), v.q?.(1), "
          "v?.a.f?.(...[1])]",
          "[null,2,2,1,null,2]" },
        { "var n, c = 0; n?.[c++]; n?.f(c++); var R = c", "0" },
        { "var R = [0 ?? 1, null ?? undefined ?? 2, 1 ?.5 : 2]", "[0,2,0.5]" },
        { "var v = { a: 1 }, R = 1\nv?.a\nv\n  ?.b\n  ?.c\nR++", "2" },
    };

    (void)state;
    CHECK_ALL(e);
}

static void rewrites_small_things(void **state)
{
    static const struct example e[] = {
        { "var R = 0; try { null.x } catch { R = 1 } finally { R++ }", "2" },
        { "function f(a, b,) { return a + b } var R = f(1, 2,)", "3" },
        { "var R = [1_000, 0xf_f, 1_0.5e1_0]", "[1000,255,105000000000]" },
        { "var get = 1, o = { get, set(v) { return v } }; var R = [o.get, o.set(2)]", "[1,2]" },
        { "var R = '</script> let x => `'", "\"</script> let x => `\"" },
    };

    (void)state;
    CHECK_ALL(e);
}

/* ---- Places ---- */

static void keeps_the_lines_of_errors(void **state)
{
    static const char source[] = "const {\n a,\n b = 1\n} = { a: 1 }\nfunction f({\n c\n}) {\n"
                                 "  for (const x of [\n 1\n]) {\n    null.y\n  }\n}\n";
    struct lower_result r = lower(source);
    char *value =
        lowered_value(r.text, r.size,
                      "(function () { try { f({}) } catch (e) { return e.lineNumber } "
                      "})()");

    (void)state;
    assert_string_equal(value, "11");
    free(value);
    free(r.text);
}

static void says_where_and_why_it_refuses(void **state)
{
    (void)state;
    check_refused("var a;\n  class A {}", 2, 3, "Classes");
    check_refused("x = class {}", 1, 5, "Classes");
    check_refused("function* g() {}", 1, 1, "Generators");
    check_refused("var o = { *g() {} }", 1, 11, "Generators");
    check_refused("async function f() {}", 1, 1, "async");
    check_refused("var f = async x => x", 1, 9, "async");
    check_refused("var f = async (x) => x", 1, 9, "async");
    check_refused("var o = { async f() {} }", 1, 11, "async");
    check_refused("'\xe6\xb0\xb4', 10n", 1, 6, "BigInt");
    check_refused("String.raw`a`", 1, 11, "Tagged");
    check_refused("new F(...a)", 1, 1, "spread");
    check_refused("import a from 'b'", 1, 1, "import");
    check_refused("export default 1", 1, 1, "export");
    check_refused("/a/s", 1, 1, "flag 's'");
    check_refused("/(?<a>b)/", 1, 2, "Named groups");
    check_refused("let a = 1;\nlet b = (1", 2, 11, "too early");
    check_refused("for (let i = 0, f = () => i; ;) ;", 1, 27, "head");
    check_refused("const f = ({ a = 1 });", 1, 14, "default value");
    check_refused("for (;;) { let a; function f() { a } }", 1, 19, "declared in a loop");
}

static void names_what_it_found(void **state)
{
    struct lower_result r = lower("const a = [...b].map(c => `${c}`)");

    (void)state;
    assert_int_equal(r.found, LOWER_CONST | LOWER_SPREAD | LOWER_ARROW | LOWER_TEMPLATE);
    assert_false(r.is_unchanged);
    assert_string_equal(lower_feature_name(LOWER_NUMERIC_SEPARATOR), "numeric separators");
    assert_string_equal(lower_feature_name(LOWER_LET), "let");
    free(r.text);
}

/* ---- Limits ---- */

static char *repeated(const char *unit, size_t n, const char *end)
{
    size_t size = strlen(unit);
    char *text = malloc(size * n + strlen(end) + 1);

    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * size, unit, size);
    memcpy(text + size * n, end, strlen(end) + 1);
    return text;
}

static void refuses_what_is_nested_too_deeply(void **state)
{
    static const char *const units[] = { "let a=[", "(",    "{",    "a=>",
                                         "`${",     "new ", "[...", "x?.[" };

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        char *nest = repeated(units[i], 20000, "");
        char *source = repeated("const a = 1;", 1, nest);
        struct lower_result r;
        int e = lower_source(source, strlen(source), &r);
        assert_true(e == -E2BIG || e == -EINVAL);
        assert_true(r.why[0] && r.line == 1 && r.column > 0);
        free(source);
        free(nest);
    }
}

static void takes_long_chains(void **state)
{
    static const char *const units[] = { "1 +", "a ? 1 :", "if (a) b; else ", "a.b().", "a, " };

    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        char *chain = repeated(units[i], i == 1 ? 300 : 10000, "x");
        char *source = repeated("const c = 1;", 1, chain);
        struct lower_result r = lower(source);
        assert_true(r.size > 0);
        free(r.text);
        free(source);
        free(chain);
    }
}

static void refuses_what_is_too_long(void **state)
{
    struct lower_result r;
    char *source = repeated("a;", LOWER_SOURCE_MAX / 2 + 1, "");

    (void)state;
    assert_int_equal(lower_source(source, strlen(source), &r), -E2BIG);
    assert_null(r.text);
    assert_non_null(strstr(r.why, "262144"));
    free(source);
}

static void refuses_what_would_become_too_long(void **state)
{
    struct lower_result r;
    char *source = repeated("[a]=b;", LOWER_SOURCE_MAX / 6, "");

    (void)state;
    assert_int_equal(lower_source(source, strlen(source), &r), -E2BIG);
    assert_null(r.text);
    assert_non_null(strstr(r.why, "too large"));
    free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_es5_as_it_is),
        cmocka_unit_test(comments_the_first_line_of_a_shell_out),
        cmocka_unit_test(gives_blocks_their_own_names),
        cmocka_unit_test(gives_closures_in_loops_a_binding_for_each_turn),
        cmocka_unit_test(rewrites_arrows),
        cmocka_unit_test(moves_what_parameters_do_into_the_body),
        cmocka_unit_test(rewrites_templates),
        cmocka_unit_test(rewrites_destructuring),
        cmocka_unit_test(rewrites_spread),
        cmocka_unit_test(rewrites_for_of),
        cmocka_unit_test(rewrites_optional_chains),
        cmocka_unit_test(rewrites_small_things),
        cmocka_unit_test(keeps_the_lines_of_errors),
        cmocka_unit_test(says_where_and_why_it_refuses),
        cmocka_unit_test(names_what_it_found),
        cmocka_unit_test(refuses_what_is_nested_too_deeply),
        cmocka_unit_test(takes_long_chains),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(refuses_what_would_become_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
