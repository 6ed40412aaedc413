var R = [];
function f1() { if (true) { let x = 1; } { const x = 2; R.push(x) } try { x } catch (e) { R.push(e.name) } }
f1();
let i = 100; for (let i = 0; i < 2; i++) { let i = 7; R.push(i) } R.push(i)
var fs = [];
for (let i = 0; i < 5; i++) { if (i == 1) continue; if (i == 3) break; fs.push(() => i); i += 0; }
R.push(fs.map(f => f()));
function f2() { for (let i = 0; i < 5; i++) { const j = i * 2; if (j == 4) return () => i + j; } }
R.push(f2()());
function f3() { for (const v of [1, 2, 3]) { for (const w of [10, 20]) { if (w == 20) continue; if (v == 3) return [v, (() => v + w)()]; } } }
R.push(f3());
fs = []; for (let i = 0; i < 6; i++) { fs.push(() => i); i++; } R.push(fs.map(f => f()), 'assigned');
fs = []; for (let i = 0, n = 3; i < n; i++) fs.push(() => i + n); R.push(fs.map(f => f()));
fs = []; let k = 0; do { let z = k * 2; fs.push(() => z++); k++ } while (k < 3); R.push(fs.map(f => f() + f()));
fs = []; for (const k in { a: 1, b: 2 }) fs.push(() => k); R.push(fs.map(f => f()));
fs = []; for (const [a, { b = a }] of [[1, {}], [2, { b: 5 }]]) fs.push(() => a + b); R.push(fs.map(f => f()));
fs = []; for (let q = 0; q < 3; q++) { switch (q) { case 0: let t = q; fs.push(() => t); break; case 1: let u = 'u'; fs.push(() => u); continue; default: fs.push(() => q) } } R.push(fs.map(f => f()));
fs = []; for (let q = 0; q < 2; q++) { let a, b = q, c; fs.push(() => [a, b]); a = q + 5; c = 1 } R.push(fs.map(f => f()));
l1: for (let a = 0; a < 3; a++) { l2: for (let b = 0; b < 3; b++) { fs.push(() => a + b); if (b == 1) continue l1; if (a == 2) break l1; } }
R.push(fs.length);
for (var m of 'a\u{1F600}b') R.push(m); for (const b of new Uint8Array([1, 300])) R.push(b);
for (const x of new Set([3, 3, 4])) R.push(x); for (const [k, v] of Object.entries({ p: 1 })) R.push(k, v);
(function () { for (const a of arguments) R.push(a) })(8, 9);
