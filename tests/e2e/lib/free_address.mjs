// An address that nobody has.
import net from 'node:net';

// 127.0.3.1 is used by nothing else here: no connection takes the port away until it is opened.
export const host = '127.0.3.1';

export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const freeAddress = async () => `${host}:${await freePort()}`;
