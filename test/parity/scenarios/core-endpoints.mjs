// EndpointSlices and Endpoints of every shape of Service.
const svc = (name, spec, metadata = {}) => ({ metadata: { name, ...metadata }, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec } });
const pod = (name, more = {}, labels = { app: 'web' }, ports) => ({ metadata: { name, labels }, spec: { containers: [{ name: 'main', image: 'example/image', ...(ports && { ports }) }], ...more } });
const ready = (ip, on = 'True', more = {}) => ({ phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [{ type: 'Ready', status: on }], ...more });
const slices = (t, name) => t.items('endpointslices', `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${name}`)}`);
const view = (list) => list.map((s) => ({ labels: s.metadata.labels, annotations: Object.keys(s.metadata.annotations ?? {}).filter((a) => a !== 'endpoints.kubernetes.io/last-change-trigger-time'), addressType: s.addressType, ports: s.ports, endpoints: (s.endpoints ?? []).map((e) => JSON.stringify(e)).sort().map((e) => JSON.parse(e)) })).map((s) => JSON.stringify(s)).sort().map((s) => JSON.parse(s));
const made = { pick: (b) => b.message ?? b.kind };
const up = async (t, name, ip, on, more, node) => { await t.create('pods', pod(name, more), made); if (node) await t.bind(name, node); await t.status(name, ready(ip, on)); };
const count = (t, name, n) => t.until(`${name} lists ${n}`, async () => (await slices(t, name)).flatMap((s) => s.endpoints ?? []).length === n);
const byPorts = (a, b) => (JSON.stringify(a.ports) < JSON.stringify(b.ports) ? -1 : 1);
const subsets = async (t, name) => (await t.read('endpoints', name))?.subsets?.sort(byPorts) ?? 'no subsets';

export default {
  async 'every kind of Service and what it gets'(t) {
    const node = await t.node();
    await up(t, 'a', '10.7.0.1', 'True', {}, node);
    const list = { plain: {}, headless: { clusterIP: 'None' }, headlessPlain: { clusterIP: 'None', ports: null }, external: { type: 'ExternalName', externalName: 'x.y', ports: null }, noSelector: { selector: null }, emptySelector: { selector: {} }, many: { ports: [{ name: 'a', port: 1 }, { name: 'b', port: 2, protocol: 'UDP', targetPort: 5 }, { name: 'c', port: 3, appProtocol: 'http' }] }, early: { publishNotReadyAddresses: true } };
    for (const [n, spec] of Object.entries(list)) await t.create('services', svc(n.toLowerCase(), spec, { labels: { l: n }, annotations: { a: n } }), { label: `create ${n}`, ...made });
    for (const n of ['plain', 'headless', 'headlessplain', 'many', 'early']) await count(t, n, 1);
    await t.sleep(700);
    for (const n of Object.keys(list).map((s) => s.toLowerCase())) { t.show(`slices of ${n}`, view(await slices(t, n))); const e = await t.read('endpoints', n); t.show(`endpoints of ${n}`, e ? { labels: e.metadata.labels, annotations: Object.keys(e.metadata.annotations ?? {}), subsets: e.subsets ?? 'no subsets' } : 'none'); }
  },

  async 'pods in every state'(t) {
    const node = await t.node();
    await t.create('services', svc('web'), made);
    await up(t, 'good', '10.7.1.1', 'True', {}, node);
    await up(t, 'bad', '10.7.1.2', 'False', {}, node);
    await t.create('pods', pod('pending'), made); await t.bind('pending', node); await t.status('pending', ready('10.7.1.4', 'False', { phase: 'Pending' }));
    await t.create('pods', pod('failed'), made); await t.bind('failed', node); await t.status('failed', ready('10.7.1.5', 'False', { phase: 'Failed' }));
    await t.create('pods', pod('never', { restartPolicy: 'Never' }), made); await t.bind('never', node); await t.status('never', ready('10.7.1.6', 'False', { phase: 'Succeeded' }));
    await t.create('pods', pod('noip'), made); await t.bind('noip', node); await t.status('noip', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
    await t.create('pods', pod('six'), made); await t.bind('six', node); await t.status('six', { phase: 'Running', podIP: '10.7.1.7', podIPs: [{ ip: '10.7.1.7' }, { ip: 'fd00::7' }], conditions: [{ type: 'Ready', status: 'True' }] });
    await t.create('pods', pod('unready', { readinessGates: [{ conditionType: 'x/y' }] }), made); await t.bind('unready', node); await t.status('unready', ready('10.7.1.8', 'Unknown'));
    await t.sleep(2500);
    t.show('slices', view(await slices(t, 'web')));
    t.show('endpoints', await subsets(t, 'web'));
    await t.delete('pods', 'good', undefined, { pick: (p) => p.kind });
    await t.delete('pods', 'bad', undefined, { pick: (p) => p.kind });
    await t.sleep(2500);
    t.show('two terminate', view(await slices(t, 'web')));
    t.show('endpoints', await subsets(t, 'web'));
  },

  async 'a pod with an address and without a node'(t) {
    await t.create('services', svc('web'), made);
    await t.until('there are empty Endpoints', async () => (await t.read('endpoints', 'web')) && (await slices(t, 'web')).length === 1);
    await up(t, 'unbound', '10.7.8.3');
    const list = await t.until('two kinds of events', async () => { const e = (await t.items('events')).filter((x) => x.reason.startsWith('FailedToUpdateEndpoint')); return new Set(e.map((x) => x.reason)).size === 2 && e; });
    t.show('events', list.map((e) => [e.involvedObject.kind, e.type, e.reason, e.message, e.source.component].join(' | ')).sort());
    t.show('slices', view(await slices(t, 'web')));
    t.show('endpoints', await subsets(t, 'web'));
    await t.bind('unbound', await t.node());
    await count(t, 'web', 1);
    await t.until('the Endpoints have it', async () => (await t.read('endpoints', 'web'))?.subsets?.length, { timeout: 60_000 });
  },

  async 'named target ports that differ from pod to pod'(t) {
    const node = await t.node();
    await t.create('services', svc('web', { ports: [{ name: 'http', port: 80, targetPort: 'web' }, { name: 'dns', port: 53, protocol: 'UDP', targetPort: 'dns' }] }), made);
    const ports = { a: [{ name: 'web', containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }], b: [{ name: 'web', containerPort: 9090 }], c: [{ name: 'web', containerPort: 8080, protocol: 'UDP' }], d: [{ name: 'web', containerPort: 8080 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }] };
    for (const [i, [n, list]] of Object.entries(ports).entries()) { await t.create('pods', pod(n, {}, { app: 'web' }, list), made); await t.bind(n, node); await t.status(n, ready(`10.7.2.${i + 1}`)); }
    await t.create('pods', { metadata: { name: 'side', labels: { app: 'web' } }, spec: { initContainers: [{ name: 's', image: 'x', restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 7070 }] }, { name: 'i', image: 'x', ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] }], containers: [{ name: 'c', image: 'x' }] } }, made);
    await t.bind('side', node); await t.status('side', ready('10.7.2.9'));
    await t.sleep(2500);
    t.show('slices', view(await slices(t, 'web')));
    t.show('endpoints', await subsets(t, 'web'));
  },

  async 'traffic distribution and topology'(t) {
    const node = await t.node();
    await t.quiet('PATCH', `/api/v1/nodes/${node}`, { metadata: { labels: { 'topology.kubernetes.io/zone': 'z1' } } }, { 'content-type': 'application/merge-patch+json' });
    for (const d of ['PreferClose', 'PreferSameZone', 'PreferSameNode']) await t.create('services', svc(d.toLowerCase(), { trafficDistribution: d }), made);
    await up(t, 'a', '10.7.5.1', 'True', {}, node);
    await up(t, 'b', '10.7.5.2', 'False', {}, node);
    for (const n of ['preferclose', 'prefersamezone', 'prefersamenode']) await count(t, n, 2);
    await t.sleep(1500);
    const tidy = (v) => JSON.parse(JSON.stringify(v).replaceAll(node, '<node>'));
    for (const n of ['preferclose', 'prefersamezone', 'prefersamenode']) t.show(`slices of ${n}`, tidy(view(await slices(t, n))));
  },

  async 'Endpoints by hand are mirrored'(t) {
    await t.create('services', svc('hand', { selector: null }), made);
    await t.create('endpoints', { metadata: { name: 'hand', labels: { l: 'm' }, annotations: { n: 'o' } }, subsets: [{ addresses: [{ ip: '10.1.1.1', hostname: 'h1' }, { ip: '10.1.1.2', targetRef: { kind: 'Pod', name: 'p' }, nodeName: 'n' }], notReadyAddresses: [{ ip: '10.1.1.3' }], ports: [{ name: 'http', port: 80 }, { name: 'x', port: 81, protocol: 'UDP', appProtocol: 'y' }] }] }, { pick: (e) => e.subsets });
    await count(t, 'hand', 3);
    t.show('mirrored', view(await slices(t, 'hand')));
    await t.patch('endpoints', 'hand', { subsets: [{ addresses: [{ ip: '10.1.1.9' }], ports: [{ port: 90 }] }, { addresses: [{ ip: 'fd00::1' }], ports: [{ port: 91 }] }] }, { pick: (e) => e.subsets });
    await t.sleep(2000);
    t.show('changed', view(await slices(t, 'hand')));
    await t.patch('endpoints', 'hand', { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } }, { pick: (e) => e.metadata.labels });
    await count(t, 'hand', 0);
    await t.patch('endpoints', 'hand', { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } } }, { pick: (e) => e.metadata.labels });
    await count(t, 'hand', 2);
    await t.delete('endpoints', 'hand', undefined, { pick: (e) => e.status });
    await count(t, 'hand', 0);
    await t.create('endpoints', { metadata: { name: 'alone' }, subsets: [{ addresses: [{ ip: '10.1.1.1' }], ports: [{ port: 80 }] }] }, { pick: (e) => e.subsets });
    await t.sleep(1200);
    t.show('without a Service', view(await slices(t, 'alone')));
    await t.create('services', svc('alone', { selector: null }), made);
    await count(t, 'alone', 1);
  },
};
