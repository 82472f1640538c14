// What is told to many: it reaches all who are meant, on every node, once and in order.
import assert from 'node:assert/strict';
import { until } from '../../e2e/lib/deadline.mjs';
import { binaries, numbers, surrogates, texts, wideNumbers } from '../lib/values.mjs';

const all = () => true;
const inAny = (...rooms) => (member) => rooms.some((room) => member.rooms.has(room));

// Members' rooms, as setUpRooms() has put them.
export async function setUpRooms(cluster) {
  const members = cluster.of();
  const rooms = {
    ws: members.filter((member) => member.transport === 'websocket'),
    'first two': members.filter((member) => member.node.index < 2),
    last: members.filter((member) => member.node.index === 3),
    'exactly-20-character': members.filter((member) => member.node.index % 2),
    'r*[a-z]?\\{x}': members.filter((member) => member.node.index !== 1),
    'räume #🙂,': members.slice(2, 7),
    42: members.slice(0, 3).concat(members.slice(5)),
  };
  members.forEach((member) => { member.rooms = new Set(); });
  for (const [room, inside] of Object.entries(rooms)) {
    await cluster.room(room, inside);
    inside.forEach((member) => member.rooms.add(room));
  }
}

function values(fact, adapter) {
  const round = async (cluster, lists) => {
    for (const node of cluster.nodes) {
      const sent = lists(node).map((list) => ['value', ...list]);
      const heard = await cluster.heardAfter(node, '/', async () => {
        for (const [event, ...list] of sent) await node.do('emit', {}, event, ...list);
      });
      cluster.expect(heard, all, sent, '/', node.name);
    }
  };
  fact('texts, arrays and objects reach everyone', (cluster) => round(cluster, () => texts));
  fact('numbers reach everyone as they are', (cluster) => round(cluster, (node) => [
    numbers, ...(node.limpet || adapter.kind !== 'classic' ? [wideNumbers, { of: wideNumbers }] : []),
  ].map((value) => [value])));
  if (!adapter.plaintext) fact('bytes reach everyone', (cluster) => round(cluster, () => binaries));
  fact('names of events are any text', async (cluster) => {
    for (const node of cluster.nodes) {
      for (const name of ['', 'message', 'error', 'connection', 'ü "quoted" 🙂', 'x'.repeat(300)]) {
        await cluster.tells(node, {}, all, name, 1);
      }
    }
  });

  // notepack.io makes something of them; each has to come, as text, and to harm nobody.
  fact('lone surrogates harm nobody', async (cluster) => {
    for (const node of cluster.nodes) {
      const heard = await cluster.heardAfter(node, '/', async () => {
        for (const one of surrogates) await node.do('emit', {}, 'broken', one);
      });
      for (const one of heard) {
        assert.equal(one.length, surrogates.length);
        for (const [event, value] of one) assert.deepEqual([event, typeof value], ['broken', 'string']);
      }
    }
    assert.ok(cluster.of().every((member) => member.connected));
  });

  fact('what JSON has no words for reaches all other nodes alike', async (cluster) => {
    const names = ['date', 'undefined', 'nan', 'infinity', 'inside', 'json', 'minusZero'];
    for (const node of cluster.nodes.filter((one) => !one.limpet)) {
      const heard = await cluster.heardAfter(node, '/', () => node.do('emitSpecial', {}, 'special', ...names));
      const expected = ['special', '2020-09-13T12:26:40.007Z', null, null, null,
        { date: '1970-01-01T00:00:00.000Z', list: [null, null] }, { by: 'toJSON' }, 0];
      cluster.of().forEach((member, index) => {
        const told = heard[index].map(([event, ...list]) => [event, ...list.map((value) => {
          if (!value || typeof value !== 'object') return value === 0 ? 0 : value;
          const { nothing, ...rest } = value; // left out or null
          return rest;
        })]);
        assert.deepEqual(told, [expected], member.name);
      });
    }
    if (adapter.plaintext) return;
    for (const node of cluster.nodes.filter((one) => !one.limpet)) {
      const heard = await cluster.heardAfter(node, '/', () => node.do('emitSpecial', {}, 'typed', 'typed'));
      for (const one of heard) assert.deepEqual(one, [['typed', Buffer.from([1, 2, 3])]]);
    }
  });
}

