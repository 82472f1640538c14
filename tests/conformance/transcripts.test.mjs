// One script of the current official client against the same application on Node.js and on limpet.
import { compareTranscripts } from './lib/scripts.mjs';

compareTranscripts(4, ['WebSocket', 'polling, then WebSocket']);
