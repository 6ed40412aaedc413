// SPDX-License-Identifier: Apache-2.0
// Makes frames with lora-packet: cases as a JSON array on standard input, answers on standard
// output. Its quirks are undone here: in 1.1 it neither encrypts FOpts nor signs a frame without
// FPort, swaps the bytes of ConfFCnt of uplinks in the caller's buffer, counts ConfFCnt of
// downlinks without ACK, and expects the JoinEUI of an accept under another name.
"use strict";
const lora = require("lora-packet");
const crypto = require("lora-packet/out/lib/crypto");

const hex = (text) => Buffer.from(text || "", "hex");

function le16(x) {
    const b = Buffer.alloc(2);
    b.writeUInt16LE(x & 0xffff);
    return b;
}

function data(c) {
    const high = le16(c.fcnt >>> 16);
    const p = lora.fromFields({
        MType: c.mtype, DevAddr: hex(c.dev_addr), FCtrl: c.fctrl, FCnt: c.fcnt & 0xffff,
        FOpts: hex(c.fopts), FPort: c.port === null ? undefined : c.port,
        payload: hex(c.payload),
    });
    const is11 = c.version === "1.1";
    const nwk = hex(is11 ? c.keys["nwk-s-enc-key"] : c.keys["nwk-skey"]);
    if (is11)
        p.FOpts = crypto.decryptFOpts(p, nwk, high);
    if (c.payload)
        p.FRMPayload = crypto.decrypt(p, hex(c.keys["app-skey"]), nwk, high);
    p._mergeGroupFields();
    if (!is11) {
        lora.recalculateMIC(p, nwk, null, high);
        return p;
    }
    const conf = c.fctrl.ACK ? le16(c.conf_fcnt) : le16(0);
    const context = c.mtype % 2 === 0
        ? Buffer.concat([conf.reverse(), Buffer.from([c.tx_dr, c.tx_ch])]) : conf;
    lora.recalculateMIC(p, hex(c.keys["f-nwk-s-int-key"]), hex(c.keys["s-nwk-s-int-key"]), high,
        context);
    return p;
}

function request(c) {
    return lora.fromFields({
        MType: 0, AppEUI: hex(c.join_eui), DevEUI: hex(c.dev_eui), DevNonce: le16(c.dev_nonce).reverse(),
    }, null, null, hex(c.keys["nwk-key"] || c.keys["app-key"]));
}

function accept(c) {
    const is11 = c.version === "1.1";
    const app = hex(c.keys["app-key"]), nwk = hex(c.keys["nwk-key"]);
    const eui = hex(c.join_eui), nonce = le16(c.dev_nonce).reverse();
    const p = lora.fromFields({
        MType: 1, AppNonce: hex(c.join_nonce), NetID: hex(c.net_id), DevAddr: hex(c.dev_addr),
        DLSettings: Buffer.from([c.dl_settings]), RxDelay: Buffer.from([c.rx_delay]),
        CFList: hex(c.cf_list), AppEUI: eui, DevNonce: nonce,
    });
    if (is11) {
        p.JoinEUI = eui;
        lora.recalculateMIC(p, lora.generateJSKeys(nwk, hex(c.dev_eui)).JSIntKey, app);
    } else {
        lora.recalculateMIC(p, null, app);
    }
    p._mergeGroupFields();
    lora.decryptJoin(p, is11 ? nwk : app).copy(p.MACPayloadWithMIC);
    p.session = is11 ? lora.generateSessionKeys11(app, nwk, eui, hex(c.join_nonce), nonce)
        : lora.generateSessionKeys10(app, hex(c.net_id), hex(c.join_nonce), nonce);
    return p;
}

const makers = { data, request, accept };
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = cases.map((c) => {
    const p = makers[c.kind](c);
    const session = {};
    for (const name in p.session || {})
        session[name] = p.session[name].toString("hex");
    return { phy: p.PHYPayload.toString("hex"), session };
});
process.stdout.write(JSON.stringify(answers));
