// The command line where it is given something else than a running limpet, or than a command.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { Child } from '../lib/child.mjs';
import { binary } from '../lib/limpet.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { httpServer } from './bulk.mjs';

async function limpet(...args) {
  const child = new Child(`limpet ${args.join(' ')}`, binary, args);
  return { ...(await child.ended), stdout: child.stdout, stderr: child.stderr };
}

const oneLine = /^limpet: [^\n]+\n$/;

// Bodies of 200 that are not what /status answers.
const bodies = {
  'an empty object': '{}', 'a list': '[]', null: 'null', 'a number': '1', nothing: '', 'a page': '<html>hello</html>',
  'half an object': '{"pools":', 'a pool without anything': '{"pools":[{}]}', 'pools that are no list': '{"pools":1}',
  'a status without pools':
    '{"version":"1","stage":"serving","connections":1,"max_connections":2,"requests_total":3,"ready":true}',
  'a server without anything':
    '{"version":"1","stage":"serving","connections":1,"max_connections":2,"requests_total":3,"ready":true,'
      + '"pools":[{"name":"web","servers":[{}]}]}',
  'a list of lists': `${'['.repeat(5000)}${']'.repeat(5000)}`,
};

describe('an HTTP server that is not limpet, where its admin address should be', () => {
  const shared = sharing(async (world) => {
    const things = { body: '', status: 200 };
    const { at } = await httpServer(world, (request, response) =>
      response.writeHead(things.status, { 'Content-Length': Buffer.byteLength(things.body) }).end(things.body),
    );
    return Object.assign(things, { at });
  });

  for (const args of [['status'], ['status', '--json'], ['drain', 'a'], ['ready', 'a'], ['drain', 'web/a']]) {
    shared.fact(`\`limpet ${args.join(' ')}\`, whatever it answers: exit code 1 and one line`, async (things) => {
      for (const [name, body] of Object.entries(bodies)) {
        Object.assign(things, { body, status: 200 });
        const { code, signal, stdout, stderr } = await limpet(...args, '--admin', things.at);
        assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, `answered with ${name}: ${stdout}${stderr}`);
        assert.match(stderr, oneLine, name);
        assert.match(stderr, /limpet's/, name);
      }
    });
  }

  for (const [name, status, body] of [
    ['a page that says 404', 404, '<html>no such page</html>'], ['JSON that says 500', 500, '{"error":5}'],
    ['an error with control bytes', 404, '{"error":"\\u001b[2J\\r\\nlimpet: all is well"}'], ['an empty 503', 503, ''],
  ]) {
    shared.fact(`${name} is one line too, without control bytes`, async (things) => {
      Object.assign(things, { body, status });
      for (const args of [['status'], ['drain', 'a'], ['drain', 'web/a']]) {
        const { code, signal, stdout, stderr } = await limpet(...args, '--admin', things.at);
        assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, stderr);
        assert.match(stderr, oneLine);
        assert.doesNotMatch(stderr, /[\0-\x09\x0b-\x1f]/); // eslint-disable-line no-control-regex
      }
    });
  }
});

for (const [name, bytes] of [
  ['greets by itself', '220 mail.example ESMTP\r\n'],
  ['ends its answer early', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"pools":[]}'],
  ['says nothing', ''],
]) {
  scenario(`a server that ${name}, where its admin address should be: exit code 1 and one line`, async (world) => {
    const origin = await world.origin({ script: (connection) => connection.send(bytes).halfClose() });
    const { code, signal, stdout, stderr } = await limpet('status', '--admin', origin.address);
    assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' }, stderr);
    assert.match(stderr, oneLine);
    assert.ok(stderr.includes(origin.address));
  });
}

scenario('nobody there: exit code 1, and the line says where', async (world) => {
  for (const address of ['127.0.0.1:1', `unix:${world.dir}/none.sock`]) {
    const { code, stderr } = await limpet('status', '--admin', address);
    assert.equal(code, 1);
    assert.match(stderr, oneLine);
    assert.ok(stderr.includes(address));
  }
});

scenario('an admin address that is none: exit code 1, and the line says what is one', async () => {
  for (const address of ['localhost:80', 'localhost', '127.0.0.1', '80', '/run/limpet.sock', 'http://127.0.0.1:80']) {
    const { code, stderr } = await limpet('status', '--admin', address);
    assert.equal(code, 1, address);
    assert.match(stderr, oneLine);
    assert.match(stderr, /not an address; write unix:\/path or 127\.0\.0\.1:port/);
    assert.ok(stderr.includes(address));
  }
});

scenario('a command that there is not is named, beside those that there are; exit code 2', async () => {
  for (const [word, shown] of [['reload', 'reload'], ['statsu', 'statsu'], ['\x1b[2J', '\\x1b[2J']]) {
    const { code, stderr } = await limpet(word, '-c', 'limpet.toml');
    assert.equal(code, 2);
    assert.ok(stderr.startsWith(`limpet: there is no command "${shown}"; there are `), stderr);
    for (const known of ['run', 'check', 'status', 'drain', 'ready']) assert.match(stderr, new RegExp(`\\b${known}\\b`));
  }
});
