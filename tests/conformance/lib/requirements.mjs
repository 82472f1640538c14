// Each requirement is tried on both sides, with a server of its own for each group.
import { describe } from 'node:test';
import { sharing } from '../../e2e/lib/world.mjs';
import { Server, sides } from './servers.mjs';

// `facts(fact, side)` says what is required: fact(name, async (server, world) => ...). Facts of a group run at the same
// time: each has a session of its own, and most wait for a clock.
export function onBothSides(title, [program, ...flags], facts) {
  for (const side of sides) {
    describe(`${title} (${side})`, { concurrency: 8 }, () => {
      const shared = sharing(async (world) => world.own(await Server.start(side, program, flags)));
      facts((name, body) => shared.fact(name, body), side);
    });
  }
}
