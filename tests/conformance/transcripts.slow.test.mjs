// The same script by polling, and by clients of Socket.IO 2.
import { compareTranscripts } from './lib/scripts.mjs';

compareTranscripts(4, ['polling']);
compareTranscripts(2, ['polling', 'WebSocket', 'polling, then WebSocket'], ['--eio3']);
