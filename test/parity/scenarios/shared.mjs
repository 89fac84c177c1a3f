// What the scenarios of this folder share; no scenarios of its own.
import { job, jobStatus, now } from '../lib/scenario.mjs';

export { job, jobStatus, now };
const words = (test) => String(test).replace(/^\(?[a-z, ]*\)? => /, '');
const holds = (status) => (type) => Boolean(status.conditions?.some((c) => c.type === type && c.status === 'True'));

/** Waits until `test(status, is)` holds of a Job's status (`is('Failed')`: that condition is True), and records the status of that moment. */
export async function reaches(t, name, test, { timeout } = {}) {
  const found = await t.until(`${name}: ${words(test)}`, async () => {
    const seen = await t.read('jobs', name);
    return seen && test(seen.status, holds(seen.status)) && seen;
  }, { timeout });
  t.show(`status of ${name}`, jobStatus(found));
  return found;
}

/** Records whether `test(status, is)` holds of a Job's status for `ms`. */
export const stays = (t, name, ms, test) => t.steady(`${name}: ${words(test)}`, ms, async () => {
  const seen = await t.read('jobs', name);
  return seen && test(seen.status, holds(seen.status));
});

export const isActive = (p) => !['Succeeded', 'Failed'].includes(p.status.phase) && !p.metadata.deletionTimestamp;
export const indexOf = (p) => p.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];

/** Waits until a Job has `n` pods that are neither finished nor being deleted; returns them, lowest index first. */
export const active = (t, name, n, { timeout = 40_000 } = {}) => t.until(`${name} has ${n} active pods`, async () => {
  const pods = (await t.podsOf(name)).filter(isActive);
  return pods.length === n && (n ? pods : ['none']);
}, { timeout });

/** Makes a Job and waits for its `n` active pods. */
export async function start(t, object, n) {
  await t.create('jobs', object, { pick: (j) => j.message ?? j.kind, label: `create Job ${object.metadata.name}` });
  return active(t, object.metadata.name, n);
}

/** Binds pods to a node and makes them ready, and waits until the Job says so. */
export async function runs(t, name, pods) {
  const node = await t.node();
  for (const p of pods) { await t.bind(p, node); await t.running(p); }
  await t.until(`${name}: ${pods.length} are ready`, async () => (await t.read('jobs', name)).status.ready === pods.length);
}

/** Changes a Job's spec; records the generation, or the refusal. */
export const change = (t, name, spec) => t.patch('jobs', name, { spec }, { label: `change ${name}: ${JSON.stringify(spec)}`, pick: (j) => j.message ?? j.metadata.generation });

/** Records of a Job's pods what two control planes must agree on, without their names. */
export async function pods(t, name, extra = () => ({})) {
  const view = (await t.podsOf(name)).map((p) => ({ index: indexOf(p), phase: p.status.phase, deleting: Boolean(p.metadata.deletionTimestamp), finalizers: p.metadata.finalizers, owned: p.metadata.ownerReferences?.length ?? 0, ...extra(p) }));
  t.show(`pods of ${name}`, view.map((v) => JSON.stringify(v)).sort().map((v) => JSON.parse(v)));
}

/** Waits for `n` events of an object; records them sorted, with generated names masked. */
export async function events(t, kind, name, n, { mask = (s) => s, timeout } = {}) {
  const read = () => t.items('events', `fieldSelector=${encodeURIComponent(`involvedObject.kind=${kind},involvedObject.name=${name}`)}`);
  const found = await t.until(`${kind} ${name} has ${n} events`, async () => { const items = await read(); return items.length >= n && items; }, { timeout });
  const view = found.map((e) => [e.type, e.reason, mask(e.message.replaceAll(new RegExp(`${name}-(\\d+-)?[a-z0-9]{5}\\b`, 'g'), (_, i) => `<${i ?? ''}pod>`)), e.count ?? 1, e.source.component, e.reportingComponent].join(' | '));
  t.show(`events of ${kind} ${name}`, view.sort());
}

/** A container's end, for a pod's containerStatuses. */
export const ended = (name, exitCode, more = {}) => ({ name, state: { terminated: { exitCode, reason: exitCode ? 'Error' : 'Completed', startedAt: now(), finishedAt: now() } }, ready: false, started: false, restartCount: 0, image: 'example/image', imageID: '', lastState: {}, ...more });

export default {};
