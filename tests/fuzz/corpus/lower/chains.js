var R = []
var n = null, v = { a: { b: [1, 2], f(x) { return this.b[x] } }, z: 0, e: '' }
R.push(n?.a.b.c, v?.a?.b?.[1], v.a?.f(1), v.a.f?.(0), v.q?.(1, 2), v.q?.f(n.x), v?.['a']?.["b"].length, n?.[R.push('never')], v.z ?? 5, v.e ?? 6, n ?? v.q ?? 'last', (n ?? 1) + 1, v.a?.g?.x.y, v?.a.f?.(...[1]), n?.f(...[1]))
var h = v
  .a
  ?.b
  ?.[0]
R.push(h)
v?.a?.f(0)
n?.foo()
R.push(n?.x ? .5 : 1?.5:2)
class_: { break class_ }
const fact = n => n <= 1 ? 1 : n * fact(n - 1)
R.push(fact(5))
function ctx() { const self = () => this.k + arguments[0]; return [self(), (() => (() => this.k)())()] }
R.push(ctx.call({ k: 1 }, 5))
var obj = { k: 3, f() { return [1].map(() => this.k) }, g: function () { 'use strict'; return (() => typeof this)() } }
R.push(obj.f(), obj.g.call(5))
for (let i = 0, has = ('a' in { a: 1 }); i < 1; i++) R.push(has)
for (const f = x => { return x in { b: 1 } }, done = []; !done.length; done.push(1)) R.push(f('b'))
for (let [i, j] = [0, 3]; i < j; i++, j--) R.push([i, j])
for (const { length } of ['ab', 'c']) R.push(length)
for (var x of [1]) ; for (R.last of [1, 2]); for ([R.l0] of [[4]]); R.push(R.last, R.l0)
for (const i in [5, 6]) { const j = i + 1; R.push(j) }
try { throw { message: 'm', code: 3 } } catch ({ message, code = 1 }) { R.push(message, code) }
try { null.x } catch { R.push('bare') } finally { R.push('fin') }
switch (3) { case 1: { let s = 1 } default: let s = 2; const w = s; R.push(s + w) }
var y = 1
{ let y = 2; { let y = 3; R.push(y) } R.push(y) } R.push(y)
function shadow(a) { { let a = 2; R.push(a) } return a } R.push(shadow(1))
function outerRef() { const z1 = () => late; let late = 3; return z1() } R.push(outerRef())
let glob = 1; function useGlob() { { let glob = 2 } return glob } R.push(useGlob())
function defScope(a = () => b1) { var b1 = 2; return a() } var b1 = 1; R.push(defScope())
R.push((function (a, b = a, c = a + b) { return [a, b, c] })(1))
R.push([1, 2, 3].map((x, i) => ({ x, i })), [[1, 2]].map(([a, b]) => a + b))
R.push(0b11 + 0o17 + 0xf_f + 1_000.5, 1e1_0)
var \u0061bc = 1; { let abc = 2; R.push(abc) } R.push(abc)
var html = "</script>"; R.push(html, `</script>`)
var 变量 = 1; { let 变量 = 2; R.push(变量) } R.push(变量)
let let1 = /=>|`|\${/g.exec('=>'); R.push(let1[0])
var re = a => /[/]/.test(a) /* => ` */ // let ${
R.push(re('/'))
var c1 = a1 /* x */ => /* y */ // z
  a1 + 1
R.push(c1(1))
var arr = [1, 2, 3].map(n => { return n * 2 }
)
R.push(arr)
var yy = do_ => do_
R.push(yy(1))
while (false) { let x }
if (1) for (const q of [1]) R.push(q); else R.push(2)
do { const q = 1; if (q) break } while (0)
