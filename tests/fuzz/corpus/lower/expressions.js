var R = []
const tpl = (a, b = `x${a}y${`q${`}`}`}`) => `<${b}>${/[`}\/]/.test('`') ? `{${a}}` : ''}$\{}`
R.push(tpl(1), `line1
line2 ${1 +
  2} "quoted" \x41\u0042\u{43}`, `\
cont`)
const p = a => b => c => a ? b : c
R.push(p(0)(1)(2), p(1)(1)(2))
const o = { a: x => ({ x }), b: (x) => [x], c() { return this.d }, d: 4, get: 1, of: 2, let: 3, static: 4, async: 5, get x() { return 6 }, ['k' + 1]: 7, 'q-r': 8, 1: 9, async2() { return 1 }, get get() { return 10 } }
R.push(o.a(1), o.b(2), o.c(), o.let, o.of, o.x, o.k1, o.get)
var get = 1, set = 2, of = 3, async = 4, static_ = 5, yield_ = 6
R.push({ get, set, of, async })
const t = 3
const u = (x) => x + 1
;[1, 2].forEach(v => R.push(v))
const blk = () => { return 1 }
[3, 4].forEach(v => R.push(v))
const last = () => {
}
(function () { R.push('iife') })()
var a1 = 1, g = 2
R.push(10 / a1 / g, 8 /a1/ g)
R.push(((a, b) => a + b)(1, 2), (() => ({}))(), (() => { })())
var s = 'x'
R.push(s => s, typeof (s => s), s ? a => 1 : b => 2)
R = R.filter(x => typeof x != 'function')
if (s) x => x
else y => y
x => x, R.push('after')
var q = { w: { e: [1, 2, { r: 3 }] } }
const { w: { e: [, sec, { r, miss = sec * 2 }] }, ...others } = q
R.push(sec, r, miss, others)
let aa, bb, cc = {};
[aa, bb = aa * 2, ...cc.rest] = [1, , 3, 4];
({ aa, x: cc.x = 5, ['y' + 1]: cc.y, 'z z': cc.z } = { aa: 9, y1: 7, 'z z': 8 })
R.push(aa, bb, cc)
;[aa, bb] = [bb, aa]; R.push(aa, bb)
R.push((({ aa } = { aa: 1, bb: 2 })).bb)
function d1({ a, b } = { a: 1, b: 2 }, [c = a, d] = [], ...[e, f]) { return [a, b, c, d, e, f] }
R.push(d1(), d1({ a: 3 }, [4, 5], 6, 7))
R.push(d1.call(null, undefined, 'xy'))
const sum = (...n) => n.reduce((a, b) => a + b, 0)
R.push(sum(...[1, 2], ...new Set([3]), ...'4'), sum(...[]), sum(1, ...[2]))
var ob = { n: 1, add(...v) { this.n += sum(...v); return this }, self() { return this } }
R.push(ob.add(...[1, 2]).add(...[3]).n, ob.self().add(...[1]).n, ob['add'](...[1],).n)
R.push([...[1, , 3], , 4], [, ...[1]], [...'ab', ...[...'cd']])
R.push({ ...'ab', ...[9], ...null, ...undefined, z: 1, ...{ z: 2, y: { ...{ u: 1 } } } })
