// Affinity against what clients make up: cookies, sids, addresses; and two proxies that never talk to each other.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { within } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { httpServer } from './bulk.mjs';
import { talk } from './talk.mjs';
import { upgrade } from './websocket.mjs';

const ids = ['ws1', 'ws2', 'ws3'];
const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const sid = (name = '') => (name + 'AAAAAAAAAAAAAAAAAAAA').slice(0, 20);

// Three servers that answer with their id; an open with the packet of one.
async function three(world, { pool = '', proxies = 1 } = {}) {
  const requests = [];
  let opens = 0;
  const listener = (id) => ({ url, headers }, response) => {
    requests.push({ url, headers });
    const opened = url.startsWith(open) && !/[?&]sid=[\w-]{1,64}(&|$)/.test(url);
    const packet = { sid: sid(`s${opens += 1}x`), upgrades: [], pingInterval: 25_000, pingTimeout: 20_000 };
    response.setHeader('X-Server', id);
    response.end(opened ? `0${JSON.stringify(packet)}` : id);
  };
  const servers = await Promise.all(ids.map((id) => httpServer(world, listener(id))));
  const toml = `[pool.web]\nservers = [${ids.map((id, i) => `"${id}=${servers[i].at}"`).join(', ')}]\n${pool}\n[log]\n`
    + `access = "off"\n[proxy]\ntrusted_proxies = ["127.0.0.9/32"]\ndrain_timeout = "1s"\n`;
  const started = [];
  for (let i = 0; i < proxies; i += 1) started.push(await world.limpet(toml));
  return { proxies: started, proxy: started[0], servers, requests };
}

// Sends `count` requests, made by `bytes(i)`, a hundred in a packet; gives the answers in order.
async function ask(address, count, bytes, { localAddress } = {}) {
  const all = [];
  for (let from = 0; from < count; from += 100) {
    const some = Math.min(100, count - from);
    const { answers } = await talk(address, Array.from({ length: some }, (_, i) => bytes(from + i)).join(''), {
      count: some,
      ms: 20_000,
      localAddress,
    });
    all.push(...answers);
  }
  return all;
}
const servedBy = (answers) => answers.map(({ headers }) => headers['x-server']);
const address = (i) => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;

