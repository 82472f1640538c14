// The wait until somebody answers at an address.
import net from 'node:net';
import { until } from '../e2e/lib/deadline.mjs';

// Whether a WebSocket upgrade of `target` is answered with 101.
function upgrades(address, target) {
  const [to, port] = address.split(':');
  return new Promise((resolve) => {
    const socket = net.connect({ host: to, port: Number(port) });
    const done = (answer) => { socket.destroy(); resolve(answer); };
    socket.setTimeout(1000, () => done(false)).once('error', () => done(false)).once('close', () => done(false));
    socket.once('data', (data) => done(data.toString('latin1').startsWith('HTTP/1.1 101')));
    socket.write(`GET ${target} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n');
  });
}

// Waits until the Process answers at its `listen`; ends it if it does not.
export async function whenReady(name, one, target) {
  try {
    const ready = await until(async () => one.end ?? await upgrades(one.listen, target), 10_000, `${name} answers an upgrade`);
    if (ready !== true) throw new Error(`${name} ended at its start`);
  } catch (error) {
    await one.finish();
    throw new Error(`${error.message}\n${one.log()}`);
  }
  return one;
}
