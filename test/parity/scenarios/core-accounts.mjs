// ServiceAccounts, their tokens and CA ConfigMaps; disruption budgets.
const merge = { headers: { 'content-type': 'application/merge-patch+json' } };
const pod = (name, more = {}, labels = { app: 'web' }) => ({ metadata: { name, labels }, spec: { containers: [{ name: 'main', image: 'example/image' }], ...more } });
const gone = (t, resource, name) => t.until(`${resource} ${name} is gone`, async () => !(await t.read(resource, name)));
const pdbs = (t, name, sub) => `/apis/policy/v1/namespaces/${t.ns}/poddisruptionbudgets${name ? `/${name}` : ''}${sub ? `/${sub}` : ''}`;
const ready = (ip, on = 'True') => ({ phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: on }] });

export default {
  async 'the default ServiceAccount and the CA ConfigMap come back'(t) {
    const uid = (await t.read('serviceaccounts', 'default')).metadata.uid;
    await t.delete('serviceaccounts', 'default', undefined, { pick: (b) => [b.kind, b.metadata?.name, b.status] });
    await t.until('another default is there', async () => { const a = await t.read('serviceaccounts', 'default'); return a && a.metadata.uid !== uid; });
    await t.until('the ConfigMap is there', async () => await t.read('configmaps', 'kube-root-ca.crt'));
    await t.get('configmaps', 'kube-root-ca.crt', { pick: (c) => [c.metadata.annotations, Object.keys(c.data)] });
    await t.delete('configmaps', 'kube-root-ca.crt', undefined, { pick: (b) => [b.kind, b.status] });
    await t.until('the ConfigMap is there again', async () => await t.read('configmaps', 'kube-root-ca.crt'));
    await t.patch('configmaps', 'kube-root-ca.crt', { data: { 'ca.crt': 'mine', more: 'x' }, metadata: { annotations: { a: 'b' }, labels: { c: 'd' } } }, { pick: (c) => [c.data, c.metadata.annotations] });
    await t.until('it is as it was', async () => { const c = await t.read('configmaps', 'kube-root-ca.crt'); return c && c.data['ca.crt'] !== 'mine'; });
    await t.get('configmaps', 'kube-root-ca.crt', { pick: (c) => [c.metadata.annotations, c.metadata.labels, Object.keys(c.data)] });
    await t.patch('configmaps', 'kube-root-ca.crt', { metadata: { annotations: { 'kubernetes.io/description': 'mine' } } }, { pick: (c) => c.metadata.annotations });
    await t.sleep(800);
    await t.get('configmaps', 'kube-root-ca.crt', { pick: (c) => c.metadata.annotations });
    await t.patch('configmaps', 'kube-root-ca.crt', { immutable: true }, { pick: (c) => c.immutable });
  },

  async 'a token Secret is filled'(t) {
    await t.create('serviceaccounts', { metadata: { name: 'robot' } }, { pick: (a) => a.metadata.name });
    const view = (s) => ({ type: s.type, annotations: s.metadata.annotations, labels: s.metadata.labels, data: Object.fromEntries(Object.entries(s.data ?? {}).map(([k, v]) => [k, k === 'namespace' ? 'the namespace' : v.length > 20 ? 'long' : v])) });
    await t.create('secrets', { metadata: { name: 'tok', annotations: { 'kubernetes.io/service-account.name': 'robot' } }, type: 'kubernetes.io/service-account-token' }, { pick: view });
    const s = await t.until('it has a token', async () => { const x = await t.read('secrets', 'tok'); return x?.data?.token && x; });
    t.show('secret', view(s));
    t.show('namespace', Buffer.from(s.data.namespace, 'base64').toString());
    const [head, payload] = Buffer.from(s.data.token, 'base64').toString().split('.').map((p) => { try { return JSON.parse(Buffer.from(p, 'base64url')); } catch { return undefined; } });
    t.show('claims', [head.alg.length, payload]);
    await t.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: Buffer.from(s.data.token, 'base64').toString() } }, { pick: (r) => r.status });
    await t.patch('secrets', 'tok', { data: { token: null, 'ca.crt': null, extra: 'eA==' } }, { pick: view });
    const again = await t.until('it is filled again', async () => { const x = await t.read('secrets', 'tok'); return x?.data?.token && x.data['ca.crt'] && x; });
    t.show('secret', view(again));
    await t.delete('serviceaccounts', 'robot', undefined, { pick: (b) => b.kind });
    await gone(t, 'secrets', 'tok');
  },

  async 'token Secrets without an account, with a wrong uid, with data of their own'(t) {
    const make = (name, annotations, more = {}) => t.create('secrets', { metadata: { name, annotations }, type: 'kubernetes.io/service-account-token', ...more }, { label: `create ${name}`, pick: (s) => s.message ?? s.type });
    await make('none', undefined);
    await make('nobody', { 'kubernetes.io/service-account.name': 'nobody' });
    await gone(t, 'secrets', 'nobody');
    await t.create('serviceaccounts', { metadata: { name: 'robot' } }, { pick: (a) => a.metadata.name });
    await make('wrong', { 'kubernetes.io/service-account.name': 'robot', 'kubernetes.io/service-account.uid': 'x' });
    await gone(t, 'secrets', 'wrong');
    await make('own', { 'kubernetes.io/service-account.name': 'robot' }, { data: { token: 'bWluZQ==' } });
    const s = await t.until('it is completed', async () => { const x = await t.read('secrets', 'own'); return x?.data?.['ca.crt'] && x; });
    t.show('its own token', s.data.token === 'bWluZQ==');
    await make('early', { 'kubernetes.io/service-account.name': 'later' });
    await t.create('serviceaccounts', { metadata: { name: 'later' } }, { pick: (a) => a.metadata.name });
    await t.delete('secrets', 'own', undefined, { pick: (b) => b.status });
    await t.get('serviceaccounts', 'robot', { pick: (a) => a.secrets ?? 'no secrets' });
  },

  async 'a ServiceAccount that is replaced takes its tokens with it'(t) {
    await t.create('serviceaccounts', { metadata: { name: 'robot' }, secrets: [{ name: 'tok' }, { name: 'other' }] }, { pick: (a) => a.secrets });
    await t.create('secrets', { metadata: { name: 'tok', annotations: { 'kubernetes.io/service-account.name': 'robot' } }, type: 'kubernetes.io/service-account-token' }, { pick: (s) => s.type });
    await t.until('it has a token', async () => (await t.read('secrets', 'tok'))?.data?.token);
    await t.delete('secrets', 'tok', undefined, { pick: (s) => s.status });
    await t.until('the reference is gone', async () => ((await t.read('serviceaccounts', 'robot')).secrets ?? []).length === 1);
    await t.get('serviceaccounts', 'robot', { pick: (a) => a.secrets });
  },

  async 'a PodDisruptionBudget counts, and guards evictions'(t) {
    const node = await t.node();
    for (const n of ['a', 'b', 'c']) { await t.create('pods', pod(n), { pick: (p) => p.metadata.name }); await t.bind(n, node); await t.status(n, ready(`10.8.0.${n.charCodeAt(0)}`)); }
    await t.request('POST', pdbs(t), { metadata: { name: 'two' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'web' } } } }, { pick: (b) => [b.spec, b.status] });
    const status = async (n) => (await t.quiet('GET', pdbs(t, n))).body.status;
    await t.until('it has counted', async () => (await status('two')).currentHealthy === 3);
    t.show('status', await status('two'));
    const evict = (n) => t.request('POST', t.path('pods', n, 'eviction'), { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: n } }, { label: `evict ${n}` });
    await evict('a');
    await t.until('the disruption is noted', async () => (await t.read('pods', 'a')).metadata.deletionTimestamp);
    t.show('conditions of the evicted pod', (await t.read('pods', 'a')).status.conditions.filter((c) => c.type === 'DisruptionTarget').map((c) => [c.type, c.status, c.reason, c.message]));
    await evict('b');
    await t.forget('a');
    await t.until('two are left', async () => { const s = await status('two'); return s.currentHealthy === 2 && !Object.keys(s.disruptedPods ?? {}).length; });
    t.show('status', await status('two'));
    await t.status('c', ready('10.8.0.99', 'False'));
    await t.until('one is healthy', async () => (await status('two')).currentHealthy === 1);
    t.show('status', await status('two'));
    await evict('c');
    await evict('b');
    await t.request('PATCH', pdbs(t, 'two'), { spec: { minAvailable: 0 } }, { ...merge, pick: (b) => b.metadata?.generation });
    await t.until('it was seen', async () => (await status('two')).observedGeneration === 2);
    t.show('status', await status('two'));
    await evict('b');
  },

  async 'PodDisruptionBudgets in percent, of bare pods, of nothing, with maxUnavailable'(t) {
    for (const n of ['a', 'b', 'c']) { await t.create('pods', pod(n), { pick: (p) => p.metadata.name }); await t.status(n, ready(`10.8.1.${n.charCodeAt(0)}`)); }
    const status = async (n) => (await t.quiet('GET', pdbs(t, n))).body.status;
    for (const [name, spec] of Object.entries({ half: { minAvailable: '50%' }, most: { maxUnavailable: '30%' }, one: { maxUnavailable: 1 }, nothing: { minAvailable: 1, selector: { matchLabels: { app: 'absent' } } }, all: { minAvailable: 1, selector: {} }, always: { minAvailable: 3, unhealthyPodEvictionPolicy: 'AlwaysAllow' } })) {
      await t.request('POST', pdbs(t), { metadata: { name }, spec: { selector: { matchLabels: { app: 'web' } }, ...spec } }, { label: `create ${name}`, pick: (b) => b.spec ?? b });
      await t.until(`${name} is looked at`, async () => (await status(name))?.conditions?.length);
      t.show(`status of ${name}`, await status(name));
    }
    await t.request('POST', t.path('pods', 'a', 'eviction'), { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } }, { label: 'evict under several' });
    const list = await t.items('events', 'fieldSelector=involvedObject.kind%3DPodDisruptionBudget');
    t.show('events', list.map((e) => [e.involvedObject.name, e.type, e.reason, e.message, e.source.component].join(' | ')).sort());
  },
};
