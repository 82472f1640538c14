import { everything } from './lib/everything.mjs';

everything('classic');
