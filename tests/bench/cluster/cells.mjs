// What is measured: the cells, their load, and how many times Node.js limpet has to reach in each, per CPU second.
//
// `kind` is the adapter. Deliveries: a speaker on another node, the members on the one that is measured. Publishes: the
// one that is measured tells a room where nobody is, `in-flight` times before it waits for an answer.
const deliveries = (kind, outstanding, more = {}) => ({
  unit: 'delivery', mode: 'io-fanout', flags: { size: 64, sockets: 1000, 'in-flight': outstanding }, kind, variant: `${kind} heard`,
  speaker: true, goal: 1.6, warmUp: 2, ...more,
});
const publishes = (kind, burst, goal) => ({
  unit: 'publish', mode: 'io-publish', flags: { size: 64, sockets: 1, 'in-flight': burst }, kind, variant: `${kind} said`, goal, warmUp: 2,
  quick: {},
});

export const cells = {
  'classic-deliveries': deliveries('classic', 1, { quick: { sockets: 200 } }),
  'classic-deliveries-x4': deliveries('classic', 4),
  'classic-one-by-one': publishes('classic', 1, 1.5),
  'classic-bursts': publishes('classic', 100, 5),
  'streams-deliveries': deliveries('streams', 1, { quick: { sockets: 200 } }),
  'streams-deliveries-x4': deliveries('streams', 4),
  'streams-one-by-one': publishes('streams', 1, 1.5),
  'streams-bursts': publishes('streams', 100, 5),
};
