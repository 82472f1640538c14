import { everything } from './lib/everything.mjs';

everything('sharded, dynamic');
