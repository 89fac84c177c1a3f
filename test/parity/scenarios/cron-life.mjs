// CronJobs beyond the plain runs. A run is brought about by a lastScheduleTime in the past.
import { job } from './shared.mjs';

const day = (ago) => { const d = new Date(Date.now() - ago * 86400e3); return new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), Math.min(d.getUTCDate(), 28))); };
const yearly = (d) => `0 0 ${d.getUTCDate()} ${d.getUTCMonth() + 1} *`;
const FIRST = day(80), SECOND = day(40);
const minutes = (d) => String(d.getTime() / 60000);
const iso = (d) => d.toISOString().replace('.000', '');
const alias = (v) => JSON.parse(JSON.stringify(v ?? null).replaceAll(minutes(FIRST), '<first>').replaceAll(minutes(SECOND), '<second>'));
const jobsOf = async (t) => (await t.items('jobs')).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
const merge = (t, name, patch, more = {}) => t.patch('cronjobs', name, patch, { label: `patch ${JSON.stringify(patch).replace(/\d{4}-\d\d-\d\d/g, '<day>').replace(/0 0 \d+ \d+ \*/, '<yearly>')}`, pick: (c) => c.message ?? c.metadata.generation, ...more });

async function missed(t, name, spec = {}, { start = true, jobTemplate, metadata = {} } = {}) {
  await t.create('cronjobs', { metadata: { name, ...metadata }, spec: { schedule: yearly(FIRST), timeZone: 'UTC', suspend: true, jobTemplate: jobTemplate ?? { spec: job('x').spec }, ...spec } }, { pick: (c) => c.message ?? c.status, label: `create CronJob ${name}` });
  await t.patch('cronjobs', name, { status: { lastScheduleTime: iso(day(200)) } }, { sub: 'status', label: 'a schedule time in the past', pick: (c) => Object.keys(c.status) });
  if (start) await merge(t, name, { spec: { suspend: false } });
}
const status = async (t, name) => t.show(`status of ${name}`, alias(((s) => ({ active: s.active, last: Boolean(s.lastScheduleTime), success: Boolean(s.lastSuccessfulTime) }))((await t.read('cronjobs', name)).status)));
const events = async (t, name, n) => {
  const read = () => t.items('events', `fieldSelector=${encodeURIComponent(`involvedObject.kind=CronJob,involvedObject.name=${name}`)}`);
  const found = await t.until(`${name} has ${n} events`, async () => { const e = await read(); return e.length >= n && e; }, { timeout: 15000 });
  t.show(`events of ${name}`, alias(found.map((e) => [e.type, e.reason, e.message.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^"]*/, '<when>'), e.count, e.source.component, e.involvedObject.apiVersion].join(' | ')).sort()));
};
const finish = async (t, name) => { const p = await t.until('its pod', async () => (await t.podsOf(name))[0]); await t.finish(p); };
const jobs = (t, n) => t.until(`${n} Jobs`, async () => (await jobsOf(t)).length === n && jobsOf(t));

export default {
  async 'the whole Job that a CronJob makes'(t) {
    await missed(t, 'whole', { jobTemplate: { metadata: { labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.com/x'], name: 'ignored', generateName: 'ignored' }, spec: { ...job('x').spec, ttlSecondsAfterFinished: 1000, backoffLimit: 2 } } }, { metadata: { labels: { own: '1' }, annotations: { own: '2' } } });
    const [j] = await jobs(t, 1);
    t.show('job', alias(((m) => ({ ...m, metadata: { ...m.metadata, annotations: { ...m.metadata.annotations, 'batch.kubernetes.io/cronjob-scheduled-timestamp': '<when>' } }, status: undefined }))(j)));
    await t.until('it is active', async () => (await t.read('cronjobs', 'whole')).status.active?.length === 1);
    await status(t, 'whole');
    await events(t, 'whole', 1);
  },

  async 'the active Job is deleted by hand'(t) {
    await missed(t, 'hand');
    const [j] = await jobs(t, 1);
    await t.until('it is active', async () => (await t.read('cronjobs', 'hand')).status.active?.length === 1);
    await t.request('DELETE', t.path('jobs', j.metadata.name), { propagationPolicy: 'Background' }, { label: 'delete it', pick: (b) => [b.kind, b.status] });
    await t.until('none is active', async () => !(await t.read('cronjobs', 'hand')).status.active);
    await events(t, 'hand', 2);
  },

  async 'a Job of that name is there already'(t) {
    const name = `taken-${minutes(FIRST)}`;
    t.mask(new RegExp(minutes(FIRST), 'g'), '<first>');
    await t.create('jobs', job(name, { suspend: true }), { pick: (j) => j.kind, label: 'a Job in the way' });
    await missed(t, 'taken');
    await t.sleep(2500);
    const list = await t.items('events', 'fieldSelector=involvedObject.kind%3DCronJob');
    t.show('events', alias(list.map((e) => [e.type, e.reason, e.message].join(' | '))));
    await status(t, 'taken');
  },

  async 'history limits zero, and changed later'(t) {
    await missed(t, 'none', { successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0 });
    const [j] = await jobs(t, 1);
    await finish(t, j.metadata.name);
    await jobs(t, 0);
    await t.until('it is noted', async () => (await t.read('cronjobs', 'none')).status.lastSuccessfulTime);
    await status(t, 'none');
    await events(t, 'none', 2);
    await merge(t, 'none', { spec: { successfulJobsHistoryLimit: -1 } });
  },

  async 'deletion: in the foreground, orphaning'(t) {
    for (const [name, propagationPolicy] of [['fore', 'Foreground'], ['orphan', 'Orphan'], ['back', 'Background']]) {
      await missed(t, name);
      await t.until(`${name} has a Job`, async () => (await t.read('cronjobs', name)).status.active?.length === 1);
      await t.delete('cronjobs', name, { propagationPolicy }, { pick: (b) => [b.kind, b.metadata?.finalizers ?? null] });
      await t.until(`${name} is gone`, async () => !(await t.read('cronjobs', name)));
    }
    await t.sleep(1500);
    t.show('left', alias((await jobsOf(t)).map((j) => [j.metadata.name, j.metadata.ownerReferences ?? null])));
  },
};
