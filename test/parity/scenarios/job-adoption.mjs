// Selectors, adoption, several Jobs that want the same pods, deletion in every state.
import { job, jobStatus, pods, reaches, runs, start } from './shared.mjs';
const manual = (name, labels, spec = {}) => { const j = job(name, { manualSelector: true, selector: { matchLabels: labels }, ...spec }); j.spec.template.metadata = { labels }; return j; };
const bare = (name, labels, more = {}) => ({ metadata: { name, labels, ...more }, spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'example/image' }] } });
const owners = async (t, q) => t.show('owners', (await t.items('pods', q)).map((p) => [p.metadata.ownerReferences?.map((o) => [o.name, o.controller]) ?? null, p.metadata.finalizers ?? null, p.status.phase]).map((x) => JSON.stringify(x)).sort());

export default {
  async 'two Jobs with one selector do not take from each other'(t) {
    await start(t, manual('one', { app: 'x' }), 0).catch(() => {});
    await t.until('one pod', async () => (await t.items('pods', 'labelSelector=app%3Dx')).length === 1);
    await t.create('jobs', manual('two', { app: 'x' }), { pick: (j) => j.message ?? j.kind });
    await t.until('two pods', async () => (await t.items('pods', 'labelSelector=app%3Dx')).length === 2);
    await owners(t, 'labelSelector=app%3Dx');
    for (const n of ['one', 'two']) await reaches(t, n, (s) => s.active === 1);
  },

  async 'bare pods with matching labels: running, finished, being deleted, of another kind of owner'(t) {
    const node = await t.node();
    await t.create('pods', bare('running', { app: 'y' }), { pick: (p) => p.kind });
    await t.create('pods', bare('failed', { app: 'y' }), { pick: (p) => p.kind });
    await t.create('pods', bare('going', { app: 'y' }), { pick: (p) => p.kind });
    for (const n of ['running', 'going']) { await t.bind(n, node); await t.running(n); }
    await t.finish('failed', 1);
    await t.delete('pods', 'going', undefined, { pick: (p) => p.metadata.deletionGracePeriodSeconds });
    const { body: c } = await t.create('configmaps', { metadata: { name: 'other' } }, { pick: (x) => x.kind });
    await t.create('pods', bare('owned', { app: 'y' }, { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: c.metadata.uid, controller: true }] }), { pick: (p) => p.kind });
    await t.create('jobs', manual('taker', { app: 'y' }, { parallelism: 2, completions: 2, backoffLimit: 3 }), { pick: (j) => j.message ?? j.kind });
    await reaches(t, 'taker', (s) => s.failed === 1 && s.active);
    await t.sleep(1200);
    t.show('status', jobStatus(await t.read('jobs', 'taker')));
    await owners(t, 'labelSelector=app%3Dy');
    await t.forget('going');
  },

  async 'the controller reference of a pod is taken away'(t) {
    const [p] = await start(t, job('ref'), 1);
    await t.patch('pods', p.metadata.name, { metadata: { ownerReferences: null } }, { label: 'no owner', pick: (x) => x.metadata.ownerReferences ?? 'none' });
    await t.until('it is taken back', async () => (await t.read('pods', p.metadata.name)).metadata.ownerReferences?.length === 1);
    await pods(t, 'ref');
    await reaches(t, 'ref', (s) => s.active === 1);
  },

  async 'deleted while suspended, while failing, with a finalizer of its own'(t) {
    await t.create('jobs', job('sus', { suspend: true }), { pick: (j) => j.kind });
    await reaches(t, 'sus', (s, is) => is('Suspended'));
    await t.delete('jobs', 'sus', { propagationPolicy: 'Foreground' }, { pick: (b) => [b.kind, b.metadata?.finalizers] });
    await t.until('sus is gone', async () => !(await t.read('jobs', 'sus')));
    const [a, b] = await start(t, job('fail', { backoffLimit: 0, parallelism: 2, completions: 2 }), 2);
    await runs(t, 'fail', [a, b]);
    await t.finish(a, 1);
    await reaches(t, 'fail', (s, is) => is('FailureTarget') && s.failed === 2);
    await t.delete('jobs', 'fail', { propagationPolicy: 'Background' }, { pick: (x) => [x.kind, x.status] });
    await t.until('fail is gone', async () => !(await t.read('jobs', 'fail')));
    await t.until('one pod is left, deleting', async () => { const l = await t.podsOf('fail'); return l.length === 1 && l[0].metadata.deletionTimestamp; });
    await pods(t, 'fail');
    await t.forget(b);
    const [c] = await start(t, job('held', {}, {}, { finalizers: ['example.com/hold'] }), 1);
    await t.delete('jobs', 'held', { propagationPolicy: 'Background' }, { pick: (x) => [x.kind, x.metadata?.finalizers, x.metadata?.generation] });
    await t.until('its pod has no finalizer', async () => !(await t.read('pods', c.metadata.name))?.metadata.finalizers);
    await t.finish(c, 0).catch(() => {});
    await t.sleep(1200);
    t.show('held', jobStatus(await t.read('jobs', 'held')));
    await t.patch('jobs', 'held', { metadata: { finalizers: null } }, { pick: (x) => x.kind });
    await t.until('held is gone', async () => !(await t.read('jobs', 'held')));
    await t.until('its pod is gone', async () => !(await t.read('pods', c.metadata.name)));
  },
};
