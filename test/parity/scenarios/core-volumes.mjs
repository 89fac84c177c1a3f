// Classes, late binding, volumes that are lost, taken and given back.
const cls = async (t, name, spec) => { await t.quiet('POST', '/apis/storage.k8s.io/v1/storageclasses', { metadata: { name }, ...spec }); };
const claim = (t, name, spec = {}) => t.create('persistentvolumeclaims', { metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } }, { label: `create claim ${name}`, pick: (c) => c.message ?? c.status });
const volume = (t, name, spec = {}, metadata = {}) => t.create('persistentvolumes', { metadata: { name, ...metadata }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/tmp/x' }, ...spec } }, { label: 'create volume', pick: (v) => v.message ?? v.status?.phase });
const read = (t, name) => t.read('persistentvolumeclaims', name);
const phase = (t, kind, name, want) => t.until(`${kind} ${want}`, async () => (await t.read(kind, name))?.status?.phase === want);
const events = async (t, name, n) => { const list = await t.until(`${name} has events`, async () => { const e = await t.items('events', `fieldSelector=involvedObject.kind%3DPersistentVolumeClaim,involvedObject.name%3D${name}`); return e.length >= n && e; }); t.show(`events of ${name}`, list.map((e) => [e.type, e.reason, e.message].join(' | ')).sort()); };
const tidy = (c) => ({ annotations: c.metadata.annotations ?? null, volume: c.spec.volumeName ?? null, class: c.spec.storageClassName ?? null, status: c.status });

export default {
  async 'classes: external, none, waiting for a consumer'(t) {
    for (const [n, spec] of [['ext', { provisioner: 'example.com/p' }], ['none', { provisioner: 'kubernetes.io/no-provisioner' }], ['late', { provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' }], ['latext', { provisioner: 'example.com/p', volumeBindingMode: 'WaitForFirstConsumer' }]]) {
      await cls(t, `${t.ns}-${n}`, spec);
      await claim(t, n, { storageClassName: `${t.ns}-${n}` });
      await events(t, n, 1);
      t.show(`claim ${n}`, tidy(await read(t, n)));
    }
    await t.create('pods', { metadata: { name: 'user' }, spec: { containers: [{ name: 'c', image: 'x' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'late' } }] } }, { pick: (p) => p.kind });
    await t.patch('persistentvolumeclaims', 'late', { metadata: { labels: { a: 'b' } } }, { pick: (c) => c.kind });
    await events(t, 'late', 2);
    await t.patch('persistentvolumeclaims', 'latext', { metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'n' } } }, { pick: (c) => c.kind });
    await events(t, 'latext', 2);
    t.show('claim latext', tidy(await read(t, 'latext')));
    for (const n of ['ext', 'none', 'late', 'latext']) await t.quiet('DELETE', `/apis/storage.k8s.io/v1/storageclasses/${t.ns}-${n}`);
  },

  async 'the smallest volume that suits, by selector, mode and access'(t) {
    const names = {};
    for (const [n, spec, labels] of [['big', { capacity: { storage: '9Gi' } }], ['mid', { capacity: { storage: '3Gi' } }], ['lab', { capacity: { storage: '2Gi' } }, { pick: 'me' }], ['many', { accessModes: ['ReadWriteMany', 'ReadWriteOnce'], capacity: { storage: '1Gi' } }], ['block', { volumeMode: 'Block', capacity: { storage: '1Gi' } }]]) { names[n] = `${t.ns}-${n}`; await volume(t, names[n], { storageClassName: t.ns, ...spec }, { labels: labels ?? {} }); await phase(t, 'persistentvolumes', names[n], 'Available'); }
    const bind = async (n, spec) => { await claim(t, n, { storageClassName: t.ns, ...spec }); await phase(t, 'persistentvolumeclaims', n, 'Bound'); t.show(n, tidy(await read(t, n))); };
    await bind('a', { selector: { matchLabels: { pick: 'me' } } });
    await bind('b', { resources: { requests: { storage: '2Gi' } } });
    await bind('c', { accessModes: ['ReadWriteMany'] });
    await bind('d', { volumeMode: 'Block' });
    await bind('e', {});
    for (const n of Object.values(names)) await t.quiet('DELETE', `/api/v1/persistentvolumes/${n}`);
  },

  async 'named volumes that do not fit, are taken, or are kept for the claim'(t) {
    const [a, b] = [`${t.ns}-a`, `${t.ns}-b`];
    await volume(t, a, { storageClassName: t.ns });
    await volume(t, b, { storageClassName: t.ns, claimRef: { namespace: t.ns, name: 'mine' } });
    for (const n of [a, b]) await phase(t, 'persistentvolumes', n, 'Available');
    await claim(t, 'small', { volumeName: a, storageClassName: t.ns, resources: { requests: { storage: '5Gi' } } });
    await events(t, 'small', 1);
    await claim(t, 'class', { volumeName: a, storageClassName: 'other' });
    await events(t, 'class', 1);
    await claim(t, 'taken', { volumeName: b, storageClassName: t.ns });
    await events(t, 'taken', 1);
    await claim(t, 'mine', { storageClassName: t.ns });
    await phase(t, 'persistentvolumeclaims', 'mine', 'Bound');
    t.show('mine', tidy(await read(t, 'mine')));
    const v = await t.read('persistentvolumes', b);
    t.show('its volume', [v.metadata.annotations ?? null, v.spec.claimRef, v.status.phase]);
    await t.patch('persistentvolumeclaims', 'mine', { spec: { resources: { requests: { storage: '2Gi' } } } }, { label: 'grow', pick: (c) => c.message ?? c.spec.resources });
    for (const n of [a, b]) await t.quiet('DELETE', `/api/v1/persistentvolumes/${n}`);
    for (const n of ['small', 'class', 'taken', 'mine']) await t.delete('persistentvolumeclaims', n, undefined, { pick: (c) => c.kind });
    await t.until('the volumes are gone', async () => !(await t.read('persistentvolumes', a)) && !(await t.read('persistentvolumes', b)));
  },
};
