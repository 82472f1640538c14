// Connects and sends without end, whatever it is told, and again once it is cut off. argv: host, port.
// Says how many bytes each connection took from it.
import net from 'node:net';

const [host, port] = process.argv.slice(2);
const block = Buffer.alloc(1 << 20);

function flood() {
  const socket = net.connect({ host, port: Number(port) });
  let taken = 0;
  const more = () => socket.write(block, (error) => {
    if (error) return;
    taken += block.length;
    more();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    console.log(taken);
    setImmediate(flood);
  });
  for (let i = 0; i < 8; i += 1) more();
}
flood();
