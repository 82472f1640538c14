// Namespaces share a Redis and nothing else, whatever they are called; some are made when clients ask for them.
import assert from 'node:assert/strict';

// Without square brackets: they are patterns to Redis, and Node.js' classic adapter would not hear itself. Without one
// that begins with /#: there the patterns of two namespaces overlap, and it hears each message twice.
export const odd = ['/admin', '/ad', '/ü 🙂', '/a b', '/x*', '/a#b', '/{tag}', '/%41', '/very/deep/indeed'];
const dynamic = '/dynamic-7';
export const namespaceFlags = odd.flatMap((name) => ['--namespace', name]);

export function namespaces(fact, adapter) {
  const names = [...odd, dynamic].filter((nsp) => !adapter.stream(nsp).includes('--'));

  fact('each reaches its own alone', { seconds: 60 }, async (cluster) => {
    for (const nsp of names) {
      for (const node of cluster.nodes) await cluster.member(node, { nsp, transport: node.index % 2 ? 'polling' : 'websocket' });
    }
    for (const nsp of names) await cluster.ready(nsp);
    for (const node of cluster.nodes) {
      for (const member of cluster.members) member.take();
      for (const nsp of names) await node.do('emit', { nsp }, 'own', nsp);
      for (const nsp of ['/', ...names]) await cluster.mark(node, nsp);
      for (const member of cluster.members) {
        assert.deepEqual(member.take(), member.nsp === '/' ? [] : [['own', member.nsp]], `${member.nsp}: ${member.name} of ${node.name}`);
      }
    }
  });

  if (!names.includes(dynamic)) return;
  fact('rooms, answers and events between servers in one made on demand', async (cluster) => {
    const nsp = dynamic;
    const members = cluster.of(nsp);
    assert.equal(members.length, 4, 'those that the first fact has connected');
    await cluster.room('room', members.slice(1), nsp);
    for (const node of cluster.nodes) {
      await cluster.tells(node, { nsp, to: ['room'] }, (member) => member !== members[0], 'room', 1);
      members.forEach((member) => { member.answer = () => member.id; });
      const { error, answers } = await node.do('emitAsk', { nsp, timeout: 8000 }, 'ask');
      assert.deepEqual([error, [...answers].sort()], [null, members.map(({ id }) => id).sort()], node.name);
      const asked = await node.do('serverAsk', { nsp }, 'ask', 1);
      const who = asked.answers.map((one) => one.node).sort();
      assert.deepEqual([asked.error, who], [null, cluster.peers(node).map(({ id }) => id)], node.name);
    }
  });
}
