var R = []
// comments => everywhere ` ${
const /* a */ f /* b */ = /* c */ ( /* d */ a /* e */ , /* f */ b /* g */ = /* h */ 2 /* i */ , ) /* j */ => /* k */ a + b // l
R.push(f(1))
const g = ( // x
  { a, // y
    b = 3 // z
  } // w
) => // v
  // u
  a + b
R.push(g({ a: 1 }))
for (const /* p */ [ k /* q */, v ] /* r */ of /* s */ [ [1, 2] ] /* t */ ) /* u */ R.push(k, v) // w
const { /* p */ a /* q */ : /* r */ aa /* s */ = /* t */ 5 /* u */ } = /* v */ {} /* w */
R.push(aa)
R.push([ /* a, */ ...[1] /* , */ , /* , */ 2 /* ) */ , ...[3], /* , */ ], Math.max( /* , */ ...[1] /* , */ , 4 /* , */ , /* , */ ))
R.push({ /* } */ ...{ x: 1 } /* , */ , y /* : */ : 2, // }
})
var q = f => f /* */ , r = 1
R.push(q(2), r)
const h = async_ => async_
const o = { async: 1, get: 2, set: 3, static: 4, await: 5, of: 6, let: 7, async_() { return 8 }, get a() { return 9 }, set a(v) { }, get 'b c'() { return 10 }, get 5() { return 11 }, set() { return 13 } }
R.push(o.async, o.get, o.a, o['b c'], o[5], o.set())
var i = 0
const u = i
++i
R.push(i, u)
const w = { x: { y: [1, 2] } }
R.push(w.x?.y[1], w.z?.y[1], w?.['x'].y.map(n => n * 2)?.[0], delete w.x.y)
function nest(x) { return function () { return () => { const y = x; return [1].map(() => { const z = y; return () => z + arguments.length }) } } }
R.push(nest(1)(5, 6)()[0]())
label: { const t = 1; if (t) break label; R.push('no') }
var s = `${`${`${1}`}`}` + `a${'}'}b${"`"}c${/}`/.source}`
R.push(s)
if (true) { function hoisted() { const c = 1; return c } } R.push(hoisted())
var x = 5; const y2 = x => { x = x + 1; return x }; R.push(y2(1), x)
let un; R.push(un === undefined); { let un; un = 3 } R.push(un === undefined)
const fnExpr = function fact(n) { const m = n - 1; return n < 2 ? 1 : n * fact(m) }; R.push(fnExpr(5))
const big = [1, 2, 3].reduce((acc, v, i, { length }) => ({ ...acc, [`k${i}`]: v / length }), {}); R.push(big)
do { var z0 = 1; let z1 = z0 } while (z0++ < 0)
R.push(((a, b) => { let c = a; { let c = b; R.push(c) } return c })(1, 2))
var neg = a => -a, pos = a => +a, inc = a => ++a; R.push(neg(1), pos('2'), inc(3))