describe('cookies that the proxy never gave', () => {
  const shared = sharing((world) => three(world));
  const made = (i) =>
    [
      `io=ws${4 + i}`, `io=ws1${i}`, 'io=', 'io', 'io=ws', `io=${'x'.repeat(1 + (i % 3000))}`,
      `io=ws1${String.fromCharCode(128 + (i % 100))}`, `io=WS${1 + (i % 3)}`, `IO=ws${1 + (i % 3)}`,
      `xio=ws${1 + (i % 3)}`, `io.=ws${1 + (i % 3)}`, `io=ws${1 + (i % 3)}.MAC${i}`, `io=%77s${1 + (i % 3)}`,
      `io=${Buffer.from(`ws1${i}`).toString('base64')}`, `io=../ws${1 + (i % 3)}`, `io=ws1,ws2`,
      `a="io=ws${1 + (i % 3)}"`,
    ][i % 17];

  shared.fact('5000 of them choose no server; each open is given a good one instead', async ({ proxy }) => {
    const without = await ask(proxy.address, 1, () => get(open));
    const answers = await ask(proxy.address, 5000, (i) => get(open, `Cookie: ${made(i)}\r\n`));
    assert.deepEqual([...new Set(servedBy(answers))], servedBy(without), 'all go where the address says');
    for (const { headers } of answers) assert.match(headers['set-cookie'] ?? '', /^io=ws[123]; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  shared.fact('one that names a server is an ordinary choice, quoted or not, wherever it stands', async ({ proxy }) => {
    for (const id of ids) {
      const forms = [
        `io=${id}`, `a=b; io=${id}; c=d`, `a=b;io=${id}`, `io="${id}"`, `${'c=d; '.repeat(500)}io=${id}`,
        `io=none; io=${id}; io=ws1`,
      ];
      const answers = await ask(proxy.address, forms.length, (i) => get(open, `Cookie: ${forms[i]}\r\n`));
      assert.deepEqual([...new Set(servedBy(answers))], [id]);
    }
  });

  shared.fact('in several fields Cookie too: the first valid one wins', async ({ proxy }) => {
    const answers = await ask(proxy.address, 1, () => get(open, 'Cookie: a=b\r\nCookie: io=none; io=ws2\r\nCookie: io=ws1\r\n'));
    assert.deepEqual(servedBy(answers), ['ws2']);
  });

  shared.fact('thousands in one head are bounded work, whatever they decide', async ({ proxy }) => {
    const many = `Cookie: ${Array.from({ length: 1800 }, (_, i) => `io=x${i}`).join(';')}\r\n`;
    assert.ok(many.length < 16_000);
    const answers = await within(ask(proxy.address, 200, () => get(open, many)), 3000, '200 answers');
    assert.ok(answers.every(({ status }) => status === 200));
  });

  shared.fact('a server does not see them', async ({ requests }) => {
    assert.ok(requests.length > 5000);
    assert.deepEqual(requests.filter(({ headers }) => /(^|; ?)io=/.test(headers.cookie ?? '')), []);
  });
});

describe('`?sid=` of another application', () => {
  const shared = sharing((world) =>
    three(world, { pool: 'health = { type = "http", fast_interval = "100ms", interval = "200ms", fall = 1, timeout = "2s" }' }),
  );
  const tagOfWs1 = 'AAAAAAAAAAAA_9OrFaYU';
  const foreign = [
    `/?sid=${tagOfWs1}`, `/?EIO=4&sid=${tagOfWs1}`, `/?transport=polling&sid=${tagOfWs1}`,
    `/?EIO=4&transport=webtransport&sid=${tagOfWs1}`, `/?EIO=4&transport=flashsocket&sid=${tagOfWs1}`,
    `/login?SID=${tagOfWs1}`, `/?xEIO=4&transport=polling&sid=${tagOfWs1}`, `/sid=${tagOfWs1}`,
    `/?a=EIO=4&b=transport=polling&sid=${tagOfWs1}`, `${open}&xsid=${tagOfWs1}`, `${open}&sid=`, `${open}&sid`,
    `${open}&sid=%20`, `${open}&sid=${'x'.repeat(65)}`, `${open}&sid=${'x'.repeat(5000)}`, `${open}&sid=a.b`,
    `${open}&sid=a%00b`, `${open}&sid=${tagOfWs1}&sid=`,
    `${open}&sid=${tagOfWs1}%zz`,
  ];

  shared.fact(
    'never answered by the proxy, even while the server that it would name is down',
    async ({ proxy, servers, requests }) => {
      servers[0].stop();
      await proxy.becomes('web', 'ws1', 'down');
      for (const target of foreign) {
        const before = requests.length;
        const [answer] = await ask(proxy.address, 1, () => get(target));
        assert.equal(answer.status, 200, target);
        assert.ok(answer.headers['x-server'], target);
        assert.equal(requests.length, before + 1);
      }
      // As the server's own parser would read them.
      for (const target of [
        `${open}&sid=${tagOfWs1}`, `${open}&sid=x&sid=${tagOfWs1}`,
        `/any/path?EIO=3&sid=${tagOfWs1}&transport=websocket`, `${open}&sid=AAAAAAAAAAAA%5F9OrFaYU`,
        `${open}&s%69d=${tagOfWs1}`,
      ]) {
        const [answer] = await ask(proxy.address, 1, () => get(target));
        assert.equal(answer.status, 400, target);
        assert.equal(answer.body.toString(), '{"code":1,"message":"Session ID unknown"}');
        assert.match(answer.headers['content-type'], /^application\/json/);
      }
      const [answer] = await ask(proxy.address, 1, () => upgrade({ target: `/?EIO=4&transport=websocket&sid=${tagOfWs1}` }));
      assert.deepEqual([answer.status, answer.body.toString()], [400, 'Session ID unknown']);
    },
  );
});

describe('a self-naming sid', () => {
  const shared = sharing((world) => three(world));
  const tags = { ws1: '_9OrFaYU', ws2: 'aqV2S1-o' };

  for (const [id, tag] of Object.entries(tags)) {
    shared.fact(`that ends in ${id}'s tag leads to ${id}, from any address, whatever the cookie says`, async ({ proxy }) => {
      const answers = await ask(
        proxy.address,
        100,
        (i) => get(`${open}&sid=${String(i).padStart(12, '0')}${tag}`, `X-Forwarded-For: ${address(i)}\r\nCookie: io=ws3\r\n`),
        { localAddress: '127.0.0.9' },
      );
      assert.deepEqual([...new Set(servedBy(answers))], [id]);
    });
  }

  shared.fact('is known by its length too', async ({ proxy }) => {
    for (const made of [`A${'A'.repeat(12)}${tags.ws1}`, tags.ws1, `${tags.ws1}${'A'.repeat(12)}`]) {
      const answers = await ask(proxy.address, 60, (i) => get(`${open}&sid=${made}`, `X-Forwarded-For: ${address(i)}\r\n`), {
        localAddress: '127.0.0.9',
      });
      assert.equal(new Set(servedBy(answers)).size, 3, made);
    }
  });

  shared.fact('that nobody knows goes where its cookie says, else where its address says', async ({ proxy }) => {
    const [byCookie] = await ask(proxy.address, 1, () => get(`${open}&sid=${sid('unknown')}`, 'Cookie: io=ws2\r\n'));
    assert.equal(byCookie.headers['x-server'], 'ws2');
    const answers = await ask(proxy.address, 30, () => get(`${open}&sid=${sid('unknown')}`));
    assert.equal(new Set(servedBy(answers)).size, 1);
  });
});

scenario('two proxies with one configuration give the same answers to ten thousand clients', { seconds: 60 }, async (world) => {
  const { proxies } = await three(world, { proxies: 2 });
  const count = 10_000;
  // A third of the clients have IPv6 addresses, two of them in each /64.
  const client = (i) => (i % 3 ? address(i) : `2001:db8:${(i >> 1).toString(16)}::${(i & 1) + 1}`);
  const choices = await Promise.all(
    proxies.map(async (proxy) =>
      servedBy(
        await ask(proxy.address, count, (i) => get('/', `X-Forwarded-For: ${client(i)}\r\n`), { localAddress: '127.0.0.9' }),
      ),
    ),
  );
  assert.deepEqual(choices[0], choices[1]);
  for (const id of ids) {
    const share = choices[0].filter((one) => one === id).length / count;
    assert.ok(Math.abs(share - 1 / 3) < 0.02, `${id} has ${share}`);
  }
});

scenario('a flood of opens that are never used costs no honest session', { seconds: 90 }, async (world) => {
  const { proxy, requests } = await three(world, { pool: 'affinity = ["sid", "source"]\n[limits]\nsid_entries = 5000\n' });
  const sidOf = ({ body }) => JSON.parse(body.toString().slice(1)).sid;
  // Honest clients open, poll at once and then from ever new addresses; a sid that was lost would go by hash.
  const honest = [];
  // Two and a half tables full, in all, from a hundred addresses.
  const flood = (count) =>
    ask(proxy.address, count, (i) => get(open, `X-Forwarded-For: 203.0.113.${i % 100}\r\n`), { localAddress: '127.0.0.9' });
  const rounds = 10;
  for (let round = 0; round < rounds; round += 1) {
    const fresh = await ask(proxy.address, 50, (i) => get(open, `X-Forwarded-For: 192.0.2.${i}\r\n`), { localAddress: '127.0.0.9' });
    const added = fresh.map((answer) => ({ sid: sidOf(answer), home: answer.headers['x-server'] }));
    honest.push(...added);
    await flood(300);
    const first = await ask(
      proxy.address,
      added.length,
      (i) => get(`${open}&sid=${added[i].sid}`, `X-Forwarded-For: ${address(i)}\r\n`),
      { localAddress: '127.0.0.9' },
    );
    assert.deepEqual(
      servedBy(first),
      added.map(({ home }) => home),
    );
    await flood(950);
    requests.splice(0);
  }
  for (let turn = 0; turn < 3; turn += 1) {
    const answers = await ask(
      proxy.address,
      honest.length,
      (i) => get(`${open}&sid=${honest[i].sid}`, `X-Forwarded-For: ${address(i * 7 + turn)}\r\n`),
      { localAddress: '127.0.0.9' },
    );
    const lost = answers.filter(({ headers }, i) => headers['x-server'] !== honest[i].home);
    assert.equal(lost.length, 0);
  }
  const { body } = await proxy.admin('/metrics');
  const most = [...body.matchAll(/^limpet_sids\{part="\w+"\} (\d+)/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
  assert.ok(most <= 5000, `${most} entries`);
});
