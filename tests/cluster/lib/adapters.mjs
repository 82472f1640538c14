// The adapters that clusters are tried with: the flags of their nodes.
export const adapters = {
  classic: ['--adapter', 'classic'],
  'classic, another key, answers on channels of their own': ['--adapter', 'classic', '--specific', '--key', 'my:app'],
  'sharded, dynamic': ['--adapter', 'sharded'],
  'sharded, static': ['--adapter', 'sharded', '--mode', 'static'],
  'sharded, dynamic-private': ['--adapter', 'sharded', '--mode', 'dynamic-private'],
  'streams, sharded pub/sub': ['--adapter', 'streams', '--sharded-pubsub'],
  'streams, recovery': ['--adapter', 'streams', '--recovery', '60000'],
  'streams, eager recovery, three streams': ['--adapter', 'streams', '--recovery', '60000', '--eager', '--stream-count', '3'],
  'streams, no recovery, plain text': ['--adapter', 'streams', '--plaintext', '--stream', 'socket.io-stream'],
};

// Where a namespace's messages go when there are several streams, as Node.js reckons it: some go to one that nobody reads.
function streamOf(flags, nsp) {
  const value = (flag) => (flags.includes(flag) ? flags[flags.indexOf(flag) + 1] : undefined);
  const [name, count] = [value('--stream') ?? 'socket.io', Number(value('--stream-count') ?? 1)];
  if (count === 1) return name;
  let hash = 0;
  for (let i = 0; i < nsp.length; i += 1) hash = (hash * 31 + nsp.charCodeAt(i)) | 0;
  return `${name}-${hash % count}`;
}

export function of(name) {
  const flags = adapters[name];
  const kind = flags[1];
  const sharded = kind === 'sharded' || flags.includes('--sharded-pubsub');
  const key = flags.includes('--key') ? flags[flags.indexOf('--key') + 1] : 'socket.io';
  return {
    name, flags, kind, key, sharded,
    recovery: flags.includes('--recovery'),
    plaintext: flags.includes('--plaintext'),
    // The channel whose subscribers are the nodes that serve a namespace.
    counted: (nsp = '/') => (kind === 'classic' ? `${key}-request#${nsp}#` : `${key}#${nsp}#`),
    stream: (nsp = '/') => streamOf(flags, nsp),
  };
}
