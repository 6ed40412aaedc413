/* SPDX-License-Identifier: Apache-2.0 */
/*
 * polyfill - what payload codecs expect of an engine and Duktape 2.7 lacks, a clock that stands
 * at the reception of the message, and the calling of a script's functions. ES5; it is run once
 * in every heap, before the script, and keeps the originals of what a script may redefine.
 * Whatever it defines is not enumerable, because scripts use for...in over arrays.
 */
(function (say) {
  'use strict';
  var global = globalThis;
  var defineProperty = Object.defineProperty, isArray = Array.isArray;
  var parse = JSON.parse, stringify = JSON.stringify, NativeDate = global.Date;
  var now = 0, hasTime = false, seed = 1, hasReadNow = false, dropped = [];

  function define(target, members) {
    for (var name in members) {
      if (!Object.prototype.hasOwnProperty.call(target, name)) {
        hide(target, name, members[name]);
      }
    }
  }
  function hide(target, name, value) {
    defineProperty(target, name,
                   { value: value, writable: true, configurable: true, enumerable: false });
  }
  function getter(target, name, get) {
    defineProperty(target, name, { get: get, configurable: true, enumerable: false });
  }

  /* ---- iteration: arrays, strings, maps and sets, as arrays of what they hold ---- */

  function ArrayIterator(list) {
    hide(this, 'list', list);
    hide(this, 'i', 0);
  }
  define(ArrayIterator.prototype, {
    next: function () {
      return this.i < this.list.length ? { value: this.list[this.i++], done: false }
                                       : { value: undefined, done: true };
    }
  });
  hide(ArrayIterator.prototype, Symbol.iterator, function () { return this; });

  function listOf(x) {
    var list = [], i, it, step;
    if (isArray(x)) {
      return x;
    }
    if (x === null || x === undefined) {
      throw new TypeError(x + ' is not iterable');
    }
    if (typeof x === 'string') {
      for (i = 0; i < x.length; i++) {
        var pair = /[\ud800-\udbff]/.test(x[i]) && /[\udc00-\udfff]/.test(x[i + 1] || '');
        list.push(pair ? x[i] + x[++i] : x[i]);
      }
      return list;
    }
    if (typeof x[Symbol.iterator] === 'function') {
      it = x[Symbol.iterator]();
      for (step = it.next(); !step.done; step = it.next()) {
        list.push(step.value);
      }
      return list;
    }
    if (ArrayBuffer.isView(x)) {
      return Array.prototype.slice.call(x);
    }
    throw new TypeError('a value of type ' + typeof x + ' is not iterable');
  }

  /* ---- what a rewritten script calls (lower.h) ---- */

  hide(global, '__sluice_arr', function (x) {
    var isArguments = Object.prototype.toString.call(x) === '[object Arguments]';
    return isArguments ? Array.prototype.slice.call(x) : listOf(x);
  });
  function putOwn(target, key, value) {
    defineProperty(target, key,
                   { value: value, writable: true, configurable: true, enumerable: true });
  }
  hide(global, '__sluice_assign', function (target) {
    for (var i = 1; i < arguments.length; i++) {
      var source = arguments[i], keys = source === null || source === undefined
                                            ? [] : Object.keys(Object(source));
      for (var k = 0; k < keys.length; k++) {
        putOwn(target, keys[k], source[keys[k]]);
      }
    }
    return target;
  });
  hide(global, '__sluice_rest', function (source, without) {
    var rest = {}, keys = Object.keys(Object(source));
    without = without.map(String);
    for (var k = 0; k < keys.length; k++) {
      if (without.indexOf(keys[k]) < 0) {
        putOwn(rest, keys[k], source[keys[k]]);
      }
    }
    return rest;
  });

  function count(n) {
    n = Math.trunc(Number(n));
    return n === n ? n : 0;
  }
  function from(x, map, self) {
    var isLike = x !== null && x !== undefined && typeof x !== 'string' &&
                 typeof x[Symbol.iterator] !== 'function';
    var source = isLike ? x : listOf(x), list = [], n = count(source.length);
    for (var i = 0; i < n; i++) { /* holes become undefined */
      list.push(map ? map.call(self, source[i], i) : source[i]);
    }
    return list;
  }
  define(Array, {
    from: from,
    of: function () { return Array.prototype.slice.call(arguments); }
  });

  /* ---- arrays ---- */

  function same(a, b) {
    return a === b || (a !== a && b !== b);
  }
  function bound(i, length, otherwise) {
    i = i === undefined ? otherwise : count(i);
    return i < 0 ? Math.max(length + i, 0) : Math.min(i, length);
  }
  function search(list, test, self, step) {
    for (var k = 0, i = step > 0 ? 0 : list.length - 1; k < list.length; k++, i += step) {
      if (test.call(self, list[i], i, list)) {
        return i;
      }
    }
    return -1;
  }
  function flatten(list, depth, into) {
    for (var i = 0; i < list.length; i++) {
      if (depth > 0 && isArray(list[i])) {
        flatten(list[i], depth - 1, into);
      } else if (i in list) {
        into.push(list[i]);
      }
    }
    return into;
  }
  var sequence = { /* of arrays and typed arrays alike */
    includes: function (x, start) {
      for (var i = bound(start, this.length, 0); i < this.length; i++) {
        if (same(this[i], x)) {
          return true;
        }
      }
      return false;
    },
    find: function (test, self) {
      var i = search(this, test, self, 1);
      return i < 0 ? undefined : this[i];
    },
    findIndex: function (test, self) { return search(this, test, self, 1); },
    findLast: function (test, self) {
      var i = search(this, test, self, -1);
      return i < 0 ? undefined : this[i];
    },
    findLastIndex: function (test, self) { return search(this, test, self, -1); },
    fill: function (x, start, end) {
      end = bound(end, this.length, this.length);
      for (var i = bound(start, this.length, 0); i < end; i++) {
        this[i] = x;
      }
      return this;
    },
    at: function (i) {
      i = count(i);
      return this[i < 0 ? this.length + i : i];
    },
    keys: function () {
      return new ArrayIterator(from(this, function (x, i) { return i; }));
    },
    values: function () { return new ArrayIterator(this); },
    entries: function () {
      return new ArrayIterator(from(this, function (x, i) { return [i, x]; }));
    }
  };
  define(Array.prototype, sequence);
  hide(Array.prototype, Symbol.iterator, Array.prototype.values);
  define(Array.prototype, {
    flat: function (depth) {
      return flatten(this, depth === undefined ? 1 : count(depth), []);
    },
    flatMap: function (map, self) { return flatten(this.map(map, self), 1, []); }
  });

  ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array',
   'Uint32Array', 'Float32Array', 'Float64Array'].forEach(function (name) {
    var Typed = global[name], methods = Typed.prototype;
    function typed(method) {
      return function () { return new Typed(method.apply(from(this), arguments)); };
    }
    ['forEach', 'indexOf', 'lastIndexOf', 'join', 'reverse', 'every', 'some', 'reduce',
     'reduceRight'].forEach(function (borrowed) {
      hide(methods, borrowed, Array.prototype[borrowed]);
    });
    ['slice', 'map', 'filter'].forEach(function (borrowed) {
      hide(methods, borrowed, typed(Array.prototype[borrowed]));
    });
    define(methods, sequence);
    hide(methods, 'sort', function (compare) {
      this.set(from(this).sort(compare || function (a, b) { return a - b; }));
      return this;
    });
    hide(methods, 'toString', Array.prototype.toString);
    hide(methods, Symbol.iterator, methods.values);
    define(Typed, {
      from: function (x, map, self) { return new Typed(from(x, map, self)); },
      of: function () { return new Typed(Array.prototype.slice.call(arguments)); }
    });
  });

  /* ---- objects, numbers ---- */

  define(Object, {
    entries: function (o) { return Object.keys(o).map(function (k) { return [k, o[k]]; }); },
    values: function (o) { return Object.keys(o).map(function (k) { return o[k]; }); },
    fromEntries: function (list) {
      var o = {};
      listOf(list).forEach(function (pair) { o[pair[0]] = pair[1]; });
      return o;
    },
    hasOwn: function (o, k) { return Object.prototype.hasOwnProperty.call(o, k); },
    getOwnPropertyDescriptors: function (o) {
      var all = {};
      Object.getOwnPropertyNames(o).forEach(function (k) {
        all[k] = Object.getOwnPropertyDescriptor(o, k);
      });
      return all;
    }
  });
  define(Math, {
    fround: function (x) { return new Float32Array([x])[0]; },
    sinh: function (x) { return (Math.exp(x) - Math.exp(-x)) / 2; },
    cosh: function (x) { return (Math.exp(x) + Math.exp(-x)) / 2; },
    tanh: function (x) {
      var a = Math.exp(2 * x);
      return a === Infinity ? 1 : (a - 1) / (a + 1);
    }
  });

  /* ---- strings ---- */

  function pad(text, length, filler) {
    var missing = count(length) - text.length;
    filler = filler === undefined ? ' ' : String(filler);
    return missing > 0 && filler
               ? filler.repeat(Math.ceil(missing / filler.length)).slice(0, missing) : '';
  }
  define(String.prototype, {
    padStart: function (length, filler) { return pad(String(this), length, filler) + this; },
    padEnd: function (length, filler) { return this + pad(String(this), length, filler); },
    trimStart: function () { return String(this).replace(/^[\s\ufeff]+/, ''); },
    trimEnd: function () { return String(this).replace(/[\s\ufeff]+$/, ''); },
    replaceAll: function (what, by) {
      if (what instanceof RegExp) {
        return String(this).replace(what, by);
      }
      what = String(what);
      return String(this).split(what).join(
          typeof by === 'function' ? by(what) : String(by).replace(/\$\$/g, '$'));
    },
    at: function (i) {
      i = count(i);
      return this[i < 0 ? this.length + i : i];
    },
    normalize: function () { return String(this); }
  });
  define(String.prototype, {
    trimLeft: String.prototype.trimStart,
    trimRight: String.prototype.trimEnd
  });
  hide(String.prototype, Symbol.iterator,
       function () { return new ArrayIterator(listOf(String(this))); });

  var digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  function base64ToBytes(text) {
    var bytes = [], bits = 0, n = 0;
    text = String(text).replace(/[\t\n\f\r ]/g, '').replace(/-/g, '+').replace(/_/g, '/');
    text = text.replace(/={1,2}$/, '');
    for (var i = 0; i < text.length; i++) {
      var digit = digits.indexOf(text[i]);
      if (digit < 0 || (i === text.length - 1 && n === 0)) {
        throw new Error('the text is no base64');
      }
      bits = (bits << 6 | digit) & 0xffff;
      n += 6;
      if (n >= 8) {
        n -= 8;
        bytes.push(bits >> n & 0xff);
      }
    }
    return bytes;
  }
  function bytesToBase64(bytes) {
    var text = '';
    for (var i = 0; i < bytes.length; i += 3) {
      var bits = bytes[i] << 16 | (bytes[i + 1] || 0) << 8 | (bytes[i + 2] || 0);
      text += digits[bits >> 18] + digits[bits >> 12 & 63] +
              (i + 1 < bytes.length ? digits[bits >> 6 & 63] : '=') +
              (i + 2 < bytes.length ? digits[bits & 63] : '=');
    }
    return text;
  }
  function bytesToLatin1(bytes) {
    var text = '';
    for (var i = 0; i < bytes.length; i++) {
      text += String.fromCharCode(bytes[i]);
    }
    return text;
  }
  function latin1ToBytes(text) {
    return Array.prototype.map.call(text, function (c) { return c.charCodeAt(0) & 0xff; });
  }
  define(global, {
    atob: function (text) { return bytesToLatin1(base64ToBytes(text)); },
    btoa: function (text) { return bytesToBase64(latin1ToBytes(String(text))); }
  });

  /* ---- maps and sets: few entries, so a list is searched ---- */

  function Map(source) {
    hide(this, '_keys', []);
    hide(this, '_values', []);
    listOf(source || []).forEach(function (pair) { this.set(pair[0], pair[1]); }, this);
  }
  function Set(source) {
    hide(this, '_keys', []);
    this._values = this._keys; /* a set is a map onto itself */
    listOf(source || []).forEach(function (x) { this.add(x); }, this);
  }
  function place(keys, key) {
    return key === key ? keys.indexOf(key) : search(keys, same.bind(null, key), null, 1);
  }
  [Map, Set].forEach(function (Type) {
    define(Type.prototype, {
      has: function (key) { return place(this._keys, key) >= 0; },
      'delete': function (key) {
        var i = place(this._keys, key);
        if (i >= 0) {
          this._keys.splice(i, 1);
          if (this._values !== this._keys) {
            this._values.splice(i, 1);
          }
        }
        return i >= 0;
      },
      clear: function () { this._keys.length = this._values.length = 0; },
      forEach: function (f, self) {
        for (var i = 0; i < this._keys.length; i++) {
          f.call(self, this._values[i], this._keys[i], this);
        }
      },
      keys: function () { return new ArrayIterator(this._keys); },
      values: function () { return new ArrayIterator(this._values); },
      entries: function () {
        var values = this._values;
        return new ArrayIterator(this._keys.map(function (k, i) { return [k, values[i]]; }));
      }
    });
    getter(Type.prototype, 'size', function () { return this._keys.length; });
  });
  define(Map.prototype, {
    get: function (key) {
      var i = place(this._keys, key);
      return i < 0 ? undefined : this._values[i];
    },
    set: function (key, value) {
      var i = place(this._keys, key);
      if (i < 0) {
        i = this._keys.push(key) - 1;
      }
      this._values[i] = value;
      return this;
    }
  });
  define(Set.prototype, {
    add: function (x) {
      if (!this.has(x)) {
        this._keys.push(x);
      }
      return this;
    }
  });
  hide(Map.prototype, Symbol.iterator, Map.prototype.entries);
  hide(Set.prototype, Symbol.iterator, Set.prototype.values);
  define(global, { Map: Map, Set: Set });

  /* ---- dates: UTC, and the present is the reception of the message ---- */

  var days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  var months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

  function two(n) {
    return pad(String(n), 2, '0') + n;
  }
  function clockText(d) {
    return two(d.getUTCHours()) + ':' + two(d.getUTCMinutes()) + ':' + two(d.getUTCSeconds());
  }
  function yearText(d) {
    var year = String(Math.abs(d.getUTCFullYear()));
    return (d.getUTCFullYear() < 0 ? '-00' : '') + pad(year, 4, '0') + year;
  }
  function isInvalid(d) {
    return d.getTime() !== d.getTime();
  }
  function dateText(d) {
    return days[d.getUTCDay()] + ' ' + months[d.getUTCMonth()] + ' ' + two(d.getUTCDate()) + ' ' +
           yearText(d);
  }
  function toUTCString() {
    return isInvalid(this) ? 'Invalid Date'
                           : days[this.getUTCDay()] + ', ' + two(this.getUTCDate()) + ' ' +
                                 months[this.getUTCMonth()] + ' ' + yearText(this) + ' ' +
                                 clockText(this) + ' GMT';
  }
  hide(NativeDate.prototype, 'toUTCString', toUTCString);
  hide(NativeDate.prototype, 'toGMTString', toUTCString);
  hide(NativeDate.prototype, 'toDateString',
       function () { return isInvalid(this) ? 'Invalid Date' : dateText(this); });
  hide(NativeDate.prototype, 'toString', function () {
    return isInvalid(this) ? 'Invalid Date'
                           : dateText(this) + ' ' + clockText(this) +
                                 ' GMT+0000 (Coordinated Universal Time)';
  });

  function present() {
    hasReadNow = true;
    return now;
  }
  function Date(y, m, d, h, min, s, ms) {
    if (!(this instanceof Date)) {
      return new NativeDate(present()).toString();
    }
    switch (arguments.length) {
    case 0: return new NativeDate(present());
    case 1: return new NativeDate(y);
    case 2: return new NativeDate(y, m);
    case 3: return new NativeDate(y, m, d);
    case 4: return new NativeDate(y, m, d, h);
    case 5: return new NativeDate(y, m, d, h, min);
    case 6: return new NativeDate(y, m, d, h, min, s);
    default: return new NativeDate(y, m, d, h, min, s, ms);
    }
  }
  Date.prototype = NativeDate.prototype;
  hide(NativeDate.prototype, 'constructor', Date);
  hide(Date, 'UTC', NativeDate.UTC);
  hide(Date, 'parse', NativeDate.parse);
  hide(Date, 'now', present);
  hide(global, 'Date', Date);

  /* The same numbers for the same message. */
  hide(Math, 'random', function () {
    hasReadNow = true;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) / 4294967296;
  });

  /* ---- Buffer, as far as codecs written for Node use it ---- */

  function textToBytes(text, encoding) {
    switch (String(encoding || 'utf8').toLowerCase()) {
    case 'hex':
      text = text.match(/^(?:[0-9a-fA-F]{2})*/)[0];
      return (text.match(/../g) || []).map(function (two) { return parseInt(two, 16); });
    case 'base64':
    case 'base64url':
      return base64ToBytes(text);
    case 'ascii':
    case 'latin1':
    case 'binary':
      return latin1ToBytes(text);
    default:
      return Array.prototype.slice.call(new TextEncoder().encode(text));
    }
  }
  function bytesToText(bytes, encoding) {
    switch (String(encoding || 'utf8').toLowerCase()) {
    case 'hex':
      return from(bytes, function (b) { return (b < 16 ? '0' : '') + b.toString(16); }).join('');
    case 'base64':
      return bytesToBase64(bytes);
    case 'ascii':
      return bytesToLatin1(from(bytes, function (b) { return b & 0x7f; }));
    case 'latin1':
    case 'binary':
      return bytesToLatin1(bytes);
    default:
      return new TextDecoder().decode(new Uint8Array(from(bytes)));
    }
  }
  function bufferOf(bytes) {
    return Object.setPrototypeOf(new Uint8Array(bytes), Buffer.prototype);
  }
  function Buffer(x, encoding) {
    return typeof x === 'number' ? bufferOf(x) : Buffer.from(x, encoding);
  }
  Buffer.prototype = Object.create(Uint8Array.prototype);
  hide(Buffer.prototype, 'constructor', Buffer);
  define(Buffer, {
    from: function (x, encoding) {
      return bufferOf(typeof x === 'string'          ? textToBytes(x, encoding)
                      : x instanceof ArrayBuffer     ? from(new Uint8Array(x))
                      : x && isArray(x.data)         ? x.data
                                                     : from(x));
    },
    alloc: function (n, filler) { return bufferOf(n).fill(filler || 0); },
    allocUnsafe: function (n) { return bufferOf(n); },
    concat: function (list) {
      return bufferOf(list.reduce(function (all, b) { return all.concat(from(b)); }, []));
    },
    isBuffer: function (x) { return x instanceof Buffer; },
    byteLength: function (x, encoding) { return Buffer.from(x, encoding).length; }
  });
  hide(Buffer.prototype, 'slice',
       function (start, end) { return bufferOf(Array.prototype.slice.call(this, start, end)); });
  hide(Buffer.prototype, 'subarray', Buffer.prototype.slice);
  hide(Buffer.prototype, 'toString', function (encoding, start, end) {
    return bytesToText(Array.prototype.slice.call(this, start || 0, end), encoding);
  });
  hide(Buffer.prototype, 'toJSON', function () { return { type: 'Buffer', data: from(this) }; });
  hide(Buffer.prototype, 'equals', function (other) {
    return this.length === other.length && bytesToText(this, 'hex') === bytesToText(other, 'hex');
  });
  hide(Buffer.prototype, 'write', function (text, at, length, encoding) {
    var bytes = textToBytes(text, encoding);
    for (var i = 0; i < bytes.length && (at || 0) + i < this.length; i++) {
      this[(at || 0) + i] = bytes[i];
    }
    return i;
  });

  [['Int8', 1], ['UInt8', 1], ['Int16', 2], ['UInt16', 2], ['Int32', 4], ['UInt32', 4],
   ['Float', 4], ['Double', 8]].forEach(function (kind) {
    var size = kind[1];
    var method = kind[0].replace('UInt', 'Uint').replace('Float', 'Float32')
                     .replace('Double', 'Float64');
    function view(buffer, at) {
      at = at === undefined ? 0 : at;
      if (typeof at !== 'number' || at !== Math.floor(at) || at < 0 || at + size > buffer.length) {
        throw new RangeError('offset ' + at + ' is outside of a Buffer of ' + buffer.length +
                             ' bytes');
      }
      return new DataView(buffer.buffer, buffer.byteOffset + at, size);
    }
    (size === 1 ? [''] : ['LE', 'BE']).forEach(function (order) {
      function read(at) { return view(this, at)['get' + method](0, order === 'LE'); }
      function write(x, at) {
        view(this, at)['set' + method](0, x, order === 'LE');
        return (at || 0) + size;
      }
      [kind[0], kind[0].replace('UInt', 'Uint')].forEach(function (name) {
        hide(Buffer.prototype, 'read' + name + order, read);
        hide(Buffer.prototype, 'write' + name + order, write);
      });
    });
  });
  function readInteger(isLittle, isSigned) {
    return function (at, size) {
      var x = 0;
      if (!(size >= 1 && size <= 6) || !(at >= 0) || at + size > this.length) {
        throw new RangeError('offset ' + at + ' is outside of the Buffer');
      }
      for (var i = 0; i < size; i++) {
        x = x * 256 + this[isLittle ? at + size - 1 - i : at + i];
      }
      return isSigned && x >= Math.pow(2, 8 * size - 1) ? x - Math.pow(2, 8 * size) : x;
    };
  }
  hide(Buffer.prototype, 'readUIntLE', readInteger(true, false));
  hide(Buffer.prototype, 'readUIntBE', readInteger(false, false));
  hide(Buffer.prototype, 'readIntLE', readInteger(true, true));
  hide(Buffer.prototype, 'readIntBE', readInteger(false, true));
  hide(global, 'Buffer', Buffer);

  /* ---- the console ---- */

  function shown(x) {
    if (typeof x === 'string') {
      return x;
    }
    try {
      return (typeof x === 'object' && !(x instanceof Error) && stringify(x)) || String(x);
    } catch (e) {
      return '[' + typeof x + ']';
    }
  }
  var console = {};
  ['log', 'warn', 'error', 'info', 'debug', 'trace'].forEach(function (level) {
    hide(console, level, function () { say(from(arguments, shown).join(' ')); });
  });
  hide(global, 'console', console);

  /* ---- modules: what a script exports is looked up like its globals ---- */

  var module = { exports: {} }, exported = module.exports;
  hide(global, 'module', module);
  hide(global, 'exports', exported);

  delete global.Duktape;
  delete global.CBOR;
  delete global.performance;

  /* ---- calling ---- */

  var routines = ['decodeUplink', 'encodeDownlink', 'decodeDownlink'];
  var functions = routines.concat('Decode', 'Decoder');

  function functionNamed(name) {
    var f = global[name];
    if (typeof f !== 'function') {
      f = module.exports && module.exports[name];
    }
    return typeof f === 'function' ? f : undefined;
  }
  function finite(key, value) {
    if (typeof value === 'number' && !(value - value === 0)) {
      dropped[dropped.length] = String(key);
      return undefined;
    }
    return value;
  }
  function nameOf(x) {
    return x === undefined ? 'nothing' : x === null ? 'null' : isArray(x) ? 'an array'
                                                             : 'a ' + typeof x;
  }
  /* JSON, with a warning for every number that JSON does not know. */
  function textOf(name, result) {
    if (typeof result !== 'object' || result === null || isArray(result)) {
      throw new TypeError(name + ' returned ' + nameOf(result) + ' instead of an object');
    }
    dropped = [];
    var text = stringify(result, finite);
    if (typeof text !== 'string') {
      throw new TypeError(name + ' returned what is no JSON');
    }
    if (dropped.length > 0) {
      result = parse(text);
      result.warnings = (isArray(result.warnings) ? result.warnings : []).concat(
          dropped.map(function (key) {
            return key + ' is not a finite number and was left out';
          }));
      text = stringify(result);
    }
    return text;
  }
  function call(routine, fPort, bytes, variables, data, more) {
    var name = routines[routine], f = functionNamed(name);
    var input = routine === 1 ? { data: parse(data) }
                              : { bytes: bytes, fPort: fPort };
    if (routine !== 1 && hasTime) {
      input.recvTime = new NativeDate(now);
    }
    input.variables = parse(variables);
    more = parse(more);
    for (var key in more) {
      input[key] = more[key];
    }
    if (f) {
      return textOf(name, f(input));
    }
    if (routine === 0 && (f = functionNamed('Decode'))) {
      return textOf('Decode', { data: f(fPort, bytes, input.variables) });
    }
    if (routine === 0 && (f = functionNamed('Decoder'))) {
      return textOf('Decoder', { data: f(bytes, fPort) });
    }
    throw new ReferenceError('it has no function ' + name);
  }

  /* ---- nothing is carried over from message to message ---- */

  var namesOf = Object.getOwnPropertyNames;
  var own = namesOf(global), kept = null;

  /* Small tables as text; of larger ones `sluice codec check` finds out. */
  function textOfTable(x) {
    try {
      var text = typeof x === 'object' && x !== null ? stringify(x) : undefined;
      return typeof text === 'string' && text.length <= 2048 ? text : undefined;
    } catch (e) {
      return undefined;
    }
  }
  function keep() {
    kept = Object.create(null);
    namesOf(global).forEach(function (name) {
      var x = global[name];
      kept[name] = { value: x, text: own.indexOf(name) < 0 ? textOfTable(x) : undefined };
    });
  }
  /* True: the script has changed what cannot be put back. */
  function isSpoilt() {
    var names = namesOf(global), spoilt = false;
    for (var i = 0; i < names.length; i++) {
      var k = kept[names[i]];
      if (!k) {
        spoilt = !delete global[names[i]] || spoilt;
        continue;
      }
      if (!same(global[names[i]], k.value)) {
        global[names[i]] = k.value;
      }
      spoilt = spoilt || (k.text !== undefined && textOfTable(k.value) !== k.text);
    }
    return spoilt;
  }

  return {
    keep: keep,
    isSpoilt: isSpoilt,
    begin: function (ms) {
      hasTime = ms === ms;
      now = hasTime ? ms : 0;
      seed = (now ^ now / 4294967296) | 0 || 1;
      hasReadNow = false;
    },
    call: call,
    list: function () { return stringify({ functions: functions.filter(functionNamed) }); },
    /* Its top level depends on when it ran: the heap cannot serve another message. */
    hasReadNow: function () { return hasReadNow; }
  };
})
