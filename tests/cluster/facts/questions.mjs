// What wants answers, of all nodes: fetchSockets, broadcasts with acks, and events from server to servers.
import assert from 'node:assert/strict';
import { until } from '../../e2e/lib/deadline.mjs';

const ids = (sockets) => sockets.map(({ id }) => id).sort();
const idsOf = (members) => members.map(({ id }) => id).sort();
const sorted = (values) => [...values].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

function fetches(fact) {
  fact('all sockets are found, and those of rooms', async (cluster) => {
    const members = cluster.of();
    const meant = [
      [{}, () => true],
      [{ to: ['ws'] }, (member) => member.rooms.has('ws')],
      [{ to: ['last', 'räume #🙂,'] }, (member) => member.rooms.has('last') || member.rooms.has('räume #🙂,')],
      [{ to: ['first two'], except: ['ws'] }, (member) => member.rooms.has('first two') && !member.rooms.has('ws')],
      [{ to: [members[3].id] }, (member) => member === members[3]],
      [{ to: ['nobody'] }, () => false],
    ];
    for (const node of cluster.nodes) {
      for (const [choice, wanted] of meant) {
        const { error, sockets } = await node.do('fetch', choice);
        assert.deepEqual([error, ids(sockets)], [null, idsOf(members.filter(wanted))], `${node.name}: ${JSON.stringify(choice)}`);
      }
      const { sockets } = await node.do('fetch', { flags: ['local'] });
      assert.deepEqual(ids(sockets), idsOf(cluster.on(node)));
    }
  });

  fact('a socket that is found tells its handshake, rooms and data', async (cluster, world) => {
    const owners = [];
    for (const node of cluster.nodes) {
      const member = await cluster.member(node, {
        auth: { token: 'ü', n: [1] }, query: { a: 'b c', x: '1' }, extraHeaders: { cookie: 'c=d' },
      });
      const data = { name: 'ü', list: [1, null, { deep: true }], half: 0.5, big: 2 ** 40 };
      await node.do('data', {}, member.id, data);
      await node.do('seat', {}, member.id, ['found', 'also here']);
      owners.push({ member, node, data });
    }
    for (const node of cluster.nodes) {
      for (const { member, data } of owners) {
        const { sockets: [found] } = await node.do('fetch', { to: [member.id] });
        const what = `${member.name} as ${node.name} sees it`;
        assert.deepEqual(found.data, data, what);
        assert.deepEqual([...found.rooms].sort(), [member.id, 'also here', 'found'].sort(), what);
        const { auth, query, headers, address, url, issued, time, xdomain, secure } = found.handshake;
        assert.deepEqual(auth, { token: 'ü', n: [1] }, what);
        assert.deepEqual([query.a, query.x, query.EIO, query.transport], ['b c', '1', '4', 'websocket'], what);
        assert.equal(headers.cookie, 'c=d', what); // limpet keeps no more than a few
        assert.match(address, /127\.0\.0\.1$/, what);
        assert.match(url, /^\/socket\.io\/\?.*EIO=4/, what);
        assert.equal(typeof issued, 'number', what);
        assert.ok(Math.abs(Date.parse(time) - issued) < 2000, `${what}: ${time} is ${issued}`);
        assert.deepEqual([xdomain, secure], [false, false], what);
      }
    }
    for (const { member } of owners) cluster.leaves(member);
    for (const node of cluster.nodes) {
      await until(async () => !(await node.do('fetch', { to: ['found'] })).sockets.length, 5000, `${node.name} knows that they have left`);
    }
  });
}

