// What a server is told of the client, and whom it is taken from; hop-by-hop fields; request ids.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';

const get = (fields = '') => `GET /x HTTP/1.1\r\nHost: host.example:81\r\n${fields}\r\n`;
const trusted = { localAddress: '127.0.0.9' };
const stranger = { localAddress: '127.0.0.8' };

// What a client may forge.
const forged = {
  'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Port': '443',
  'X-Forwarded-Server': 'evil', 'X-Forwarded-Prefix': '/evil', 'X-Real-IP': '203.0.113.7', 'X-Client-IP': '203.0.113.7',
  'True-Client-IP': '203.0.113.7', Forwarded: 'for=203.0.113.7;proto=https', X_Forwarded_For: '203.0.113.7', X_Custom: '1',
  'X-Request-Id': 'evil', 'X-Forwarded-Ssl': 'on', 'X-Forwarded-Scheme': 'https', 'X-Forwarded-By': 'evil',
};
const lines = (fields) => Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`).join('');

const start = (world) =>
  Front.start(world, {
    more: '[proxy]\ntrusted_proxies = ["127.0.0.9/32", "10.0.0.0/8", "2001:db8:1::/48"]\ndrain_timeout = "1s"\n',
  });

describe('from a peer that is not trusted', () => {
  const shared = sharing(start);

  shared.fact('the client is its address, and the scheme ours', async (front) => {
    const { request: { headers } } = await front.passes(get(), stranger);
    assert.equal(headers['x-forwarded-for'], '127.0.0.8');
    assert.equal(headers['x-real-ip'], '127.0.0.8');
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(headers['x-forwarded-host'], 'host.example:81');
    assert.match(headers.forwarded, /^for=127\.0\.0\.8;host="host\.example:81";proto=http$/);
    assert.equal(headers.via, undefined);
  });

  shared.fact('what it says is removed, and set anew where we set it', async (front) => {
    const { request } = await front.passes(get(lines(forged)), stranger);
    assert.doesNotMatch(request.text, /203\.0\.113\.7|evil|443|X_|X-Client-IP|True-Client-IP|X-Forwarded-(?!For|Proto|Host)/i);
    assert.equal(request.headers['x-forwarded-for'], '127.0.0.8');
    assert.equal(request.headers['x-forwarded-proto'], 'http');
    assert.equal(request.headers['x-forwarded-host'], 'host.example:81');
  });

  for (const name of Object.keys(forged)) {
    shared.fact(`${name} twice and in odd case does not help`, async (front) => {
      const odd = name.replace(/[a-z]/gi, (c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase()));
      const { request } = await front.passes(get(`${odd}: evil-one\r\n${name}: evil-two\r\n`), stranger);
      assert.doesNotMatch(request.text, /evil/);
    });
  }

  shared.fact('it is named in a warning, once, with the line to add', async (front) => {
    for (let i = 0; i < 3; i += 1) await front.passes(get('X-Forwarded-For: 203.0.113.7\r\n'), stranger);
    const warnings = () => front.proxy.stderr.split('\n').filter((line) => / warn(ing)? .*X-Forwarded-For/.test(line));
    await until(() => warnings().length, 2000, 'the warning');
    assert.equal(warnings().length, 1);
    assert.match(warnings()[0], /127\.0\.0\.8.*trusted_proxies = \["127\.0\.0\.8"\]/);
  });
});

describe('from a trusted peer', () => {
  const shared = sharing(start);

  for (const [name, sent, client] of [
    ['nothing', undefined, '127.0.0.9'],
    ['an address', '203.0.113.7', '203.0.113.7'],
    ['addresses of trusted proxies on the right', '203.0.113.7, 10.1.2.3, 10.9.9.9', '203.0.113.7'],
    ['an untrusted one before trusted ones: who wrote on the left of it is not asked', '1.1.1.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['trusted ones alone: the leftmost', '10.1.1.1, 10.2.2.2', '10.1.1.1'],
    ['garbage: it stops at what it knew', '203.0.113.7, nonsense, 10.1.2.3', '10.1.2.3'],
    ['garbage on the right: the peer', '203.0.113.7, nonsense', '127.0.0.9'],
    ['nothing but garbage', '<script>', '127.0.0.9'],
    ['unknown', 'unknown', '127.0.0.9'],
    ['empty elements', ', 203.0.113.7, , 10.1.2.3,', '203.0.113.7'],
    ['a port', '203.0.113.7:4711', '203.0.113.7'],
    ['IPv6', '2001:db8:2::1', '2001:db8:2::1'],
    ['IPv6 behind a trusted range of IPv6', '2001:db8:2::1, 2001:db8:1::5', '2001:db8:2::1'],
    ['IPv6 in brackets with a port', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
    ['an IPv4 address in IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
    ['an address that is none', '203.0.113.256', '127.0.0.9'],
    ['an address with leading zeros', '203.0.113.007', '127.0.0.9'],
    ['a range', '203.0.113.0/24', '127.0.0.9'],
  ]) {
    shared.fact(`X-Forwarded-For with ${name}`, async (front) => {
      const { request: { headers } } = await front.passes(get(sent === undefined ? '' : `X-Forwarded-For: ${sent}\r\n`), trusted);
      assert.equal(headers['x-real-ip'], client);
      assert.equal(headers['x-forwarded-for'], sent ? `${sent}, 127.0.0.9` : '127.0.0.9');
    });
  }

  shared.fact('the log names the client, not the peer', async (front) => {
    await front.passes(get('X-Forwarded-For: 203.0.113.99\r\n'), trusted);
    await until(() => front.lines.some((line) => line.split(' ')[1] === '203.0.113.99'), 2000, 'its line');
  });

  shared.fact('several fields are one list', async (front) => {
    const {
      request: { headers },
    } = await front.passes(get('X-Forwarded-For: 1.1.1.1\r\nX: 1\r\nX-Forwarded-For: 203.0.113.7, 10.1.1.1\r\n'), trusted);
    assert.equal(headers['x-real-ip'], '203.0.113.7');
    assert.equal(headers['x-forwarded-for'], '1.1.1.1, 203.0.113.7, 10.1.1.1, 127.0.0.9');
  });

  shared.fact('a thousand entries are read within a bound, or refused', async (front) => {
    const { answers } = await talk(front.address, get(`X-Forwarded-For: ${'10.1.1.1,'.repeat(1500)}203.0.113.7\r\n`), {
      count: 1,
      ...trusted,
    });
    assert.equal(answers[0].status, 200);
    assert.equal(front.requests.at(-1).headers['x-real-ip'], '203.0.113.7');
  });

  shared.fact('its other words are kept', async (front) => {
    const {
      request: { headers },
    } = await front.passes(get(lines(forged)), trusted);
    for (const name of [
      'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Server', 'X-Forwarded-Prefix',
      'X-Forwarded-Ssl', 'X-Forwarded-Scheme', 'X_Custom', 'X-Request-Id',
    ]) {
      assert.equal(headers[name.toLowerCase()], forged[name], name);
    }
    assert.equal(headers['x-forwarded-for'], '203.0.113.7, 127.0.0.9');
    assert.match(headers.forwarded, /^for=203\.0\.113\.7;proto=https, for=127\.0\.0\.9;/);
  });

  shared.fact('Forwarded names the client that X-Forwarded-For named', async (front) => {
    const { request: { headers } } = await front.passes(get('X-Forwarded-For: 2001:db8:2::1\r\nX-Forwarded-Proto: https\r\n'), trusted);
    assert.match(headers.forwarded, /^for="\[2001:db8:2::1\]";.*proto=https, for=127\.0\.0\.9;/);
  });

  for (const [name, id, kept] of [
    ['is kept', 'Req-1.2_3', true], ['of 300 bytes is not', 'r'.repeat(300), false],
    ['with odd bytes is not', 'a b', false], ['that is empty is not', '', false],
  ]) {
    shared.fact(`a request id ${name}`, async (front) => {
      const { request: { headers } } = await front.passes(get(`X-Request-Id: ${id}\r\n`), trusted);
      if (kept) assert.equal(headers['x-request-id'], id);
      else assert.match(headers['x-request-id'], /^[0-9a-f]{24}$/);
    });
  }
});

describe('request ids', () => {
  const shared = sharing((world) => Front.start(world));
  shared.fact('each request has its own, which the server, the log and an error page show', async (front) => {
    const ids = [];
    for (let i = 0; i < 5; i += 1) ids.push((await front.passes(get())).request.headers['x-request-id']);
    assert.equal(new Set(ids).size, 5);
    ids.forEach((id) => assert.match(id, /^[0-9a-f]{24}$/));
    await until(() => ids.every((id) => front.lines.filter((line) => line.includes(` id=${id} `)).length === 1), 2000, 'a line each');
  });
});

describe('hop-by-hop fields', () => {
  const shared = sharing((world) =>
    Front.start(world, {
      reply: ({ target }) =>
        target === '/hop'
          ? ok(
              'hi',
              'Connection: X-Secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n'
                + 'Upgrade: h2c\r\nTE: x\r\nX-Kept: 1\r\nServer: s\r\nDate: d\r\n',
            )
          : ok(),
    }),
  );

  shared.fact('end here: of requests', async (front) => {
    const {
      request: { headers, text },
    } = await front.passes(
      get(
        'Connection: keep-alive, X-Secret, x-other\r\nX-Secret: 1\r\nX-OTHER: 2\r\nKeep-Alive: timeout=5\r\n' +
          'Proxy-Connection: keep-alive\r\nTE: trailers\r\nProxy-Authorization: Basic eDp5\r\nX-Kept: 1\r\nAuthorization: Basic eDp5\r\n',
      ),
    );
    assert.doesNotMatch(text, /secret|other|keep-alive|proxy-|^te:/im);
    assert.equal(headers['x-kept'], '1');
    assert.equal(headers.authorization, 'Basic eDp5');
  });

  shared.fact('end here: of answers', async ({ address }) => {
    const { answers: [{ headers }] } = await talk(address, get().replace('/x', '/hop'), { count: 1 });
    for (const name of ['x-secret', 'keep-alive', 'proxy-connection', 'upgrade', 'te']) assert.equal(headers[name], undefined, name);
    assert.deepEqual([headers['x-kept'], headers.server, headers.date], ['1', 's', 'd']);
  });

  for (const name of ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Real-IP', 'Forwarded', 'X-Request-Id', 'Host']) {
    shared.fact(`naming ${name} in Connection does not take it away`, async (front) => {
      const { request: { headers } } = await front.passes(get(`Connection: close, ${name}\r\n`));
      assert.ok(headers[name.toLowerCase()]);
    });
  }

  shared.fact('naming content fields in Connection does not take them away', async (front) => {
    const {
      request: { headers },
    } = await front.passes(
      get(
        'Connection: close, Content-Type, Cookie, Cache-Control\r\nContent-Type: text/x\r\nCookie: a=b\r\nCache-Control: no-store\r\n',
      ),
    );
    assert.deepEqual([headers['content-type'], headers.cookie, headers['cache-control']], ['text/x', 'a=b', 'no-store']);
  });
});

for (const trust of [true, false]) {
  scenario(`over a Unix socket that is ${trust ? '' : 'not '}trusted`, async (world) => {
    const script = answering();
    const origin = await world.origin({ script });
    const proxy = await world.limpet(
      `[[listener]]\naddress = "unix:${world.dir}/front.sock"\n[proxy]\n`
        + `trusted_proxies = [${trust ? '"unix:"' : ''}]\ndrain_timeout = "1s"\n[pool.web]\n`
        + `servers = ["a=${origin.address}"]\n`,
    );
    assert.equal((await talk(proxy.address, get('X-Forwarded-For: 203.0.113.7\r\n'), { count: 1 })).answers[0].status, 200);
    const [{ headers }] = script.requests;
    assert.equal(headers['x-real-ip'], trust ? '203.0.113.7' : undefined);
    assert.equal(headers['x-forwarded-for'], trust ? '203.0.113.7' : undefined);
    assert.match(headers.forwarded, trust ? /^for=203\.0\.113\.7;.*, for=unknown;/ : /^for=unknown;/);
  });
}

scenario('over IPv6', async (world) => {
  const script = answering();
  const origin = await world.origin({ script });
  const proxy = await world.limpet(`[[listener]]\naddress = "[::1]:0"\n[pool.web]\nservers = ["a=${origin.address}"]\n`);
  assert.equal((await talk(proxy.address, get(), { count: 1 })).answers[0].status, 200);
  const [{ headers }] = script.requests;
  assert.equal(headers['x-forwarded-for'], '::1');
  assert.equal(headers['x-real-ip'], '::1');
  assert.match(headers.forwarded, /^for="\[::1\]";/);
});

scenario('via = true names limpet to the server and to the client', async (world) => {
  const front = await Front.start(world, { more: '[proxy]\nvia = true\ndrain_timeout = "1s"\n' });
  const { request, answers } = await front.passes(get());
  assert.equal(request.headers.via, '1.1 limpet');
  assert.equal(answers[0].headers.via, '1.1 limpet');
});
