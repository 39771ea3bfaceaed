// A back office of OCPP 1.6 on ocpp-rpc in strict mode, led over stdin and telling what happens on stdout.
//
//   in:  {"id": 1, "station": "CP-1", "action": "Reset", "payload": {"type": "Soft"}}
//   out: {"event": "listening", "port": 40123}
//        {"event": "connected" | "disconnected", "station": "CP-1"}
//        {"event": "frame", "station": "CP-1", "from_station": true, "text": "[2,...]"}
//        {"event": "fault", "station": "CP-1", "kind": "schema" | "frame", "text": "..."}
//        {"event": "answer", "id": 1, "payload": {...}} or {"event": "answer", "id": 1, "error": "NotSupported"}
//
// The end of stdin ends the program.
'use strict';
const readline = require('node:readline');
const { RPCServer, createRPCError } = require('ocpp-rpc');

const stations = new Map();
const transactions = new Map();
const refused = new Set(['BLOCKED']);

function tell(event) {
  process.stdout.write(JSON.stringify(event) + '\n');
}

function card(idTag) {
  return { status: refused.has(idTag) ? 'Blocked' : 'Accepted' };
}

const now = () => new Date().toISOString();

const answers = {
  Authorize: ({ idTag }) => ({ idTagInfo: card(idTag) }),
  BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
  DataTransfer: () => ({ status: 'UnknownVendorId' }),
  DiagnosticsStatusNotification: () => ({}),
  FirmwareStatusNotification: () => ({}),
  Heartbeat: () => ({ currentTime: now() }),
  LogStatusNotification: () => ({}),
  MeterValues: ({ transactionId }) => {
    const known = transactionId === undefined || transactions.has(transactionId);
    if (!known) throw createRPCError('PropertyConstraintViolation', 'unknown transaction');
    return {};
  },
  SecurityEventNotification: () => ({}),
  SignCertificate: () => ({ status: 'Accepted' }),
  SignedFirmwareStatusNotification: () => ({}),
  StartTransaction: (start) => {
    const transactionId = 1000 + transactions.size;
    transactions.set(transactionId, { start, stop: null });
    return { transactionId, idTagInfo: card(start.idTag) };
  },
  StatusNotification: () => ({}),
  StopTransaction: (stop) => {
    const transaction = transactions.get(stop.transactionId);
    if (transaction === undefined) {
      throw createRPCError('PropertyConstraintViolation', 'unknown transaction');
    }
    transaction.stop = stop;
    return stop.idTag === undefined ? {} : { idTagInfo: card(stop.idTag) };
  },
};

const server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });

server.on('client', (client) => {
  const station = client.identity;
  stations.set(station, client);
  tell({ event: 'connected', station });
  client.on('message', ({ message, outbound }) => {
    tell({ event: 'frame', station, from_station: !outbound, text: message.toString() });
  });
  client.on('strictValidationFailure', ({ method, outbound, isCall, error }) => {
    const whose = outbound ? 'ours' : 'its';
    const text = `${whose} ${method} ${isCall ? 'CALL' : 'CALLRESULT'}: ${error.message} ` +
      JSON.stringify(error.details);
    tell({ event: 'fault', station, kind: 'schema', text });
  });
  client.on('badMessage', ({ error, buffer }) => {
    tell({ event: 'fault', station, kind: 'frame', text: `${error.message}: ${buffer}` });
  });
  client.on('close', () => tell({ event: 'disconnected', station }));
  for (const [action, answer] of Object.entries(answers)) {
    client.handle(action, ({ params }) => answer(params));
  }
});

async function call({ id, station, action, payload }) {
  try {
    const answer = await stations.get(station).call(action, payload, { callTimeoutMs: 20000 });
    tell({ event: 'answer', id, payload: answer });
  } catch (error) {
    tell({ event: 'answer', id, error: error.rpcErrorCode || error.message });
  }
}

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', (line) => call(JSON.parse(line)));
orders.on('close', () => process.exit(0));

server.listen(0, '127.0.0.1').then((http) => {
  tell({ event: 'listening', port: http.address().port });
});
