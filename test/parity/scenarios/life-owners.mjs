// Garbage collection and the end of namespaces, the rarer cases.
import { job } from './shared.mjs';

const map = (name, owners = [], metadata = {}) => ({ metadata: { name, ...metadata, ...(owners.length && { ownerReferences: owners }) }, data: { k: 'v' } });
const ref = (o, more = {}) => ({ apiVersion: o.apiVersion ?? 'v1', kind: o.kind ?? 'ConfigMap', name: o.metadata.name, uid: o.metadata.uid, ...more });
const make = async (t, object) => (await t.create('configmaps', object, { label: `create ${object.metadata.name}`, pick: (c) => c.message ?? c.metadata.name })).body;
const gone = (t, name, resource = 'configmaps') => t.until(`${name} is gone`, async () => !(await t.read(resource, name)));
const left = async (t) => t.show('left', (await t.items('configmaps')).map((c) => [c.metadata.name, c.metadata.ownerReferences?.map((o) => o.name) ?? null, c.metadata.finalizers ?? null, Boolean(c.metadata.deletionTimestamp)]).filter(([n]) => !n.endsWith('.crt')).sort());
const unhold = (t, name) => t.patch('configmaps', name, { metadata: { finalizers: null } }, { label: `let ${name} go`, pick: (c) => c.metadata?.finalizers ?? c.message ?? 'none' });
const conditions = (n) => (n.status.conditions ?? []).map(({ type, status, reason, message }) => ({ type, status, reason, message }));
const newSpace = async (t, metadata = {}) => { const name = `${t.ns}-b`; await t.quiet('POST', '/api/v1/namespaces', { metadata: { name, ...metadata } }); await t.until('it has its ServiceAccount', async () => (await t.quiet('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200); return { name, inside: `/api/v1/namespaces/${name}` }; };
const readNs = async (t, name) => (await t.quiet('GET', `/api/v1/namespaces/${name}`)).body;

export default {
  async 'a chain deleted in the foreground'(t) {
    const a = await make(t, map('a'));
    const b = await make(t, map('b', [ref(a, { blockOwnerDeletion: true })]));
    const c = await make(t, map('c', [ref(b, { blockOwnerDeletion: true })]));
    await make(t, map('d', [ref(c, { blockOwnerDeletion: true })], { finalizers: ['example.com/hold'] }));
    await t.delete('configmaps', 'a', { propagationPolicy: 'Foreground' }, { pick: (o) => [o.kind, o.metadata?.finalizers] });
    await t.until('d is being deleted', async () => (await t.read('configmaps', 'd')).metadata.deletionTimestamp);
    await left(t);
    await unhold(t, 'd');
    for (const n of ['d', 'c', 'b', 'a']) await gone(t, n);
  },

  async 'several owners, one deleted in the foreground'(t) {
    const a = await make(t, map('a')), b = await make(t, map('b'));
    await make(t, map('both', [ref(a, { blockOwnerDeletion: true }), ref(b)]));
    await t.delete('configmaps', 'a', { propagationPolicy: 'Foreground' }, { pick: (o) => o.metadata?.finalizers });
    await gone(t, 'a');
    await left(t);
    await t.delete('configmaps', 'b', { propagationPolicy: 'Orphan' }, { pick: (o) => o.metadata?.finalizers });
    await gone(t, 'b');
    await t.sleep(500);
    await left(t);
  },

  async 'a foreground deletion that is turned into another'(t) {
    const a = await make(t, map('a'));
    await make(t, map('b', [ref(a, { blockOwnerDeletion: true })], { finalizers: ['example.com/hold'] }));
    await t.delete('configmaps', 'a', { propagationPolicy: 'Foreground' }, { pick: (o) => o.metadata?.finalizers });
    await t.until('b is being deleted', async () => (await t.read('configmaps', 'b')).metadata.deletionTimestamp);
    await t.delete('configmaps', 'a', { propagationPolicy: 'Background' }, { label: 'then in the background', pick: (o) => [o.kind, o.status ?? o.metadata?.finalizers] });
    await t.sleep(800);
    await left(t);
    await t.delete('configmaps', 'a', { propagationPolicy: 'Orphan' }, { label: 'then orphaning', pick: (o) => [o.kind, o.status ?? o.metadata?.finalizers] });
    await t.sleep(800);
    await left(t);
    await unhold(t, 'b');
    await t.sleep(800);
    await left(t);
  },

  async 'an absent owner beside a solid one; both absent; both waiting'(t) {
    const a = await make(t, map('a'));
    const absent = (n) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: `absent-${n}`, uid: `00000000-0000-0000-0000-00000000000${n}` });
    await make(t, map('solid', [absent(1), ref(a)]));
    await make(t, map('lost', [absent(1), absent(2)]));
    await gone(t, 'lost');
    await t.until('the dangling reference goes', async () => (await t.read('configmaps', 'solid')).metadata.ownerReferences.length === 1);
    await left(t);
    await make(t, map('secret-owner', [{ apiVersion: 'v1', kind: 'Secret', name: 'a', uid: a.metadata.uid }]));
    await make(t, map('old-version', [{ apiVersion: 'batch/v1beta9', kind: 'Job', name: 'x', uid: '00000000-0000-0000-0000-000000000009' }]));
    await make(t, map('unknown-kind', [{ apiVersion: 'example.com/v1', kind: 'Thing', name: 'x', uid: '00000000-0000-0000-0000-000000000008' }]));
    await make(t, map('node-owner', [{ apiVersion: 'v1', kind: 'Node', name: 'no-such-node', uid: '00000000-0000-0000-0000-000000000007' }]));
    await gone(t, 'node-owner');
    await t.sleep(1500);
    await left(t);
  },

  async 'the event about an owner in another namespace'(t) {
    const other = await newSpace(t);
    const owner = (await t.quiet('POST', `${other.inside}/configmaps`, map('owner'))).body;
    await t.create('pods', { metadata: { name: 'stray', ownerReferences: [ref(owner)] }, spec: { containers: [{ name: 'c', image: 'x' }] } }, { pick: (p) => p.metadata.ownerReferences });
    await gone(t, 'stray', 'pods');
    const e = await t.until('an event', async () => (await t.items('events', 'fieldSelector=reason%3DOwnerRefInvalidNamespace'))[0]);
    t.show('event', { ...e, metadata: { namespace: e.metadata.namespace } });
    await t.quiet('DELETE', other.inside);
  },

  async 'a namespace with finalizers of many kinds inside'(t) {
    const { name, inside } = await newSpace(t);
    for (const [path, object] of [['api/v1 configmaps', map('a', [], { finalizers: ['example.com/one', 'example.com/two'] })], ['api/v1 secrets', { metadata: { name: 's', finalizers: ['example.com/one'] } }], ['apis/batch/v1 jobs', { ...job('j', { suspend: true }), metadata: { name: 'j', finalizers: ['example.com/three'] } }], ['apis/coordination.k8s.io/v1 leases', { metadata: { name: 'l', finalizers: ['example.com/one'] } }]]) {
      const [root, resource] = path.split(' ');
      await t.request('POST', `/${root}/namespaces/${name}/${resource}`, object, { label: `create ${resource}`, pick: (o) => o.message ?? o.kind });
    }
    await t.request('DELETE', inside, undefined, { pick: (n) => n.status });
    await t.until('the conditions tell of it', async () => (await readNs(t, name)).status.conditions?.some((c) => c.type === 'NamespaceFinalizersRemaining' && c.status === 'True'));
    t.show('conditions', conditions(await readNs(t, name)));
    await t.request('PUT', `${inside}/finalize`, { ...(await readNs(t, name)), spec: { finalizers: ['kubernetes', 'example.com/own'] } }, { pick: (n) => n.message ?? n.spec });
    for (const path of [`${inside}/configmaps/a`, `${inside}/secrets/s`, `/apis/batch/v1/namespaces/${name}/jobs/j`, `/apis/coordination.k8s.io/v1/namespaces/${name}/leases/l`]) await t.quiet('PATCH', path, { metadata: { finalizers: null } }, { 'content-type': 'application/merge-patch+json' });
    await t.until('only its own finalizer is left', async () => (await readNs(t, name)).spec?.finalizers?.length === 1, { timeout: 60_000 });
    t.show('conditions', conditions(await readNs(t, name)));
    t.show('finalizers', (await readNs(t, name)).spec);
    await t.request('PUT', `${inside}/finalize`, { ...(await readNs(t, name)), spec: {} }, { pick: (n) => n.message ?? n.spec });
    await t.until('it is gone', async () => (await t.quiet('GET', inside)).status === 404, { timeout: 60_000 });
  },

  async 'pods on a node hold their namespace'(t) {
    const node = await t.node();
    const { name, inside } = await newSpace(t);
    await t.quiet('POST', `${inside}/pods`, { metadata: { name: 'p' }, spec: { nodeName: node, terminationGracePeriodSeconds: 3, containers: [{ name: 'c', image: 'example/image' }] } });
    await t.quiet('POST', `${inside}/services`, { metadata: { name: 's' }, spec: { ports: [{ port: 1 }] } });
    await t.request('DELETE', inside, undefined, { pick: (n) => n.status });
    await t.until('the pod is being deleted', async () => (await t.quiet('GET', `${inside}/pods/p`)).body.metadata.deletionTimestamp);
    await t.sleep(1500);
    t.show('conditions', conditions(await readNs(t, name)));
    t.show('the Service', (await t.quiet('GET', `${inside}/services/s`)).status);
    await t.quiet('DELETE', `${inside}/pods/p`, { gracePeriodSeconds: 0 });
    await t.until('it is gone', async () => (await t.quiet('GET', inside)).status === 404, { timeout: 60_000 });
  },
};
