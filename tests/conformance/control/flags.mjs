// What the servers of both sides take on their command line (servers.h has the same list), as engine.io's options.
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const string = (value) => ({ type: 'string', default: value });
const boolean = { type: 'boolean', default: false };

const { values } = parseArgs({
  options: {
    port: string('3000'),
    'ping-interval': string('300'),
    'ping-timeout': string('200'),
    'upgrade-timeout': string('10000'),
    'connect-timeout': string('1000'),
    'max-payload': string('1000000'),
    transports: string('polling,websocket'),
    cors: string('*'), // origins, separated by commas; empty: none
    credentials: boolean,
    cookie: boolean,
    eio3: boolean,
    deflate: string('off'),
    'no-compression': boolean,
    'no-upgrades': boolean,
    recovery: string('0'), // maxDisconnectionDuration, 0: off
    'ask-again': boolean, // middlewares, about who comes back
    'serve-client': string(''), // limpet's is a folder
  },
});

const number = (name) => Number(values[name]);
const origins = values.cors.split(',').filter(Boolean);
const noTakeover = { serverNoContextTakeover: true, clientNoContextTakeover: true };

export const options = {
  pingInterval: number('ping-interval'),
  pingTimeout: number('ping-timeout'),
  upgradeTimeout: number('upgrade-timeout'),
  connectTimeout: number('connect-timeout'),
  maxPayload: number('max-payload'), // said in vain by the suites' own servers; what counts is the next line
  maxHttpBufferSize: number('max-payload'),
  transports: values.transports.split(','),
  allowUpgrades: !values['no-upgrades'],
  allowEIO3: values.eio3,
  cookie: values.cookie,
  httpCompression: values['no-compression'] ? false : { threshold: 1024 },
  perMessageDeflate: { off: false, shared: { threshold: 0, ...noTakeover }, dedicated: { threshold: 0 } }[values.deflate],
  ...(origins.length && { cors: { origin: origins[0] === '*' ? '*' : origins, credentials: values.credentials } }),
  ...(number('recovery') && { connectionStateRecovery: { maxDisconnectionDuration: number('recovery'), skipMiddlewares: !values['ask-again'] } }),
  serveClient: values['serve-client'] !== '',
};

// An HTTP server that says where it listens.
export function listening() {
  const http = createServer((request, response) => {
    response.writeHead(404).end();
  });
  http.listen(number('port'), '127.0.0.1', () => console.log(`listening on 127.0.0.1:${http.address().port}`));
  process.on('SIGTERM', () => process.exit(0));
  return http;
}
