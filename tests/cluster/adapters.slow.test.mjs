// The adapters' other settings.
import { everything } from './lib/everything.mjs';

for (const name of [
  'classic, answers on channels of their own', 'classic, another key', 'sharded, static', 'sharded, dynamic-private', 'streams',
  'streams, sharded pub/sub', 'streams, eager recovery, three streams', 'streams, plain text',
]) everything(name);
