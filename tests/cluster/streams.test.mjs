import { everything } from './lib/everything.mjs';

everything('streams, recovery');
