// The streams adapter's other settings.
import { everything } from './lib/everything.mjs';

for (const name of [
  'streams, no recovery, plain text', 'streams, sharded pub/sub', 'streams, eager recovery, three streams',
]) everything(name, { brief: true });
