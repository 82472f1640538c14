// Three real socket.io nodes, joined by the Redis adapter over a real redis-server, behind limpet.
//
//   const { proxy, nodes } = await cluster(world, { pool: 'affinity = ["source"]', cookie: false });

// `pool` is TOML for [pool.ws], `more` for anything after it; `fast` probes ten times as often as the defaults
// do, for tests of health. Everything else goes to the nodes.
export async function cluster(
  world,
  { count = 3, redis = true, pool = '', more = '', fast = false, entry = (node) => node.entry, ...options } = {},
) {
  const redisUrl = redis ? (await world.redis()).url : undefined;
  const ids = Array.from({ length: count }, (_, i) => `ws${i + 1}`);
  const nodes = await Promise.all(ids.map((id) => world.node({ id, redisUrl, ...options })));
  const servers = nodes.map((node) => `"${entry(node)}"`).join(', ');
  const health = fast ? '[pool.ws.health]\ninterval = "200ms"\nfast_interval = "50ms"\ntimeout = "500ms"\nslow_start = "0s"\n' : '';
  const proxy = await world.limpet(`[pool.ws]\nservers = [${servers}]\n${pool}\n${health}\n${more}`);
  return { proxy, nodes, redisUrl, node: (id) => nodes.find((one) => one.id === id) };
}

// A source address of its own for every number: 127.1.0.1 onwards, all of them this machine's.
export function loopback(number) {
  return `127.1.${Math.floor(number / 250) % 250}.${1 + (number % 250)}`;
}
