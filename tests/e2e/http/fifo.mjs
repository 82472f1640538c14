// Fifo: a named pipe, written without ever waiting for room.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { until } from '../lib/deadline.mjs';

export class Fifo {
  static async create(world) {
    const fifo = new Fifo();
    fifo.path = `${await world.directory()}/fifo`;
    execFileSync('mkfifo', [fifo.path]);
    return fifo;
  }

  // Waits for somebody who reads, or is about to; gives the descriptor to write to.
  reader() { return until(() => openSync(this.path, constants.O_WRONLY | constants.O_NONBLOCK), 5000, 'somebody reads it'); }

  // All that its reader will see.
  async write(text) {
    const fd = await this.reader();
    writeSync(fd, text);
    closeSync(fd);
  }
}
