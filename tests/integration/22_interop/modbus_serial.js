// modbus_serial.js server PORT UNIT '{"h:0": [1, 2]}' | read PORT UNIT '[["h", 0, 2], ...]'
// The npm package modbus-serial as slave and as master, over TCP; prints "ready" or the words.
const Modbus = require('modbus-serial');

const [kind, port, unit, json] = process.argv.slice(2);
const content = JSON.parse(json);

function serve() {
  const words = {};
  for (const [where, values] of Object.entries(content)) {
    const [space, first] = where.split(':');
    values.forEach((v, i) => { words[`${space}:${Number(first) + i}`] = v; });
  }
  const from = (space) => (address) => words[`${space}:${address}`] || 0;
  const vector = {
    getHoldingRegister: from('h'), getInputRegister: from('i'),
    getCoil: (a) => Boolean(from('c')(a)), getDiscreteInput: (a) => Boolean(from('d')(a)),
  };
  const server = new Modbus.ServerTCP(vector, { host: '127.0.0.1', port: Number(port),
    unitID: Number(unit) });
  server.on('initialized', () => console.log('ready'));
}

async function read() {
  const client = new Modbus();
  await client.connectTCP('127.0.0.1', { port: Number(port) });
  client.setID(Number(unit));
  client.setTimeout(3000);
  const calls = { h: 'readHoldingRegisters', i: 'readInputRegisters', c: 'readCoils',
    d: 'readDiscreteInputs' };
  const found = [];
  for (const [space, first, count] of content)
    found.push((await client[calls[space]](first, count)).data.slice(0, count).map(Number));
  const identity = await client.readDeviceIdentification(1, 0);
  console.log(JSON.stringify({ found, identity: identity.data }));
  client.close(() => process.exit(0));
}

if (kind === 'server') serve(); else read();
