'use strict'
const a = 1
const R = [a]
function f() { 'use strict'
  return (() => this)() }
R.push(f() === undefined)
const obj = {
  m({ x,
      y = () => {
        return 5
      },
    }, [
      z ] = [3]) {
    return x + y() + z + new Error('e').lineNumber * 0
  },
}
R.push(obj.m({ x: 1 }))
const {
  p,
  // comment, with => and `
  q = function () { // here
    return 1
  },
  ...rest
} = { p: 1, r: 2 }
R.push(p, q(), rest)
for (const {
  u = () => {
    return 'u' // c
  }, v
} of [{ v: 1 }]) R.push(u() + v)
let c = 0
function once() { c++; return { a: 1, b: 2 } }
const { a: a2, b: b2 } = once(); R.push(c, a2, b2)
const [x1, y1] = 'hi'; R.push(x1, y1)
let [m1 = 1, m2 = m1 + 1] = []; R.push(m1, m2)
function g() { if (1) { function inner() { return 2 } return inner() } } R.push(g())
const sp = [1, 2]; sp.push(...sp, ...sp.map(s => s * 10)); R.push(sp)
const nested = { a: [{ b: { c: [1, { d: 'deep' }] } }] }
const { a: [{ b: { c: [, { d }] } }] } = nested; R.push(d)
R.push(((a, { b }, [c], d = 4, ...e) => [a, b, c, d, e])(1, { b: 2 }, [3], undefined, 5, 6))
const fmt = v => `${v < 10 ? `0${v}` : v}`; R.push(fmt(5), fmt(15))
const cache = {}; (cache.x = v => v * 2)(2); R.push(cache.x(4))
const conds = [1, 2, 3].filter(v => v > 1 && v < 3).map(v => ({ v })).reduce((acc, { v }) => { acc[v] = v; return acc }, {})
R.push(conds)
var run = (f) => f(); run(() => { for (let i = 0; i < 3; i++) { run(() => { for (let j = 0; j < 2; j++) run(() => { R.push(i * 10 + j) }) }) } })
const t0 = `a
b`; R.push(t0.split('\n').length); try { null.zzz } catch (e) { R.push(e.lineNumber || 61) }
