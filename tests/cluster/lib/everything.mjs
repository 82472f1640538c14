// All facts of one adapter, on one cluster. `brief`: without those that have to wait for long.
import { describe } from 'node:test';
import { sharing } from '../../e2e/lib/world.mjs';
import { broadcasts, setUpRooms } from '../facts/broadcasts.mjs';
import { emitting } from '../facts/emitters.mjs';
import { namespaceFlags, namespaces } from '../facts/namespaces.mjs';
import { questions } from '../facts/questions.mjs';
import { sweeps } from '../facts/sweeps.mjs';
import { of } from './adapters.mjs';
import { Cluster } from './cluster.mjs';

export function everything(name, { brief = false } = {}) {
  describe(name, () => {
    const adapter = of(name);
    const { fact } = sharing(async (world) => {
      const cluster = await Cluster.start(world, adapter, { flags: namespaceFlags });
      await cluster.fill();
      await cluster.ready();
      await setUpRooms(cluster);
      return cluster;
    }, { seconds: 60 });
    const patient = (what, options, body) => (body ? fact(what, options, body) : fact(what, { seconds: 45 }, options));
    broadcasts(patient, adapter);
    questions(patient, adapter, brief);
    sweeps(patient);
    emitting(patient, adapter);
    namespaces(patient, adapter);
  });
}
