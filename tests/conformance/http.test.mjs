// Engine.IO's HTTP beside Node.js's: statuses, fields and bodies of handshakes, refusals, CORS, cookies, JSONP.
import { sameOnBothSides, ask } from './lib/compare.mjs';
import { Polling, query } from './lib/engine_client.mjs';

const path = '/engine.io/';
const handshake = '?EIO=4&transport=polling';

// A request of a session, with all that is seen of its answer.
const inSession = async (server, options = {}) => {
  const session = await Polling.open(server);
  return ask(server, `${path}?${query({ ...session.keys, ...options.keys })}`, options);
};

sameOnBothSides('handshakes over HTTP', ['engine_server', '--cors', ''], (same) => {
  const targets = {
    'a handshake': `${path}${handshake}`,
    'a longer path': `${path}x/y${handshake}`,
    'no query': path,
    'no EIO': `${path}?transport=polling`,
    'an empty EIO': `${path}?EIO=&transport=polling`,
    'EIO=3': `${path}?EIO=3&transport=polling`,
    'EIO=04': `${path}?EIO=04&transport=polling`,
    'EIO=5': `${path}?EIO=5&transport=polling`,
    'EIO twice, the last is good': `${path}?EIO=3&EIO=4&transport=polling`,
    'EIO twice, the last is bad': `${path}?EIO=4&EIO=3&transport=polling`,
    'no transport': `${path}?EIO=4`,
    'an unknown transport': `${path}?EIO=4&transport=abc`,
    'a transport that is a word of JavaScript': `${path}?EIO=4&transport=constructor`,
    'a transport that is percent-encoded': `${path}?EIO=4&transport=poll%69ng`,
    'a key that is percent-encoded': `${path}?E%49O=4&transport=polling`,
    'WebTransport': `${path}?EIO=4&transport=webtransport`,
    'a plain request for WebSocket': `${path}?EIO=4&transport=websocket`,
    'an empty sid': `${path}${handshake}&sid=`,
    'an unknown sid': `${path}${handshake}&sid=AAAAAAAAAAAAAAAAAAAA`,
    'a sid that is a word of JavaScript': `${path}${handshake}&sid=constructor`,
    'a huge sid': `${path}${handshake}&sid=${'a'.repeat(2000)}`,
    'an unknown sid of an unknown revision': `${path}?EIO=9&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA`,
    'JSONP': `${path}${handshake}&j=7`,
    'JSONP with a name that is no number': `${path}${handshake}&j=a1b2`,
    'JSONP with an empty name': `${path}${handshake}&j=`,
    'b64': `${path}${handshake}&b64=1`,
  };
  for (const [name, target] of Object.entries(targets)) same(name, (server) => ask(server, target));
  same('a path without its slash', async (server) => (await ask(server, `/engine.io${handshake}`)).status);
  same('another path', async (server) => (await ask(server, '/nowhere')).status);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
    same(`a handshake by ${method}`, (server) => ask(server, `${path}${handshake}`, { method }));
    if (method !== 'POST') same(`${method} in a session`, (server) => inSession(server, { method }));
  }
  same('another transport in a session', (server) => inSession(server, { keys: { transport: 'websocket' } }));
  same('another revision in a session', (server) => inSession(server, { keys: { EIO: '3' } }));
  same('an old browser', (server) => ask(server, `${path}${handshake}`, { headers: { 'User-Agent': 'Mozilla/5.0 (Trident/7.0)' } }));
  same('an older browser', (server) => inSession(server, { method: 'POST', body: '4a', headers: { 'User-Agent': 'a;MSIE 9' } }));
  same('an origin', (server) => ask(server, `${path}${handshake}`, { headers: { Origin: 'http://a.example' } }));
  same('a POST', (server) => inSession(server, { method: 'POST', body: '4a', headers: { 'Content-Type': 'text/plain' } }));
  same('a POST without a content type', (server) => inSession(server, { method: 'POST', body: '4a' }));
  same('a POST of bytes', (server) =>
    inSession(server, { method: 'POST', body: '4a', headers: { 'Content-Type': 'application/octet-stream' } }),
  );
  same('an empty POST', (server) => inSession(server, { method: 'POST' }));
});

