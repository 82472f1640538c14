// How often limpet allocates: a library that the build makes beside it is preloaded and counts.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { binary } from './limpet.mjs';

const counter = path.join(path.dirname(binary), '../tests/unit/libcount_allocations.so');

// Why nothing can be counted: a sanitizer has its own malloc, a package has no tests.
export const uncounted = existsSync(counter) ? false : `no ${path.basename(counter)} beside ${binary}`;

export class Allocations {
  constructor(dir) {
    this.file = path.join(dir, 'allocations');
    this.env = { LD_PRELOAD: counter, ALLOCATIONS: this.file };
  }

  // { asked, resized, givenBack } since the process began.
  get now() {
    const bytes = readFileSync(this.file);
    const [asked, resized, givenBack] = [0, 8, 16].map((at) => Number(bytes.readBigUInt64LE(at)));
    return { asked, resized, givenBack };
  }
}
