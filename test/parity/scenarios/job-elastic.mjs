// Indexed Jobs: lists of indexes, elasticity, failures per index, policies.
import { active, change, events, indexOf, job, jobStatus, pods, reaches, start } from './shared.mjs';

const indexed = (name, spec, template) => job(name, { completionMode: 'Indexed', ...spec }, template);
const at = (list, i) => list.find((p) => indexOf(p) === String(i));
const all = (t, list, code, which) => Promise.all(which.map((i) => t.finish(at(list, i), code)));

export default {
  async 'lists of completed indexes of every shape'(t) {
    const ten = await start(t, indexed('shape', { completions: 10, parallelism: 10 }), 10);
    for (const [more, count] of [[[0], 1], [[2], 2], [[1], 3], [[9], 4], [[5, 7], 6], [[6], 7], [[3], 8], [[8, 4], 10]]) {
      await all(t, ten, 0, more);
      const j = await t.until(`${count} are done`, async () => { const s = await t.read('jobs', 'shape'); return s.status.succeeded === count && s; });
      t.show('completed', j.status.completedIndexes);
    }
    await reaches(t, 'shape', (s, is) => is('Complete'));
  },

  async 'failed and completed lists together'(t) {
    const eight = await start(t, indexed('both', { completions: 8, parallelism: 8, backoffLimitPerIndex: 0 }), 8);
    await all(t, eight, 1, [0, 1, 2, 6]);
    await reaches(t, 'both', (s) => s.failed === 4 && s.active === 4);
    await all(t, eight, 0, [3, 4, 7]);
    await reaches(t, 'both', (s) => s.succeeded === 3 && s.active === 1);
    await all(t, eight, 1, [5]);
    await reaches(t, 'both', (s, is) => is('Failed'));
    await pods(t, 'both');
    await events(t, 'Job', 'both', 9);
  },

  async 'grown while some indexes are done'(t) {
    const two = await start(t, indexed('grow', { completions: 2, parallelism: 2 }), 2);
    await all(t, two, 0, [1]);
    await reaches(t, 'grow', (s) => s.succeeded === 1 && s.active === 1);
    await change(t, 'grow', { completions: 5, parallelism: 5 });
    const four = await active(t, 'grow', 4);
    t.show('indexes', four.map(indexOf));
    await all(t, four, 0, [4]);
    await reaches(t, 'grow', (s) => s.succeeded === 2 && s.active === 3);
    await change(t, 'grow', { completions: 3, parallelism: 3 });
    await reaches(t, 'grow', (s) => s.succeeded === 1 && s.active === 2);
    await change(t, 'grow', { completions: 5, parallelism: 5 });
    await active(t, 'grow', 4);
    await reaches(t, 'grow', (s) => s.active === 4);
    t.show('indexes', (await t.podsOf('grow')).map((p) => [indexOf(p), p.status.phase]).sort());
  },

  async 'shrunk with failed indexes'(t) {
    const five = await start(t, indexed('shrink', { completions: 5, parallelism: 5, backoffLimitPerIndex: 0, maxFailedIndexes: 3 }), 5);
    await all(t, five, 1, [4, 0]);
    await reaches(t, 'shrink', (s) => s.failed === 2 && s.active === 3);
    await change(t, 'shrink', { completions: 3, parallelism: 3 });
    await reaches(t, 'shrink', (s) => s.active === 2);
    await all(t, five, 0, [1, 2]);
    await reaches(t, 'shrink', (s, is) => is('Failed') || is('Complete'));
    await events(t, 'Job', 'shrink', 7);
  },

  async 'a suspended Indexed Job changes size'(t) {
    await t.create('jobs', indexed('sized', { completions: 3, parallelism: 3, suspend: true }), { pick: (j) => j.status });
    await reaches(t, 'sized', (s, is) => is('Suspended'));
    for (const spec of [{ completions: 5 }, { completions: 5, parallelism: 5 }, { parallelism: 2 }, { completions: 4, parallelism: 2 }, { completions: 2 }, { completions: null }]) await change(t, 'sized', spec);
    await change(t, 'sized', { suspend: false });
    const list = await active(t, 'sized', 2);
    t.show('indexes', list.map(indexOf));
    await reaches(t, 'sized', (s) => s.active === 2);
  },

  async 'FailIndex, Ignore and Count side by side'(t) {
    const podFailurePolicy = { rules: [{ action: 'FailIndex', onExitCodes: { containerName: 'main', operator: 'In', values: [3, 4] } }, { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] }, { action: 'Count', onExitCodes: { operator: 'In', values: [5] } }, { action: 'FailJob', onExitCodes: { operator: 'In', values: [5, 6] } }] };
    const five = await start(t, indexed('mix', { completions: 5, parallelism: 5, backoffLimitPerIndex: 1, podFailurePolicy }), 5);
    await t.finish(at(five, 0), 3);
    await reaches(t, 'mix', (s) => s.failedIndexes === '0' && s.failed === 1);
    await t.status(at(five, 1), { phase: 'Failed', conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }] });
    await t.finish(at(five, 2), 5);
    await t.sleep(2000);
    t.show('status', jobStatus(await t.read('jobs', 'mix')));
    await pods(t, 'mix');
    await t.finish(at(five, 3), 6);
    const j = await reaches(t, 'mix', (s, is) => is('Failed'));
    t.show('reason', j.status.conditions.map((c) => c.reason));
    await pods(t, 'mix');
    await events(t, 'Job', 'mix', 6);
  },

  async 'a pod with an index that is no number or out of range'(t) {
    const two = await start(t, indexed('bad', { completions: 2, parallelism: 2 }), 2);
    await t.patch('pods', two[0].metadata.name, { metadata: { annotations: { 'batch.kubernetes.io/job-completion-index': '9' } } }, { label: 'index 9', pick: (p) => p.message ?? p.metadata.annotations });
    await t.sleep(2500);
    t.show('status', jobStatus(await t.read('jobs', 'bad')));
    await t.patch('pods', two[1].metadata.name, { metadata: { annotations: { 'batch.kubernetes.io/job-completion-index': 'x' } } }, { label: 'index x', pick: (p) => p.message ?? p.metadata.annotations });
    await t.sleep(2500);
    t.show('status', jobStatus(await t.read('jobs', 'bad')));
    await pods(t, 'bad');
  },
};
