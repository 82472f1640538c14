// 20 MiB each way, framed both ways, past readers that pause: every byte arrives, and limpet holds few of them.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import http from 'node:http';
import net from 'node:net';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Digest, block, httpServer, md5, mostResidentBytes, residentBytes } from './bulk.mjs';

const size = 20 << 20;
const bytes = block(size);
const expected = md5(bytes);
const growth = 16 << 20;

// One limpet a test: the most that a process ever held cannot be forgotten.
const start = async (world, listener) => {
  const server = await httpServer(world, listener);
  const proxy = await world.limpet(`[pool.web]\nservers = ["a=${server.at}"]\n`);
  const before = await residentBytes(proxy.pid);
  const bounded = async () => {
    // A sanitizer's own memory says nothing about limpet's.
    if (slowness > 1) return;
    const most = await mostResidentBytes(proxy.pid);
    assert.ok(most - before <= growth, `${((most - before) / 1048576).toFixed(1)} MiB more than at the start`);
  };
  return { server, proxy, bounded };
};

// A reader that takes nothing until the sender has been standing still, then everything; `progress()` is what was
// sent so far.
async function pauses(stream, progress) {
  stream.pause();
  let last = -1;
  await until(async () => {
    const now = progress();
    const still = now === last && now > 0;
    last = now;
    if (still) return true;
    await holds(() => true, 100);
    return false;
  }, 10_000, 'the sender stands still');
  assert.ok(last < size, 'the sender is held back before all is sent');
  stream.resume();
}

// Writes all of `bytes` in pieces as they are taken; `written` goes up as the kernel takes them.
function feed(sink, { pieces = 64 << 10 } = {}) {
  const feeding = { sink, get written() { return at - sink.writableLength; } };
  let at = 0;
  const more = () => {
    while (at < size) {
      const piece = bytes.subarray(at, at += pieces);
      if (!sink.write(piece)) return sink.once('drain', more);
    }
    return sink.end();
  };
  more();
  return feeding;
}

describe('20 MiB', () => {
  for (const framing of ['Content-Length', 'chunked']) {
    const headers = framing === 'chunked' ? {} : { 'Content-Length': size };

    for (const pace of ['at full speed', 'past a reader that pauses']) {
      scenario(`down, ${framing}, ${pace}`, async (world) => {
        let feeding;
        const { proxy, bounded } = await start(world, (request, response) => {
          response.writeHead(200, headers);
          feeding = feed(response);
        });
        const digest = new Digest();
        const answer = await new Promise((resolve, reject) => {
          http.get({ ...proxy.address.to, agent: false }, resolve).on('error', reject);
        });
        answer.on('data', (part) => digest.add(part));
        if (pace !== 'at full speed') await pauses(answer, () => feeding.written);
        await new Promise((resolve) => { answer.on('end', resolve); });
        assert.equal(digest.length, size);
        assert.equal(digest.done(), expected);
        await bounded();
      });

      scenario(`up, ${framing}, ${pace}`, async (world) => {
        const digest = new Digest();
        let incoming;
        const { proxy, bounded } = await start(world, (request, response) => {
          incoming = request;
          request.on('data', (part) => digest.add(part)).on('end', () => response.end(digest.done()));
          if (pace !== 'at full speed') request.pause();
        });
        const request = http.request({ ...proxy.address.to, method: 'POST', headers, agent: false });
        const answered = new Promise((resolve, reject) => { request.on('response', resolve).on('error', reject); });
        const feeding = feed(request);
        if (pace !== 'at full speed') {
          await until(() => incoming, 5000, 'the request arrives');
          await pauses(incoming, () => feeding.written);
        }
        const parts = [];
        for await (const part of await answered) parts.push(part);
        assert.equal(Buffer.concat(parts).toString(), expected);
        assert.equal(digest.length, size);
        await bounded();
      });
    }
  }

  scenario('both ways at once', async (world) => {
    const { proxy, bounded } = await start(world, (request, response) => {
      response.writeHead(200, { 'Content-Length': size });
      request.pipe(response);
    });
    const digest = new Digest();
    const request = http.request({ ...proxy.address.to, method: 'POST', headers: { 'Content-Length': size }, agent: false });
    const answered = new Promise((resolve, reject) => { request.on('response', resolve).on('error', reject); });
    feed(request);
    for await (const part of await answered) digest.add(part);
    assert.equal(digest.done(), expected);
    await bounded();
  });

  scenario('chunks of a byte are passed on without growth', async (world) => {
    const count = 100_000;
    const { proxy, bounded } = await start(world, (request, response) => request.resume().on('end', () => response.end('done')));
    const socket = net.connect(proxy.address.to);
    world.own({ close: () => socket.destroy() });
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write('1\r\nx\r\n'.repeat(count));
    socket.write('0\r\n\r\n');
    let text = '';
    for await (const part of socket) text += part;
    assert.match(text, /^HTTP\/1\.1 200 [^]*done/);
    await bounded();
  });
});
