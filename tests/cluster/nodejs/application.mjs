// What a node does in each namespace, on Node.js; application.cpp does the same on limpet.
export class Application {
  #heard = [];

  constructor(io, id, greets) {
    Object.assign(this, { id, greets });
    io.on('new_namespace', (nsp) => this.#serve(nsp));
    this.#serve(io.of('/'));
    io.of(/^\/dynamic-\d+$/);
  }

  takeHeard() {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  #serve(nsp) {
    if (this.greets) nsp.on('connection', (socket) => socket.emit('welcome'));
    const on = (event, answer) => nsp.on(event, (...values) => {
      const reply = typeof values.at(-1) === 'function' ? values.pop() : () => {};
      this.#heard.push([nsp.name, event, ...values]);
      answer?.(reply, values);
    });
    on('note');
    on('silent');
    on('ask', (reply, got) => reply({ node: this.id, got }));
    on('twice', (reply) => {
      reply(this.id);
      reply('again');
    });
    // Nobody on limpet listens to this one.
    on('nodejsAlone', (reply) => reply(this.id));
  }
}
