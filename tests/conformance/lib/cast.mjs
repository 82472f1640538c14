// Cast: the official clients of one script, by their names; record() is what is compared.
import { until } from '../../e2e/lib/deadline.mjs';
import { Tapped } from './tapped_client.mjs';

export const transportsOf = { 'polling': ['polling'], 'WebSocket': ['websocket'], 'polling, then WebSocket': ['polling', 'websocket'] };
export class Cast {
  constructor(server, world, version, transports, options = {}) {
    Object.assign(this, { server, world, version, transports, options, clients: {} });
  }

  make(name, options) {
    const client = new Tapped(this.server.url, this.version, { transports: this.transports, ...this.options, ...options });
    this.clients[name] = this.world.own(client);
    return client;
  }

  enter(name, options) { return this.make(name, options).settles(this.transports); }

  // Ends a client's connection as a network does; returns once the server has told the watcher.
  async breaks(client, watcher) {
    client.socket.io.engine.close();
    await client.leaves();
    await watcher.hears('left');
  }

  // After everything that `speaker` has asked for has come to everybody: it has an answer of the server, then all have,
  // twice, as what a first one causes may be under way.
  async calm(speaker) {
    await speaker.call('self');
    for (let round = 0; round < 2; round += 1) {
      for (const client of Object.values(this.clients)) if (client.socket.connected) await client.call('self');
    }
  }

  record() { return Object.fromEntries(Object.entries(this.clients).map(([name, { record }]) => [name, record])); }
}
