// serveClient: the official client's bundles, as Node.js's server gives them.
//
// Apart from that server, limpet says Vary, and repeats the fields on a 304, as RFC 9110 asks (15.4.5); it has no br, so
// that nobody is asked here who would get it.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { gunzipSync, inflateSync } from 'node:zlib';
import { request } from '../e2e/lib/limpet.mjs';
import { sameOnBothSides } from './lib/compare.mjs';

const folder = fileURLToPath(new URL('node_modules/socket.io-client/dist', import.meta.url));
const bundles = ['', '.min', '.esm.min', '.msgpack.min'].flatMap((kind) => [`socket.io${kind}.js`, `socket.io${kind}.js.map`]);
const decode = { gzip: gunzipSync, deflate: inflateSync, undefined: (body) => body };
const apart = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding', 'vary'];

const ask = async (server, target, options) => {
  const { status, headers, bytes } = await request(server.address, `/socket.io/${target}`, options);
  const plain = bytes.length ? decode[headers['content-encoding']](bytes) : bytes;
  const counted = Object.entries(headers).filter(([name]) => status !== 304 && !apart.includes(name));
  const hash = createHash('sha256').update(plain).digest('hex');
  return { status, fields: counted.map(([name, value]) => `${name}: ${value}`).sort(), length: plain.length, hash };
};
const accepting = (encodings, more) => ({ headers: { 'Accept-Encoding': encodings, ...more } });

sameOnBothSides('the client', ['app_server', '--cors', '', '--serve-client', folder], (same) => {
  for (const bundle of bundles) {
    same(bundle, (server) => ask(server, bundle));
    same(`HEAD of ${bundle}`, (server) => ask(server, bundle, { method: 'HEAD' }));
    same(`${bundle}, compressed`, (server) => ask(server, bundle, accepting('gzip, deflate')));
  }
  same('with a query', (server) => ask(server, 'socket.io.js?v=1'));
  for (const encodings of ['deflate', 'deflate, gzip;q=0.5', 'gzip;q=0', 'identity', 'GZIP']) {
    same(`Accept-Encoding: ${encodings}`, (server) => ask(server, 'socket.io.min.js', accepting(encodings)));
  }
  for (const tag of ['"4.8.4"', 'W/"4.8.4"', '"4.8.3"', '4.8.4', '']) {
    same(`If-None-Match: ${tag}`, (server) => ask(server, 'socket.io.js', { headers: { 'If-None-Match': tag } }));
    same(`HEAD, If-None-Match: ${tag}`, (server) => ask(server, 'socket.io.js.map', { method: 'HEAD', headers: { 'If-None-Match': tag } }));
  }
  for (const none of ['socket.io.slim.js', 'package.json', '../package.json', '..%2fpackage.json', 'socket.io.js/']) {
    same(`no bundle: ${none}`, async (server) => (await ask(server, none)).status >= 400);
  }
  same('Socket.IO beside it', async (server) => (await ask(server, '?EIO=4&transport=polling')).status);
});

for (const [policy, flags] of Object.entries({ any: ['--cors', '*'], list: ['--cors', 'http://a.example', '--credentials'] })) {
  sameOnBothSides(`the client, CORS ${policy}`, ['app_server', ...flags, '--serve-client', folder], (same) => {
    for (const origin of [undefined, 'http://a.example', 'http://b.example']) {
      const headers = origin && { Origin: origin };
      same(`from ${origin}`, (server) => ask(server, 'socket.io.js', { headers }));
      same(`preflight from ${origin}`, (server) => ask(server, 'socket.io.js', {
        method: 'OPTIONS', headers: { ...headers, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'x-one' },
      }));
    }
  });
}

sameOnBothSides('without the client', ['app_server'], (same) => {
  same('there is none', async (server) => (await ask(server, 'socket.io.js')).status);
});
