// What quotas count, and how their status follows.
import { job } from './shared.mjs';
const pod = (name, resources, more = {}) => ({ metadata: { name }, spec: { containers: [{ name: 'main', image: 'example/image', ...(resources && { resources }) }], ...more } });
const made = { pick: (b) => b.message ?? b.kind };
const status = async (t, name) => (await t.read('resourcequotas', name)).status;
const counted = async (t, name, test) => { await t.until(`${name}: ${String(test).replace(/^\(u\) => /, '')}`, async () => { const s = await status(t, name); return s?.used && test(s.used); }); t.show(`status of ${name}`, await status(t, name)); };
const quota = (t, name, spec) => t.create('resourcequotas', { metadata: { name }, spec }, { label: `create quota ${name}`, pick: (q) => q.message ?? [q.spec, q.status] });

export default {
  async 'scopes: BestEffort, NotBestEffort, Terminating, NotTerminating, PriorityClass'(t) {
    await quota(t, 'best', { hard: { pods: '5' }, scopes: ['BestEffort'] });
    await quota(t, 'notbest', { hard: { pods: '5', 'requests.cpu': '5', 'limits.memory': '5Gi' }, scopes: ['NotBestEffort'] });
    await quota(t, 'ending', { hard: { pods: '5' }, scopes: ['Terminating'] });
    await quota(t, 'lasting', { hard: { pods: '5' }, scopes: ['NotTerminating'] });
    await quota(t, 'classed', { hard: { pods: '5' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['system-node-critical', 'none'] }] } });
    await quota(t, 'exists', { hard: { pods: '5' }, scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'DoesNotExist' }] } });
    await quota(t, 'bad', { hard: { pods: '5', services: '1' }, scopes: ['BestEffort'] });
    await quota(t, 'bad2', { hard: { pods: '5' }, scopes: ['BestEffort', 'NotBestEffort'] });
    for (const n of ['best', 'notbest', 'ending', 'lasting', 'classed', 'exists']) await t.until(`${n} is there`, async () => (await status(t, n))?.used);
    await t.create('pods', pod('a'), made);
    await t.create('pods', pod('b', { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }), made);
    await t.create('pods', pod('c', { requests: { cpu: '1' }, limits: { memory: '1Gi' } }, { activeDeadlineSeconds: 100 }), made);
    await t.sleep(700);
    for (const n of ['best', 'notbest', 'ending', 'lasting', 'classed', 'exists']) t.show(`status of ${n}`, await status(t, n));
  },

  async 'objects of every kind are counted'(t) {
    await quota(t, 'objects', { hard: { configmaps: '10', secrets: '10', services: '10', 'services.nodeports': '10', 'services.loadbalancers': '10', persistentvolumeclaims: '10', 'requests.storage': '100Gi', replicationcontrollers: '5', resourcequotas: '5', 'count/jobs.batch': '10', 'count/cronjobs.batch': '10', 'count/pods': '10', 'count/leases.coordination.k8s.io': '10', 'fast.storageclass.storage.k8s.io/requests.storage': '10Gi', 'fast.storageclass.storage.k8s.io/persistentvolumeclaims': '4', 'count/things.example.com': '3' } });
    await t.until('it is counted', async () => (await status(t, 'objects'))?.used?.services === '0');
    await t.create('services', { metadata: { name: 'a' }, spec: { type: 'NodePort', ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2 }] } }, made);
    await t.create('services', { metadata: { name: 'b' }, spec: { type: 'LoadBalancer', ports: [{ port: 1 }] } }, made);
    await t.create('services', { metadata: { name: 'c' }, spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 1 }] } }, made);
    await t.create('secrets', { metadata: { name: 's' } }, made);
    await t.create('persistentvolumeclaims', { metadata: { name: 'p' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '3Gi' } } } }, made);
    await t.create('jobs', job('j', { suspend: true }), made);
    await t.create('leases', { metadata: { name: 'l' } }, made);
    await t.create('configmaps', { metadata: { name: 'm' } }, made);
    await t.sleep(1500);
    t.show('status', await status(t, 'objects'));
    await t.patch('services', 'a', { spec: { type: 'ClusterIP' } }, { pick: (s) => s.message ?? s.spec.type });
    await t.delete('secrets', 's', undefined, made);
    await t.delete('jobs', 'j', { propagationPolicy: 'Background' }, made);
    await counted(t, 'objects', (u) => u.secrets === '0' && u['count/jobs.batch'] === '0');
  },

  async 'the quota changes: lowered below use, keys come and go'(t) {
    await quota(t, 'q', { hard: { pods: '3', 'requests.cpu': '3' } });
    await t.until('it is counted', async () => (await status(t, 'q'))?.used?.pods === '0');
    for (const n of ['a', 'b']) await t.create('pods', pod(n, { requests: { cpu: '500m' } }), made);
    await counted(t, 'q', (u) => u.pods === '2');
    await t.patch('resourcequotas', 'q', { spec: { hard: { pods: '1' } } }, { pick: (q) => [q.spec.hard, q.metadata.generation ?? null] });
    await t.until('it was seen', async () => (await status(t, 'q')).hard.pods === '1');
    t.show('status', await status(t, 'q'));
    await t.create('pods', pod('c', { requests: { cpu: '1' } }), { label: 'one more', pick: (b) => b.message });
    await t.patch('resourcequotas', 'q', { spec: { hard: { pods: null, 'limits.cpu': '4', memory: '1Gi' } } }, { pick: (q) => q.spec.hard });
    await t.until('it was seen', async () => (await status(t, 'q')).hard['limits.cpu']);
    t.show('status', await status(t, 'q'));
    await t.patch('resourcequotas', 'q', { status: { used: { 'requests.cpu': '99' } } }, { sub: 'status', label: 'a wrong use', pick: (q) => q.status.used });
    await t.sleep(1500);
    t.show('status', await status(t, 'q'));
  },

  async 'init containers, sidecars and overhead are summed'(t) {
    await quota(t, 'q', { hard: { 'requests.cpu': '10', 'limits.cpu': '10', 'requests.ephemeral-storage': '10Gi', 'requests.memory': '4Gi' } });
    await t.until('it is counted', async () => (await status(t, 'q'))?.used?.['limits.cpu'] === '0');
    const r = (cpu, more = {}) => ({ requests: { cpu, memory: '100Mi', 'ephemeral-storage': '1Gi', ...more }, limits: { cpu } });
    await t.create('pods', { metadata: { name: 'a' }, spec: { initContainers: [{ name: 'i', image: 'x', resources: r('3') }, { name: 's', image: 'x', restartPolicy: 'Always', resources: r('500m') }, { name: 'k', image: 'x', resources: r('1') }], containers: [{ name: 'c', image: 'x', resources: r('250m') }, { name: 'd', image: 'x', resources: r('750m') }] } }, made);
    await counted(t, 'q', (u) => u['requests.cpu'] !== '0');
    await t.create('pods', { metadata: { name: 'b' }, spec: { resources: { requests: { cpu: '2' }, limits: { cpu: '3' } }, containers: [{ name: 'c', image: 'x', resources: { requests: { memory: '1Mi', 'ephemeral-storage': '1Mi' } } }] } }, { pick: (b) => b.message ?? b.kind });
    await t.sleep(700);
    t.show('status', await status(t, 'q'));
  },
};
