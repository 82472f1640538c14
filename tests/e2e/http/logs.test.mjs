// The access log: what it says of a request, what it must not say, and that nobody but limpet writes its lines.
import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { Address } from '../lib/limpet.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const sid = 'SECRETSECRETSECRET12';
const secrets = {
  Cookie: 'io=a; session=SECRET1', Authorization: 'Bearer SECRET2', 'Proxy-Authorization': 'Basic SECRET3', Referer: 'http://b/?SECRET4',
  'X-Api-Key': 'SECRET5', 'Sec-WebSocket-Protocol': 'SECRET6', Origin: 'http://SECRET7',
};
const fields = Object.entries(secrets).map(([name, value]) => `${name}: ${value}\r\n`).join('');

for (const format of ['text', 'json']) {
  describe(`the access log as ${format}`, () => {
    const shared = sharing(async (world) => {
      const file = `${world.dir}/access.log`;
      const script = answering(({ target }) =>
        target === '/cut'
          ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\ncut'
          : ok('body', 'Set-Cookie: own=SECRET8\r\n'),
      );
      const origin = await world.origin({
        script: (connection) => (connection.text.includes('Upgrade: websocket') ? webSockets()(connection) : script(connection)),
      });
      const proxy = await world.limpet(
        `[pool.web]\nservers = ["a=${origin.address}"]\n[log]\naccess = "${file}"\n${format === 'json' ? 'format = "json"\n' : ''}`,
        { wait: format === 'text' },
      );
      if (format === 'json') proxy.listeners = [await listening(proxy)];
      const lines = async () => (await readFile(file, 'utf8')).split('\n').slice(0, -1);
      // The lines that `bytes` made, as many as expected and no more.
      const logged = async (count, bytes, options = {}) => {
        const before = (await lines()).length;
        const got = await talk(proxy.address, bytes, { count, ...options });
        await until(async () => (await lines()).length >= before + count, 3000, `${count} lines`);
        await talk(proxy.address, get('/fence'), { count: 1 });
        await until(async () => (await lines()).slice(before).some((line) => line.includes('/fence')), 3000, 'the fence');
        const all = (await lines()).slice(before).filter((line) => !line.includes('/fence'));
        assert.equal(all.length, count, all.join('\n'));
        return { got, lines: all };
      };
      return { proxy, logged };
    });

    const value = (line, key) => {
      if (format === 'json') return JSON.parse(line)[key];
      return line.match(new RegExp(` ${key}=(\\S+)`))[1].replace(/^\w+:/, '');
    };

    shared.fact('names client, method, path, status, pool, server, what decided, bytes and times', async ({ logged }) => {
      const { lines: [line] } = await logged(1, get('/path'));
      if (format === 'json') {
        const entry = JSON.parse(line);
        assert.match(entry.client, /^127\.0\.0\.1/);
        assert.deepEqual(
          [
            entry.method, entry.target, entry.protocol, entry.status, entry.pool, entry.server, entry.by,
            entry.retries, entry.reason,
          ],
          ['GET', '/path', 'HTTP/1.1', 200, 'web', 'a', 'source', 0, 'done'],
        );
        assert.ok(entry.total_ms >= 0 && entry.bytes_in > 0 && entry.bytes_out > 0 && entry.first_byte_ms >= 0);
      } else {
        assert.match(
          line,
          /^\d{4}-\d\d-\d\dT[\d:.]+Z 127\.0\.0\.1\S* "GET a\/path HTTP\/1\.1" 200 kind=request id=[0-9a-f]{24} pool=web server=a by=source sid=- retries=0 connect=\S+ first=[\d.]+ total=[\d.]+ in=\d+ out=\d+ end=server:done ua=""$/,
        );
      }
    });

    shared.fact('says nothing of query, cookies and credentials', async ({ logged }) => {
      const { lines: all } = await logged(3, get('/p?token=SECRET0', fields) + get('http://a/q?SECRET0', fields)
        + `POST /r?SECRET0 HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: 7\r\n\r\nSECRET9`);
      assert.doesNotMatch(all.join('\n'), /SECRET|token/);
    });

    shared.fact('shows six characters of a sid', async ({ logged }) => {
      const { lines: [line] } = await logged(1, get(`/socket.io/?EIO=4&transport=polling&sid=${sid}`));
      assert.equal(value(line, 'sid'), 'SECRET');
      assert.doesNotMatch(line, /SECRETS|EIO/);
    });

    shared.fact('says no more of a tunnel', async ({ logged }) => {
      const {
        lines: [line],
      } = await logged(
        1,
        upgrade({ target: `/socket.io/?EIO=4&transport=websocket&sid=${sid}`, ...secrets, 'Sec-WebSocket-Protocol': undefined }),
      );
      assert.equal(value(line, 'sid'), 'SECRET');
      assert.doesNotMatch(line.replace('SECRET', ''), /SECRET|EIO/);
    });

    shared.fact('nor of what was refused', async ({ logged }) => {
      const { lines: all } = await logged(1, `GET /SECRET0?SECRET0 HTTP/1.1\r\nHost: a\r\nHost: SECRET\r\n${fields}\r\n`);
      assert.doesNotMatch(all[0], /SECRET[1-9]|\?/);
    });

    shared.fact('names method and path of a head that was refused, without its query', async ({ logged }) => {
      for (const [what, bytes] of [
        ['two Hosts', 'PUT /refused/path?SECRET HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
        ['a bad field', '\r\nPUT /refused/path?SECRET HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n'],
        ['too many fields', `PUT /refused/path?SECRET HTTP/1.1\r\nHost: a\r\n${'X: 1\r\n'.repeat(200)}\r\n`],
        ['two framings', 'PUT /refused/path?SECRET HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
      ]) {
        const { lines: [line] } = await logged(1, bytes);
        if (format === 'json') assert.deepEqual([JSON.parse(line).method, JSON.parse(line).target], ['PUT', '/refused/path'], what);
        else assert.match(line, /"PUT [^ /]*\/refused\/path HTTP\/[^"]*" 4\d\d kind=request /, what);
        assert.doesNotMatch(line, /SECRET|\?/);
      }
    });

    shared.fact('says nothing of a name and password before a host', async ({ logged }) => {
      for (const bytes of [
        'GET http://mallory:SECRET@a/x HTTP/1.1\r\nHost: a\r\n\r\n',
        'GET /x HTTP/1.1\r\nHost: mallory:SECRET@a\r\n\r\n',
        'GET http://mallory:SECRET@a/x\r\n\r\n',
      ]) {
        const {
          lines: [line],
        } = await logged(1, bytes);
        assert.doesNotMatch(line, /SECRET|mallory/);
      }
    });

    for (const [name, target, agent] of [
      ['a quote and what looks like fields', '/x"HTTP/1.1"200kind=request', '" 200 kind=request end=server:done ua="'],
      ['line ends, percent-encoded', '/%0d%0a2026-11-24T00:00:00.000Z%20127.0.0.1', 'a\tb'],
      ['backslashes', '/\\n\\r\\x0a', '\\n\\"\\'],
      ['high bytes in the agent', '/high', '\x80\x85\x9b2J\xe2\x80\xa8\xc2\x85'],
      ['JSON', '/"},{"status":200', '"},{"status":200,"x":"'],
      ['six thousand bytes', `/${'t'.repeat(6000)}`, 'u'.repeat(6000)],
    ]) {
      shared.fact(`cannot be forged by ${name}`, async ({ logged }) => {
        const { lines: [line] } = await logged(1, get(target, `User-Agent: ${agent}\r\n`));
        // eslint-disable-next-line no-control-regex
        assert.doesNotMatch(line, /[\x00-\x1f\x7f\u0080-\u009f\u2028\u2029]/);
        if (format === 'json') {
          const entry = JSON.parse(line);
          assert.deepEqual([entry.status, entry.kind, entry.server], [200, 'request', 'a']);
          if (target.length < 1000) assert.equal(entry.target, target);
        } else {
          // Without its two quoted parts, quotes within being escaped, the line has one of each field.
          const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '""');
          assert.equal(bare.match(/"/g).length, 4, line);
          for (const key of ['kind', 'id', 'server', 'end', 'ua'])
            assert.equal(bare.match(new RegExp(` ${key}=`, 'g'))?.length, 1, `${key} in ${line}`);
        }
        assert.ok(Buffer.byteLength(line) < 8192);
      });
    }

    shared.fact('a method and a host cannot forge it either', async ({ logged }) => {
      const { lines: [line] } = await logged(1, 'X!#$%&\'*+-.^_`|~ / HTTP/1.1\r\nHost: a!$&\'()*+;=\r\n\r\n');
      if (format === 'json') assert.equal(JSON.parse(line).method, 'X!#$%&\'*+-.^_`|~');
      else assert.match(line, /"X!#\$%&'\*\+-\.\^_`\|~ a!\$&'\(\)\*\+;=\/ HTTP\/1\.1" 200 /);
    });
  });
}

// In JSON the line that tells the address looks otherwise.
async function listening(proxy) {
  const [, text] = await proxy.says(/listening on (127\.0\.0\.1:\d+)/, 10_000, 'stderr');
  return new Address(text);
}

scenario('the id that a trusted peer gave a request is the one in the log and on the page', async (world) => {
  const front = await Front.start(world, {
    more: '[proxy]\ntrusted_proxies = ["127.0.0.9/32"]\ndrain_timeout = "1s"\n',
    reply: ({ target }, connection) => (target === '/closed' ? void connection.destroy() : ok()),
  });
  const ask = (target, id, localAddress) => talk(front.address, get(target, `X-Request-Id: ${id}\r\n`), { count: 1, localAddress });
  const logged = (id) => until(() => front.lines.find((line) => line.includes(` id=${id} `)), 2000, `a line of ${id}`);
  for (const id of ['Req-1.2_3', 'i'.repeat(128)]) {
    await ask('/fine', id, '127.0.0.9');
    assert.match(await logged(id), / 200 kind=request /);
  }
  const { answers: [page] } = await ask('/closed', 'theirs', '127.0.0.9');
  assert.equal(page.status, 502);
  assert.match(page.body.toString(), /<small>\S+ theirs<\/small>/);
  assert.match(await logged('theirs'), / 502 kind=request /);
  // Of somebody else it is not.
  const { answers: [other] } = await ask('/closed', 'forged', '127.0.0.8');
  const [, own] = other.body.toString().match(/<small>\S+ ([0-9a-f]{24})<\/small>/);
  await logged(own);
  assert.ok(front.lines.every((line) => !line.includes('forged')));
});

scenario('query = "on" writes queries, escaped, and still no cookie', async (world) => {
  const front = await Front.start(world, { more: '[log]\nquery = "on"\n' });
  await talk(front.address, get('/p?q="1"', 'Cookie: SECRET\r\n'), { count: 1 });
  const line = await until(() => front.lines.find((one) => one.includes('/p')), 2000, 'the line');
  await talk(front.address, get('/refused?q=1', 'Host: b\r\n'));
  await until(() => front.lines.some((one) => /"GET [^ /]*\/refused\?q=1 HTTP/.test(one)), 2000, 'that of a refused head');
  assert.match(line, /"GET a\/p\?q=\\(?:x22|")1\\(?:x22|") HTTP\/1\.1"/);
  assert.doesNotMatch(line, /SECRET/);
});

scenario('access = "off" writes none', async (world) => {
  const front = await Front.start(world, { more: '[log]\naccess = "off"\n' });
  await talk(front.address, get('/p'), { count: 1 });
  await front.proxy.stop();
  assert.equal(front.proxy.stdout, '');
});

scenario('files are opened again on SIGUSR1', async (world) => {
  const file = `${world.dir}/access.log`;
  const front = await Front.start(world, { more: `[log]\naccess = "${file}"\n` });
  const has = (name, text) => until(async () => (await readFile(name, 'utf8')).includes(text), 3000, `${text} in ${name}`);
  await talk(front.address, get('/before'), { count: 1 });
  await has(file, '/before');
  await rename(file, `${file}.1`);
  front.proxy.signal('SIGUSR1');
  await until(async () => {
    await talk(front.address, get('/after-it'), { count: 1 });
    return (await readFile(file, 'utf8')).includes('/after-it');
  }, 3000, 'the new file');
  assert.match(await readFile(`${file}.1`, 'utf8'), /\/before/);
});
