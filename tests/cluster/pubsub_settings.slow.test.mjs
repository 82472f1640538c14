// The pub/sub adapters' other settings.
import { everything } from './lib/everything.mjs';

for (const name of [
  'classic, another key, answers on channels of their own', 'sharded, static', 'sharded, dynamic-private',
]) everything(name, { brief: true });