function targets(fact) {
  fact('a room', async (cluster) => {
    for (const node of cluster.nodes) {
      for (const room of ['ws', 'first two', 'last', 'exactly-20-character', 'r*[a-z]?\\{x}', 'räume #🙂,', 'nobody']) {
        await cluster.tells(node, { to: [room] }, inAny(room), 'room', room);
      }
    }
  });
  fact('several rooms: each member once', async (cluster) => {
    for (const node of cluster.nodes) {
      await cluster.tells(node, { to: ['ws', 'first two', 'nobody'] }, inAny('ws', 'first two'), 'rooms', 1);
      await cluster.tells(node, { to: ['ws', 'ws'] }, inAny('ws'), 'same', Buffer.from('x').toString());
    }
  });
  fact('all but some', async (cluster) => {
    for (const node of cluster.nodes) {
      await cluster.tells(node, { except: ['ws'] }, (member) => !member.rooms.has('ws'), 'except', 1);
      await cluster.tells(node, { to: ['first two'], except: ['ws', 'nobody'] },
        (member) => member.rooms.has('first two') && !member.rooms.has('ws'), 'except', 2);
      await cluster.tells(node, { to: ['ws'], except: ['ws'] }, () => false, 'except', 3);
    }
  });
  fact('one socket, wherever it is', async (cluster) => {
    for (const node of cluster.nodes) {
      for (const one of cluster.of()) await cluster.tells(node, { to: [one.id] }, (member) => member === one, 'one', one.id);
      const [two] = cluster.of();
      await cluster.tells(node, { except: [two.id] }, (member) => member !== two, 'others', 1);
    }
  });
  fact('from a socket to all others', async (cluster) => {
    for (const node of cluster.nodes) {
      const [from] = cluster.on(node);
      await cluster.tells(node, { from: from.id }, (member) => member !== from, 'others', 1);
      await cluster.tells(node, { from: from.id, to: ['ws'] }, (member) => member !== from && member.rooms.has('ws'), 'others', 2);
    }
  });
  fact('from the server to one socket', async (cluster) => {
    for (const node of cluster.nodes) {
      const [one] = cluster.on(node);
      const heard = await cluster.heardAfter(node, '/', () => node.do('single', {}, one.id, 'single', { to: 'you' }));
      cluster.expect(heard, (member) => member === one, [['single', { to: 'you' }]]);
    }
  });
  fact('this node alone', async (cluster) => {
    for (const node of cluster.nodes) {
      await cluster.tells(node, { flags: ['local'] }, (member) => member.node === node, 'local', 1);
      await cluster.tells(node, { flags: ['local'], to: ['ws'] }, (member) => member.node === node && member.rooms.has('ws'), 'local', 2);
    }
  });
  fact('compressed or not', async (cluster) => {
    for (const node of cluster.nodes) await cluster.tells(node, { flags: ['compress'] }, all, 'compressed', 'x'.repeat(2000));
  });
}

function rooms(fact) {
  // Rooms of Node.js may be numbers, which are other rooms than their texts.
  fact('rooms with numbers for names', async (cluster) => {
    for (const node of cluster.nodes) {
      await node.do('join', { to: ['first two'] }, [7]);
      const inside = (member) => member.rooms.has('first two');
      await until(async () => {
        const heard = await cluster.heardAfter(node, '/', () => node.do('emit', { to: [7] }, 'number'));
        return cluster.of().every((member, index) => heard[index].length === (inside(member) ? 1 : 0));
      }, 10_000, 'they have joined');
      await cluster.tells(node, { to: [7], except: ['ws'] }, (member) => inside(member) && !member.rooms.has('ws'), 'number', 7);
      await cluster.tells(node, { except: [7] }, (member) => !inside(member), 'number', 8);
      await cluster.tells(node, { to: ['7'] }, () => false, 'text', 7);
      await node.do('leave', {}, [7]);
      await until(async () => {
        const heard = await cluster.heardAfter(node, '/', () => node.do('emit', { to: [7] }, 'number'));
        return heard.every((one) => !one.length);
      }, 10_000, 'they have left');
    }
    for (const node of cluster.nodes) await cluster.tells(node, { to: ['42'] }, inAny('42'), 'text', 42);
  });
}

function traffic(fact) {
  fact('volatile: nobody twice, and whoever is idle once', async (cluster) => {
    for (const node of cluster.nodes) {
      const heard = await cluster.heardAfter(node, '/', () => node.do('emit', { flags: ['volatile'] }, 'volatile', 1));
      cluster.of().forEach((member, index) => {
        const most = [['volatile', 1]];
        assert.deepEqual(heard[index], member.transport === 'polling' ? most.slice(0, heard[index].length) : most, member.name);
      });
    }
  });
  fact('bursts of all nodes at once come whole and in order', async (cluster) => {
    for (const member of cluster.of()) member.take();
    const count = 500;
    await Promise.all(cluster.nodes.map((node) => (
      node.do('burst', node.index % 2 ? { to: ['ws', '42'] } : {}, node.id, count, 'x'.repeat(50)))));
    for (const node of cluster.nodes) await cluster.mark(node);
    const wanted = [...Array(count).keys()];
    for (const member of cluster.of()) {
      const heard = member.take();
      for (const node of cluster.nodes) {
        const mine = heard.filter(([event]) => event === node.id).map(([, number]) => number);
        assert.deepEqual(mine, node.index % 2 && !inAny('ws', '42')(member) ? [] : wanted, `${member.name} of ${node.name}`);
      }
    }
  });
}

export function broadcasts(fact, adapter) {
  values(fact, adapter);
  targets(fact);
  rooms(fact);
  traffic(fact);
}