sameOnBothSides('handshakes with few transports', ['engine_server', '--transports', 'polling'], (same) => {
  same('polling', (server) => ask(server, `${path}${handshake}`));
  same('WebSocket', (server) => ask(server, `${path}?EIO=4&transport=websocket`));
});

sameOnBothSides('handshakes without upgrades', ['engine_server', '--no-upgrades', '--cookie'], (same) => {
  same('polling', (server) => ask(server, `${path}${handshake}`));
  same('the cookie is set once', (server) => inSession(server, { method: 'POST', body: '4a' }));
  same('JSONP', (server) => ask(server, `${path}${handshake}&j=0`));
});

sameOnBothSides('revision 3 over HTTP', ['engine_server', '--eio3'], (same) => {
  same('a handshake', (server) => ask(server, `${path}?EIO=3&transport=polling`));
  same('no EIO', (server) => ask(server, `${path}?transport=polling`));
  same('b64', (server) => ask(server, `${path}?EIO=3&transport=polling&b64=1`));
  same('JSONP', (server) => ask(server, `${path}?EIO=3&transport=polling&j=3`));
  same('revision 4', (server) => ask(server, `${path}${handshake}`));
});

const origins = {
  'no origin': undefined, 'an origin': 'http://a.example', 'another origin': 'http://b.example',
  'a foreign origin': 'http://c.example',
};
const policies = {
  any: ['--cors', '*'],
  list: ['--cors', 'http://a.example,http://b.example'],
  credentials: ['--cors', 'http://a.example,http://b.example', '--credentials'],
};
for (const [policy, flags] of Object.entries(policies)) {
  sameOnBothSides(`CORS, ${policy}`, ['engine_server', ...flags], (same) => {
    for (const [name, origin] of Object.entries(origins)) {
      const headers = origin && { Origin: origin };
      same(`a handshake with ${name}`, (server) => ask(server, `${path}${handshake}`, { headers }));
      same(`a refusal with ${name}`, (server) => ask(server, `${path}?EIO=4`, { headers }));
      same(`a preflight with ${name}`, (server) =>
        ask(server, path, {
          method: 'OPTIONS',
          headers: { ...headers, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-one, X-Two' },
        }),
      );
      same(`a plain OPTIONS with ${name}`, (server) => ask(server, `${path}${handshake}`, { method: 'OPTIONS', headers }));
    }
  });
}

// An echo of a long message, and how it came.
const longPoll = (encodings, length = 3000) => async (server) => {
  const session = await Polling.open(server);
  await session.post(`4${'ab'.repeat(length / 2)}`);
  const answer = await ask(server, `${path}?${query(session.keys)}`, { headers: encodings && { 'Accept-Encoding': encodings } });
  return { ...answer, body: answer.body.length > 2000 ? answer.body : answer.body.length };
};
for (const flags of [[], ['--no-compression']]) {
  sameOnBothSides(`compressed polls ${flags}`, ['engine_server', ...flags], (same) => {
    for (const encodings of [
      undefined, 'gzip', 'deflate', 'gzip, deflate, br', 'deflate, gzip;q=0.5', 'gzip;q=0', '*', 'identity', 'br',
      'GZIP', 'gzip;q=nan', '*;q=nan, deflate', 'gzip;q=inf', 'gzip;q=0x1',
    ]) {
      same(`Accept-Encoding: ${encodings}`, async (server) => {
        const { status, fields, body } = await longPoll(encodings)(server);
        return { status, fields, plain: body.startsWith?.('4ab') };
      });
    }
    same('a short poll', longPoll('gzip', 1000));
    same('a poll just long enough', async (server) => (await longPoll('gzip', 1024)(server)).fields);
  });
}