function acks(fact, adapter) {
  const ask = (node, choice, ...values) => node.do('emitAsk', { timeout: 8000, ...choice }, 'ask', ...values);

  fact('broadcasts with acks: everyone is asked once and answers', async (cluster) => {
    const members = cluster.of();
    members.forEach((member) => { member.answer = (value) => ({ of: member.id, value }); });
    for (const node of cluster.nodes) {
      for (const [choice, wanted] of [[{}, () => true], [{ to: ['ws'] }, (one) => one.rooms.has('ws')],
        [{ to: ['first two'], except: ['ws'] }, (one) => one.rooms.has('first two') && !one.rooms.has('ws')],
        [{ to: [members[6].id] }, (one) => one === members[6]], [{ to: ['nobody'] }, () => false]]) {
        let result;
        const heard = await cluster.heardAfter(node, '/', async () => { result = await ask(node, choice, 'ü', { n: 1 }); });
        const asked = members.filter(wanted);
        const what = `${node.name}: ${JSON.stringify(choice)}`;
        assert.deepEqual([result.error, sorted(result.answers)], [null, sorted(asked.map(({ id }) => ({ of: id, value: 'ü' })))], what);
        cluster.expect(heard, wanted, [['ask', 'ü', { n: 1 }]], '/', what);
      }
    }
  });

  if (!adapter.plaintext) {
    fact('broadcasts with acks: bytes there and back', async (cluster) => {
      const bytes = Buffer.from([0, 255, 128]);
      cluster.of().forEach((member) => { member.answer = (value) => ({ got: [value], own: member.id }); });
      for (const node of cluster.nodes) {
        const { error, answers } = await ask(node, {}, bytes);
        assert.deepEqual([error, sorted(answers)], [null, sorted(cluster.of().map(({ id }) => ({ got: [bytes], own: id })))], node.name);
      }
    });
  }

  fact('broadcasts with acks: who is silent is missing', async (cluster) => {
    const members = cluster.of();
    members.forEach((member) => { member.answer = () => member.id; });
    const silent = [members[1], members[5]];
    silent.forEach((member) => { member.answer = undefined; });
    try {
      await Promise.all(cluster.nodes.map(async (node) => {
        const { error, answers } = await ask(node, { timeout: 700 });
        assert.deepEqual([error, [...answers].sort()], ['incomplete', idsOf(members.filter((one) => !silent.includes(one)))], node.name);
      }));
    } finally {
      silent.forEach((member) => { member.answer = () => member.id; });
    }
  });

  fact('broadcasts with acks: only this node', async (cluster) => {
    cluster.of().forEach((member) => { member.answer = () => member.id; });
    await Promise.all(cluster.nodes.map(async (node) => {
      const { error, answers } = await ask(node, { flags: ['local'], timeout: 700 });
      // Node.js waits for answers of all nodes even so.
      if (node.limpet) assert.equal(error, null);
      assert.deepEqual([...answers].sort(), idsOf(cluster.on(node)));
    }));
  });
}

function serverEvents(fact, adapter, brief) {
  // A question is answered by all others after they have acted on what was published before it, by the same way.
  const heardBy = async (cluster, node, act, expected) => {
    for (const one of cluster.nodes) await one.do('heard');
    await act();
    const { error } = await node.do('serverAsk', {}, 'ask', 'fence');
    assert.equal(error, null);
    for (const one of cluster.nodes) {
      const heard = (await one.do('heard')).filter(([, , first]) => first !== 'fence');
      assert.deepEqual(heard, one === node ? [] : expected, `${one.name} hears what ${node.name} says`);
    }
  };

  fact('events between servers reach all others once', async (cluster) => {
    for (const node of cluster.nodes) {
      await heardBy(cluster, node, async () => {
        await node.do('serverEmit', {}, 'note', 'ü 🙂', 1.5, { a: [null, true] });
        await node.do('serverEmit', {}, 'note');
        await node.do('serverEmit', {}, 'unknown', 1);
      }, [['/', 'note', 'ü 🙂', 1.5, { a: [null, true] }], ['/', 'note']]);
    }
  });

  fact('events between servers with answers: one of each other', async (cluster) => {
    for (const node of cluster.nodes) {
      await heardBy(cluster, node, async () => {
        const { error, answers } = await node.do('serverAsk', {}, 'ask', 'ü', [2]);
        const wanted = cluster.peers(node).map(({ id }) => ({ node: id, got: ['ü', [2]] }));
        assert.deepEqual([error, sorted(answers)], [null, sorted(wanted)], node.name);
      }, [['/', 'ask', 'ü', [2]]]);
      const { error, answers } = await node.do('serverAsk', {}, 'twice');
      assert.deepEqual([error, [...answers].sort()], [null, cluster.peers(node).map(({ id }) => id)], node.name);
    }
  });

  if (adapter.kind !== 'classic' && !adapter.plaintext) {
    fact('events between servers may hold bytes', async (cluster) => {
      const bytes = Buffer.from([0, 1, 254]);
      for (const node of cluster.nodes) {
        const { error, answers } = await node.do('serverAsk', {}, 'ask', { bytes });
        assert.equal(error, null);
        assert.deepEqual(sorted(answers), sorted(cluster.peers(node).map(({ id }) => ({ node: id, got: [{ bytes }] }))), node.name);
      }
    });
  }

  fact('who has no handler keeps nobody waiting, if it is limpet', async (cluster) => {
    for (const node of cluster.nodes) {
      const { error, answers } = await node.do('serverAsk', {}, 'nodejsAlone');
      const wanted = cluster.peers(node).map((one) => (one.limpet ? null : one.id));
      assert.deepEqual([error, answers.map((one) => one ?? null).sort()], [null, wanted.sort()], node.name);
    }
  });

  if (brief) return;
  fact('who is silent is missing among the answers', { seconds: 60 }, async (cluster) => {
    await Promise.all(cluster.nodes.map(async (node) => {
      const { error, answers } = await node.do('serverAsk', {}, 'silent');
      assert.match(error, /^timeout reached: only 0 responses received out of 3$/, node.name);
      assert.deepEqual(answers, [], node.name);
    }));
  });
}

export function questions(fact, adapter, brief) {
  fetches(fact);
  acks(fact, adapter);
  serverEvents(fact, adapter, brief);
}
