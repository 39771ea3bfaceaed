// A back office on ocpp-rpc in strict mode, led over stdin and telling what happens on stdout.
//
// The argument is JSON: {"protocol": "ocpp1.6" or "ocpp2.0.1", "password": what stations show in Basic Auth,
// "tls": {"certificate", "key", "clients" (files; the last one: who signed the certificates of stations)}}
//
//   in:  {"id": 1, "station": "CP-1", "action": "Reset", "payload": {"type": "Soft"}}
//        {"id": 2, "station": "CP-1", "raw": "[2,"}
//   out: {"event": "listening", "port": 40123}
//        {"event": "login", "station": "CP-1", "password": "..." or null, "certificate": "CP-1" or null}
//        {"event": "connected" | "disconnected", "station": "CP-1"}
//        {"event": "frame", "station": "CP-1", "from_station": true, "text": "[2,...]"}
//        {"event": "fault", "station": "CP-1", "kind": "schema" | "frame", "text": "..."}
//        {"event": "answer", "id": 1, "payload": {...}} or {"event": "answer", "id": 1, "error": "NotSupported"}
//
// The end of stdin ends the program.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const readline = require('node:readline');
const { RPCServer, createRPCError } = require('ocpp-rpc');

const settings = JSON.parse(process.argv[2] || '{}');
const protocol = settings.protocol || 'ocpp1.6';
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

const answers16 = {
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

const nothing = () => ({});

const answers201 = {
  Authorize: ({ idToken }) => ({ idTokenInfo: card(idToken.idToken) }),
  BootNotification: answers16.BootNotification,
  ClearedChargingLimit: nothing,
  DataTransfer: answers16.DataTransfer,
  FirmwareStatusNotification: nothing,
  Heartbeat: answers16.Heartbeat,
  LogStatusNotification: nothing,
  MeterValues: nothing,
  NotifyEvent: nothing,
  NotifyReport: nothing,
  ReservationStatusUpdate: nothing,
  SecurityEventNotification: nothing,
  SignCertificate: answers16.SignCertificate,
  StatusNotification: nothing,
  TransactionEvent: ({ eventType, seqNo, transactionInfo, idToken }) => {
    const id = transactionInfo.transactionId;
    const due = transactions.get(id) || 0;
    if (seqNo !== due || (eventType === 'Started') !== (due === 0)) {
      throw createRPCError('PropertyConstraintViolation', `seqNo ${seqNo} where ${due} is due`);
    }
    transactions.set(id, due + 1);
    return idToken === undefined ? {} : { idTokenInfo: card(idToken.idToken) };
  },
};

const answers = protocol === 'ocpp1.6' ? answers16 : answers201;
const server = new RPCServer({ protocols: [protocol], strictMode: true });

server.auth((accept, reject, { identity, password, request }) => {
  const certificate = settings.tls && settings.tls.clients ? request.socket.getPeerCertificate() : null;
  const shown = password === undefined ? null : password.toString();
  const owner = certificate && certificate.subject ? certificate.subject.CN : null;
  tell({ event: 'login', station: identity, password: shown, certificate: owner });
  if (settings.password !== undefined && shown !== settings.password) reject(401);
  else accept();
});

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

async function call({ id, station, action, payload, raw }) {
  try {
    if (raw !== undefined) {
      stations.get(station).sendRaw(raw);
      tell({ event: 'answer', id, payload: {} });
      return;
    }
    const answer = await stations.get(station).call(action, payload, { callTimeoutMs: 20000 });
    tell({ event: 'answer', id, payload: answer });
  } catch (error) {
    tell({ event: 'answer', id, error: error.rpcErrorCode || error.message });
  }
}

const orders = readline.createInterface({ input: process.stdin });
orders.on('line', (line) => call(JSON.parse(line)));
orders.on('close', () => process.exit(0));

function listener() {
  if (!settings.tls) return http.createServer();
  const { certificate, key, clients } = settings.tls;
  const context = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
  const asks = clients ? { ca: fs.readFileSync(clients), requestCert: true } : {};
  return https.createServer({ ...context, ...asks });
}

const web = listener();
web.on('upgrade', server.handleUpgrade);
web.listen(0, '127.0.0.1', () => tell({ event: 'listening', port: web.address().port }));
